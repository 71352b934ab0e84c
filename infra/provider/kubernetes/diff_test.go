// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"slices"
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func TestDiff(t *testing.T) {
	objects := func(v string) map[string]any {
		return map[string]any{"v1/ConfigMap/kube-system/a": configMap("a", map[string]any{"k": v})}
	}
	base := inputs(objects("1"))
	drifted := map[string]property.Value{"v1/ConfigMap/kube-system/a": property.New("missing")}
	tests := map[string]struct {
		state, in property.Map
		want      []string
	}{
		"nothing":     {outputs(base, nil), base, nil},
		"field":       {outputs(base, nil), inputs(objects("2")), []string{`update objects["v1/ConfigMap/kube-system/a"].data.k`}},
		"object gone": {outputs(base, nil), inputs(map[string]any{}), []string{`delete objects["v1/ConfigMap/kube-system/a"]`}},
		"drift":       {outputs(base, drifted), base, []string{`delete drift["v1/ConfigMap/kube-system/a"]`}},
		"renamed": {outputs(base, nil), base.Set("name", property.New("other")),
			[]string{"update name"}},
		"renewed credentials": {outputs(base, nil), base.Set("kubeconfig", property.New(strings.Replace(kubeconfigOf("ca-1"), `"t"`, `"u"`, 1))),
			[]string{"update kubeconfig"}},
		"other cluster": {outputs(base, nil), base.Set("kubeconfig", property.New(kubeconfigOf("ca-2"))),
			[]string{"update&replace kubeconfig"}},
		"kubeconfig not known yet": {outputs(base, nil), base.Set("kubeconfig", property.New(property.Computed)),
			[]string{"update kubeconfig"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			resp, err := serve(t, newResource(nil)).Diff(p.DiffRequest{
				ID: "kube-system/dns", Urn: testURN, State: markSecrets(tt.state), Inputs: markSecrets(tt.in),
			})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for path, d := range resp.DetailedDiff {
				got = append(got, string(d.Kind)+" "+path)
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) || resp.HasChanges != (len(tt.want) > 0) {
				t.Errorf("got %v (changes: %v), want %v", got, resp.HasChanges, tt.want)
			}
		})
	}
}
