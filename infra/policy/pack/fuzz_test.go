// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/infra/policy"
)

// FuzzRules: no rule stumbles over properties of another form than it expects. One that
// panics would end every preview.
func FuzzRules(f *testing.F) {
	for _, c := range cases(f) {
		for _, bad := range c.Bad {
			for _, p := range bad.Of {
				r := p.resource(f)
				raw, err := json.Marshal(r.Inputs)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(r.Type, raw)
			}
		}
	}
	rules, now := Rules(), time.Now()
	f.Fuzz(func(t *testing.T, token string, raw []byte) {
		var in any
		if json.Unmarshal(raw, &in) != nil {
			return
		}
		inputs, ok := policy.FromJSON(in).(map[string]any)
		if !ok {
			return
		}
		s := policy.Stack{Environment: policy.Environment{Project: "spine", Stack: "live"}}
		for _, name := range []string{"a", "b"} {
			s.Resources = append(s.Resources, policy.Resource{
				URN: "urn:pulumi:live::spine::" + token + "::" + name, Type: token, Name: name, Operation: policy.Create, Inputs: inputs,
				Provider: &policy.Provider{Inputs: inputs},
			})
		}
		for _, r := range policy.Judge(rules, s, nil, now).Results {
			if strings.TrimSpace(r.Message) == "" {
				t.Errorf("%s says nothing", r.Rule)
			}
		}
	})
}
