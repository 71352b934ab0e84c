// SPDX-License-Identifier: Apache-2.0

package core

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

func TestDecide(t *testing.T) {
	accepted := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	psis := &api.Reliability{
		Retries: 2, RetryInterval: metav1.Duration{Duration: time.Minute}, PersistDuration: metav1.Duration{Duration: 5 * time.Minute},
	}
	for name, c := range map[string]struct {
		pattern   api.Pattern
		contract  *api.Reliability
		attempts  int
		after     time.Duration
		permanent bool
		want      verdict
		in        time.Duration
	}{
		"first failure":                     {api.PatternForwardReliable, psis, 1, time.Second, false, again, time.Minute},
		"second failure":                    {api.PatternAsyncReliable, psis, 2, 2 * time.Minute, false, again, time.Minute},
		"retries used up":                   {api.PatternForwardReliable, psis, 3, 3 * time.Minute, false, deadLetter, 0},
		"next would be past the persisting": {api.PatternForwardReliable, psis, 1, 4*time.Minute + time.Second, false, deadLetter, 0},
		"next is just within":               {api.PatternForwardReliable, psis, 1, 4 * time.Minute, false, again, time.Minute},
		"refused for good":                  {api.PatternForwardReliable, psis, 1, time.Second, true, deadLetter, 0},
		"no contract":                       {api.PatternForwardReliable, nil, 1, time.Second, false, deadLetter, 0},
		"persists as long as it is kept": {
			api.PatternForwardReliable, &api.Reliability{Retries: 1, RetryInterval: metav1.Duration{Duration: time.Hour}}, 1, 48 * time.Hour, false, again, time.Hour,
		},
		"express":               {api.PatternForwardExpress, nil, 1, time.Second, false, abandon, 0},
		"express, with figures": {api.PatternAsyncExpress, psis, 1, time.Second, false, abandon, 0},
	} {
		t.Run(name, func(t *testing.T) {
			now := accepted.Add(c.after)
			got, at := decide(c.pattern, c.contract, c.attempts, accepted, now, c.permanent)
			if got != c.want || (c.want == again && !at.Equal(now.Add(c.in))) {
				t.Errorf("verdict %d at %s", got, at)
			}
		})
	}
}

func TestRetryStatus(t *testing.T) {
	for status, want := range map[int]bool{302: true, 400: false, 401: true, 404: true, 409: false, 413: false, 422: false, 429: true, 500: true, 503: true} {
		if got := retryStatus(status); got != want {
			t.Errorf("%d: %t", status, got)
		}
	}
}
