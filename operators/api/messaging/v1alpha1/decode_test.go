// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"strings"
	"testing"
	"time"
)

const good = `
service: spine-messaging/spine
acknowledge: Site
limits: {maxRequestBytes: 5000000, maxMessageBytes: 100000000, inFlightBytes: 67108864}
retention: {undeliveredAfter: 120h, deleteAfter: 720h}
suppliers:
- {name: load, messagesPerSecond: 0}
routes:
- interaction: SPINE_LOAD_TEST
  pattern: ForwardReliable
  supplier: load
  reliability: {retries: 2, retryInterval: 1m, persistDuration: 5m}
- interaction: PDS_QUERY
  pattern: Sync
  supplier: load
  endpoint: https://pds.test:9443/query
`

func TestDecodeGatewayConfig(t *testing.T) {
	c, err := DecodeGatewayConfig([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	r := c.Routes[0]
	if r.Delivery != DeliveryInbox || r.Traffic != TrafficOpen || r.Timeout.Duration != 30*time.Second ||
		r.Reliability.DuplicateElimination != DuplicateEliminationAlways || c.Suppliers[0].Traffic != TrafficOpen {
		t.Errorf("defaults are missing: %+v", c)
	}
	c, err = DecodeGatewayConfig([]byte("service: a/b"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Limits.MaxRequestBytes != 5_000_000 || c.Retention.DeleteAfter.Duration != 720*time.Hour {
		t.Errorf("defaults are missing: %+v", c)
	}
}

func TestDecodeGatewayConfigRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string
		want     []string
	}{
		"an unknown key":         {"acknowledge: Site", "acknowledgement: Site", []string{`unknown field "acknowledgement"`}},
		"a duration in numbers":  {"retryInterval: 1m", "retryInterval: 60", []string{"gateway config"}},
		"what is no YAML":        {"routes:", "routes: [", []string{"expected YAML"}},
		"a third kind of safety": {"acknowledge: Site", "acknowledge: AllSites", []string{"acknowledge: Unsupported value"}},
		"an unknown supplier":    {"- {name: load,", "- {name: other,", []string{"routes[0].supplier", "routes[1].supplier"}},
		"two routes of one name": {"PDS_QUERY", "SPINE_LOAD_TEST", []string{"routes[1].interaction: Duplicate"}},
		"no endpoint for Sync":   {"endpoint: https://pds.test:9443/query", "timeout: 5s", []string{"routes[1].endpoint"}},
		"clear text":             {"https://pds", "http://pds", []string{"routes[1].endpoint"}},
		"no contract":            {"reliability: {", "x: {", []string{`unknown field "x"`}},
		"everything at once": {"retries: 2, retryInterval: 1m, persistDuration: 5m", "retries: 30, retryInterval: 48h, persistDuration: 1000h",
			[]string{"reliability.retries", "reliability.retryInterval", "reliability.persistDuration"}},
		"limits that do not fit": {"maxMessageBytes: 100000000, inFlightBytes: 67108864", "maxMessageBytes: 1000, inFlightBytes: 1000",
			[]string{"limits.maxMessageBytes", "limits.inFlightBytes"}},
		"deletion before report": {"deleteAfter: 720h", "deleteAfter: 24h", []string{"retention.deleteAfter"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.from, c.to, 1)
			if text == good {
				t.Fatal("nothing replaced")
			}
			_, err := DecodeGatewayConfig([]byte(text))
			if err == nil {
				t.Fatal("accepted")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
		})
	}
}

func FuzzDecodeGatewayConfig(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("a: *b"))
	f.Add([]byte(`{"routes":[{"reliability":{"retryInterval":"-1h"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeGatewayConfig(data)
		if err != nil {
			return
		}
		if errs := c.Validate(); len(errs) > 0 {
			t.Errorf("accepted what does not validate: %v", errs)
		}
		for _, r := range c.Routes {
			if r.Pattern.Reliable() && r.Reliability == nil || r.Timeout.Duration <= 0 {
				t.Errorf("accepted a route that cannot be served: %+v", r)
			}
		}
	})
}
