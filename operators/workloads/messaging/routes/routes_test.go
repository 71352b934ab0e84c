// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"slices"
	"testing"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

func decode(t *testing.T, text string) *api.GatewayConfig {
	t.Helper()
	c, err := api.DecodeGatewayConfig([]byte("service: a/b\nsuppliers: [{name: s, messagesPerSecond: 10}, {name: o}]\nroutes:\n" + text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOldEndpointsAndRoutesOutliveAChange(t *testing.T) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	table := New(func() time.Time { return now })
	push := func(url string) string {
		return "- {interaction: P, pattern: ForwardExpress, supplier: s, delivery: Push, endpoint: " + url + "}\n"
	}
	const inbox = "- {interaction: I, pattern: ForwardExpress, supplier: o}\n"
	endpoints := func(want ...string) {
		t.Helper()
		r, ok := table.Lookup("P")
		if !ok || !slices.Equal(r.Endpoints(now), want) {
			t.Errorf("endpoints %v, want %v", r, want)
		}
	}
	table.Set(decode(t, push("https://a")+inbox))
	endpoints("https://a")
	table.Set(decode(t, push("https://b")+inbox))
	endpoints("https://b", "https://a")
	now = now.Add(10 * time.Minute)
	table.Set(decode(t, push("https://c")))
	endpoints("https://c", "https://b", "https://a")
	// A change of something else does not renew them.
	table.Set(decode(t, push("https://c")))
	now = now.Add(5 * time.Minute)
	endpoints("https://c", "https://b")
	if _, ok := table.Lookup("I"); !ok || len(table.All()) != 2 {
		t.Error("a route that was taken away 5 minutes ago is gone")
	}
	now = now.Add(10 * time.Minute)
	endpoints("https://c")
	if _, ok := table.Lookup("I"); ok || len(table.All()) != 1 {
		t.Error("a route that was taken away 15 minutes ago is there")
	}
	table.Set(decode(t, push("https://c")+inbox))
	if _, ok := table.Lookup("I"); !ok {
		t.Error("a route that came back is not there")
	}
}

func TestLimitIsSharedByReplicas(t *testing.T) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	table := New(func() time.Time { return now })
	table.Set(decode(t, "- {interaction: I, pattern: ForwardExpress, supplier: s}\n"))
	table.Share(2)
	table.Set(decode(t, "- {interaction: I, pattern: ForwardExpress, supplier: s}\n"))
	r, _ := table.Lookup("I")
	total := 0
	for range 10 {
		for n, _ := r.Allow(now, 3); n > 0; n, _ = r.Allow(now, 3) {
			r.Took(now, n)
			total += n
		}
		now = now.Add(time.Second)
	}
	if total != 50 {
		t.Errorf("%d messages in 10 s, want half of 10 a second", total)
	}
	if n, wait := r.Allow(now.Add(-time.Second), 1); n != 0 || wait <= 0 {
		t.Errorf("allowed %d, wait %s", n, wait)
	}
}

func TestStopped(t *testing.T) {
	table := New(time.Now)
	c := decode(t, "- {interaction: I, pattern: ForwardExpress, supplier: s}\n- {interaction: J, pattern: ForwardExpress, supplier: o, traffic: Stopped}\n- {interaction: K, pattern: ForwardExpress, supplier: o}\n")
	c.Suppliers[0].Traffic = api.TrafficStopped
	table.Set(c)
	for interaction, want := range map[string]bool{"I": true, "J": true, "K": false} {
		if r, ok := table.Lookup(interaction); !ok || r.Stopped != want {
			t.Errorf("%s: %+v", interaction, r)
		}
	}
	if got := table.Stopped(); !slices.Equal(got, []string{"s"}) {
		t.Errorf("stopped %v", got)
	}
	if table.Longest() != 24*time.Hour {
		t.Errorf("requests are kept for %s", table.Longest())
	}
}
