// SPDX-License-Identifier: Apache-2.0

package rfc2136

import (
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/operators/operatortest/conformance"
	"spine.nhs.uk/controlplane/operators/ports/thirdplace"
)

const secret = "c2VjcmV0IG9mIGF0IGxlYXN0IHRoaXJ0eS10d28gYnl0ZXMh"

const witnessConfig = `server: 192.0.2.1:53
zone: spine.example.
key: {name: site-a., algorithm: hmac-sha256, secret: ` + secret + `}
vote: vote.spine.example.
`

const trafficConfig = `server: 192.0.2.1:53
zone: spine.example.
key: {name: site-a., algorithm: hmac-sha256, secret: ` + secret + `}
names: [messages.spine.example., booking.spine.example.]
sites: {a: 192.0.2.10, b: 192.0.2.20}
ttlSeconds: 5
`

func TestDecode(t *testing.T) {
	if c, err := thirdplace.Decode[WitnessConfig]([]byte(witnessConfig)); err != nil || c.Vote != "vote.spine.example." || c.Server != "192.0.2.1:53" {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := thirdplace.Decode[TrafficConfig]([]byte(trafficConfig)); err != nil || c.Sites["b"] != "192.0.2.20" || c.Zone != "spine.example." {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestDecodeNamesEveryMistakeAndNoSecret(t *testing.T) {
	with := func(oldnew ...string) string { return strings.NewReplacer(oldnew...).Replace(trafficConfig) }
	conformance.Configs[TrafficConfig](t, secret, map[string]conformance.Text{
		"a typo":           {with("ttlSeconds", "ttl"), []string{"nothing but server, zone, key, names, sites, ttlSeconds"}},
		"no port":          {with("192.0.2.1:53", "192.0.2.1"), []string{`server: "192.0.2.1" must be host:port`}},
		"a short secret":   {with(secret, "c2hvcnQ="), []string{"key.secret: must be base64 of at least 32 bytes"}},
		"no base64":        {with(secret, "nope!"), []string{"key.secret: must be base64"}},
		"an old algorithm": {with("hmac-sha256", "hmac-md5"), []string{`key.algorithm: "hmac-md5" must be hmac-sha256`}},
		"many": {with("zone: spine.example.", "zone: spine", "b: 192.0.2.20", "b: 192.0.2.10", "ttlSeconds: 5", "ttlSeconds: 901"), []string{
			`zone: "spine" must be a fully qualified name`, "names[0]:", "names[1]:", `sites.b: "192.0.2.10" must be an IPv4 address that no other site has`, "ttlSeconds: 901: expected 1 to 900",
		}},
		"one site":        {with(", b: 192.0.2.20", ""), []string{"sites: 1 of them: expected two or more"}},
		"a name twice":    {with("booking.", "messages."), []string{"names[1]:"}},
		"outside":         {with("booking.spine", "booking.other"), []string{`names[1]: "booking.other.example." must be a fully qualified name within the zone`}},
		"IPv6, bad name":  {with("b: 192.0.2.20", "B_: 2001:db8::1"), []string{`sites.B_: "2001:db8::1"`}},
		"secret as a map": {with("secret: "+secret, "secret: {x: "+secret+"}"), []string{"must be YAML"}},
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(witnessConfig))
	f.Add([]byte(trafficConfig))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := thirdplace.Decode[WitnessConfig](data); err == nil && c.Validate() != nil {
			t.Error("an invalid configuration was accepted")
		}
		if c, err := thirdplace.Decode[TrafficConfig](data); err == nil && (len(c.Sites) < 2 || len(c.Names) == 0) {
			t.Error("an invalid configuration was accepted")
		}
	})
}
