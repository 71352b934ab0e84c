// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sample = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: xs.test}
spec:
  versions:
    - name: v1
      additionalPrinterColumns: [{name: Age, description: long, type: date}]
      schema:
        openAPIV3Schema:
          description: long
          type: object
          properties:
            description: {type: string, description: of the field}
            spec:
              type: object
              properties:
                a: {type: array, items: {type: object, description: long, properties: {b: {description: long, type: string}}}}
                unused: {type: object}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: x}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: x}
`

func render(t *testing.T, e engine) (string, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f.yaml"), []byte(sample), 0o644); err != nil {
		t.Fatal(err)
	}
	e.module, e.files = "test", []string{"f.yaml"}
	out, err := e.render(dir)
	return string(out), err
}

func TestRender(t *testing.T) {
	got, err := render(t, engine{
		keep:    set("CustomResourceDefinition/xs.test", "ServiceAccount/x"),
		without: map[string][]string{"CustomResourceDefinition/xs.test": {"spec.unused"}}, namespace: "n",
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `# Made by ` + "`go generate ./hack/tools/upstream`" + ` from test: not for editing.
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: xs.test
spec:
  versions:
  - additionalPrinterColumns:
    - name: Age
      type: date
    name: v1
    schema:
      openAPIV3Schema:
        properties:
          description:
            type: string
          spec:
            properties:
              a:
                items:
                  properties:
                    b:
                      type: string
                  type: object
                type: array
            type: object
        type: object
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: x
  namespace: "n"
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRenderRefusesWhatIsGone(t *testing.T) {
	for want, e := range map[string]engine{
		"no Service/gone any more": {keep: set("Service/gone")},
		"no field spec.gone any more": {
			keep: set("CustomResourceDefinition/xs.test"), without: map[string][]string{"CustomResourceDefinition/xs.test": {"spec.gone.x"}},
		},
	} {
		if _, err := render(t, e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
