// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"testing"
	"time"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

func TestHandoverOf(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		good bool
	}{
		"a wish":           {`{"operation":"o","epoch":7,"role":"Standby","until":"2026-11-21T03:00:00Z"}`, true},
		"the role Active":  {`{"operation":"o","epoch":7,"role":"Active","until":"2026-11-21T03:00:00Z"}`, false},
		"without an end":   {`{"operation":"o","epoch":7,"role":"Standby"}`, false},
		"without an epoch": {`{"operation":"o","role":"Standby","until":"2026-11-21T03:00:00Z"}`, false},
		"by nobody":        {`{"epoch":7,"role":"Standby","until":"2026-11-21T03:00:00Z"}`, false},
		"an unknown field": {`{"operation":"o","epoch":7,"role":"Standby","until":"2026-11-21T03:00:00Z","now":true}`, false},
		"two of them":      {`{"operation":"o","epoch":7,"role":"Standby","until":"2026-11-21T03:00:00Z"}{}`, false},
		"something else":   {`yes`, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := &FailoverPolicy{}
			p.Annotations = map[string]string{HandoverAnnotation: c.text}
			h, err := p.HandoverOf()
			if (err == nil) != c.good || (h != nil) != c.good {
				t.Errorf("got %+v, %v", h, err)
			}
		})
	}
	if h, err := (&FailoverPolicy{}).HandoverOf(); h != nil || err != nil {
		t.Errorf("none: got %+v, %v", h, err)
	}
	if p, err := (&FailoverPolicy{}).PromiseOf(); p != (Promise{}) || err != nil {
		t.Errorf("none: got %+v, %v", p, err)
	}
}

func FuzzHandover(f *testing.F) {
	f.Add(`{"operation":"o","epoch":7,"role":"Standby","until":"2026-11-21T03:00:00Z"}`)
	f.Add(`{"epoch":7,"until":"2026-11-21T03:00:00Z"}`)
	f.Fuzz(func(t *testing.T, text string) {
		p := &FailoverPolicy{}
		p.Annotations = map[string]string{HandoverAnnotation: text, PromiseAnnotation: text}
		if h, err := p.HandoverOf(); err == nil && h != nil &&
			(h.Epoch < 1 || h.Until.Equal(time.Time{}) || h.Role == common.SiteActive || h.Operation == "") {
			t.Errorf("%q was taken as %+v", text, h)
		}
		if v, err := p.PromiseOf(); err != nil && v != (Promise{}) {
			t.Errorf("%q is an error and a promise", text)
		}
	})
}
