// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"spine.nhs.uk/controlplane/infra/provider/remote/remotetest"
)

// The engine prints the value of a property that a failure names; so no failure may name one.
func TestFailuresNameNoProperty(t *testing.T) {
	provider, err := New(remotetest.New(nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"spine:baremetal:Host", "spine:baremetal:Cluster", "spine:kubernetes:Manifests"} {
		t.Run(kind, func(t *testing.T) {
			resp, err := provider.Check(t.Context(), p.CheckRequest{
				Urn:    resource.URN("urn:pulumi:s::p::" + kind + "::x"),
				Inputs: property.NewMap(map[string]property.Value{"unknown": property.New("a secret")}),
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(resp.Failures) == 0 {
				t.Fatal("no failure")
			}
			for _, f := range resp.Failures {
				if f.Property != "" {
					t.Errorf("names property %q: %s", f.Property, f.Reason)
				}
			}
		})
	}
}
