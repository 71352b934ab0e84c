// SPDX-License-Identifier: Apache-2.0

package opsprobe

import (
	"errors"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/ports"
)

func TestPermit(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		fails  bool
	}{
		"heeded":           {200, `{"epoch":7}`, false},
		"of another epoch": {200, `{"epoch":8}`, true},
		"says nothing":     {200, `{}`, true},
		"is over":          {409, `{"error":"epoch 7 is over: 8 was heard of"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			target, prober := program(t, c.status, c.body)
			err := prober.Permit(t.Context(), target, ports.Permit{Epoch: 7, Until: time.Now()})
			var answer *ports.AnswerError
			if (err != nil) != c.fails || errors.As(err, &answer) != c.fails {
				t.Errorf("got %v", err)
			}
		})
	}
}
