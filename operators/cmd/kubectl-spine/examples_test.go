// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/yaml"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

const examplesFolder = "../../../runbooks/examples"

// There is one example for each action, and it asks for what the plugin asks for.
func TestExamplesOfActions(t *testing.T) {
	for _, action := range actions {
		file := kebab(string(action.name)) + ".yaml"
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(examplesFolder, file))
			if err != nil {
				t.Fatal(err)
			}
			var want api.ServiceRecovery
			if err := yaml.UnmarshalStrict(text, &want); err != nil {
				t.Fatal(err)
			}
			r := &request{reason: want.Spec.Reason, part: string(want.Spec.Part), instance: want.Spec.Instance, supplier: want.Spec.Supplier, replicas: want.Spec.Replicas}
			if want.Spec.RestoreTo != nil {
				r.to = want.Spec.RestoreTo.UTC().Format(time.RFC3339)
			}
			args := []string{string(want.Spec.Action), targetName(&want)}
			if err := r.check(args); err != nil {
				t.Fatal(err)
			}
			got := r.build("amy", want.Namespace, want.Spec.Service, want.Spec.Host)
			got.Spec.DryRun = nil // the default
			if want.Spec.Action != action.name || !equality.Semantic.DeepEqual(got.Spec, want.Spec) {
				t.Errorf("the plugin asks for\n%+v\nand the example for\n%+v", got.Spec, want.Spec)
			}
		})
	}
}
