// SPDX-License-Identifier: Apache-2.0

package opsprobe

import (
	"errors"
	"testing"

	"spine.nhs.uk/controlplane/operators/ports"
)

func TestListDead(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		ids    int
		fails  bool
	}{
		"two":           {200, `{"deadLetters":[{"id":"A","at":"2026-11-21T08:00:00Z","reason":"503"},{"id":"B","at":"2026-11-21T08:00:01Z"}]}`, 2, false},
		"none":          {200, `{"deadLetters":[]}`, 0, false},
		"without an ID": {200, `{"deadLetters":[{"at":"2026-11-21T08:00:00Z"}]}`, 0, true},
		"without time":  {200, `{"deadLetters":[{"id":"A"}]}`, 0, true},
		"starting":      {503, `{"error":"waiting for the database"}`, 0, true},
		"not JSON":      {200, `<html>`, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			target, prober := program(t, c.status, c.body)
			got, err := prober.ListDead(t.Context(), target, "load", "")
			var answer *ports.AnswerError
			if errors.As(err, &answer) != c.fails || (err != nil) != c.fails || len(got) != c.ids {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestReplayDead(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		ids    []string
		want   int
		fails  bool
	}{
		"both":                 {200, `{"replayed":2}`, []string{"A", "B"}, 2, false},
		"one was gone":         {200, `{"replayed":1}`, []string{"A", "B"}, 1, false},
		"more than were named": {200, `{"replayed":3}`, []string{"A", "B"}, 0, true},
		"no number":            {200, `{}`, []string{"A"}, 0, true},
		"refused":              {400, `{"error":"expected"}`, []string{"A"}, 0, true},
		"none named":           {200, `{"replayed":1000}`, nil, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			target, prober := program(t, c.status, c.body)
			got, err := prober.ReplayDead(t.Context(), target, "load", c.ids)
			if got != c.want || (err != nil) != c.fails {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
}
