// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/blang/semver"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/integration"
	pulumiresource "github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const testURN = pulumiresource.URN("urn:pulumi:test::spine::spine:kubernetes:Manifests::dns")

// kubeconfigOf is a kubeconfig of a cluster with this authority. Nothing listens there.
func kubeconfigOf(authority string) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"x",
"contexts":[{"name":"x","context":{"cluster":"x","user":"x"}}],
"clusters":[{"name":"x","cluster":{"server":"https://127.0.0.1:1","certificate-authority-data":%q}}],
"users":[{"name":"x","user":{"token":"t"}}]}`, base64.StdEncoding.EncodeToString([]byte(authority)))
}

// value builds a property value from JSON-like Go values; property.Value passes through.
func value(v any) property.Value {
	switch v := v.(type) {
	case property.Value:
		return v
	case map[string]any:
		m := map[string]property.Value{}
		for k, e := range v {
			m[k] = value(e)
		}
		return property.New(m)
	case []any:
		a := []property.Value{}
		for _, e := range v {
			a = append(a, value(e))
		}
		return property.New(a)
	case int:
		return property.New(float64(v))
	}
	out, err := property.Any(v)
	if err != nil {
		panic(err)
	}
	return out
}

func inputs(objects map[string]any) property.Map {
	return value(map[string]any{
		"name": "dns", "namespace": "kube-system", "kubeconfig": kubeconfigOf("ca-1"), "objects": objects,
	}).AsMap()
}

func configMap(name string, data map[string]any) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "data": data,
		"metadata": map[string]any{"name": name, "namespace": "kube-system"},
	}
}

// serve runs the resource in an in-process provider, above the engine's own protocol.
func serve(t *testing.T, r *resource) integration.Server {
	t.Helper()
	provider, err := infer.NewProviderBuilder().WithNamespace("spine").WithResources(r).Build()
	if err != nil {
		t.Fatal(err)
	}
	s, err := integration.NewServer(t.Context(), "spine", semver.MustParse("1.0.0"), integration.WithProvider(provider))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newResource(connect connector) *resource {
	return &resource{InferredResource: infer.Resource(&schemaSource{}), connect: connect, patience: time.Second}
}

func check(t *testing.T, in property.Map) p.CheckResponse {
	t.Helper()
	resp, err := serve(t, newResource(nil)).Check(p.CheckRequest{Urn: testURN, Inputs: in})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}
