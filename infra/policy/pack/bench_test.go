// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"fmt"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/infra/policy"
)

// BenchmarkJudge is a stack of 2,000 resources of the types that the cases have.
func BenchmarkJudge(b *testing.B) {
	var some []policy.Resource
	for _, c := range cases(b) {
		for _, good := range c.Good {
			for _, p := range good {
				some = append(some, p.resource(b))
			}
		}
	}
	s := policy.Stack{Environment: policy.Environment{Project: "spine", Stack: "ers-live"}}
	for i := range 2000 {
		r := some[i%len(some)]
		r.Name = fmt.Sprintf("%s-%d", r.Name, i)
		r.URN = "urn:pulumi:ers-live::spine::" + r.Type + "::" + r.Name
		s.Resources = append(s.Resources, r)
	}
	rules, now := Rules(), time.Now()
	for b.Loop() {
		policy.Judge(rules, s, nil, now)
	}
}
