// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// paired is the environment of the eastern site of the local pair.
func paired(t *testing.T, edit func(env, pair dict)) []byte {
	t.Helper()
	env := settings(t, "Pulumi.local-pair-east.yaml")["spine:environment"].(map[string]any)
	edit(env, env["pair"].(map[string]any))
	raw, err := json.Marshal(env)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestPairProblems(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(env, pair dict)
		want []string // each begins one problem, in this order
	}{
		"nothing to follow": {func(e, _ dict) { delete(e, "messaging"); delete(e, "booking") }, []string{"pair: Forbidden: there is nothing to follow without messaging"}},
		"words": {func(_, p dict) { p["role"], p["acknowledge"], p["automatic"] = "Primary", "Both", "Yes" }, []string{
			`pair.role: Unsupported value: "Primary": supported values: "Active", "Standby"`, `pair.acknowledge: Unsupported value: "Both"`, `pair.automatic: Unsupported value: "Yes"`,
		}},
		"no role":           {func(_, p dict) { delete(p, "role") }, []string{`pair.role: Unsupported value: ""`}},
		"its own peer":      {func(_, p dict) { part(p, "peer")["name"] = "east" }, []string{`pair.peer.name: Invalid value: "east": is this site itself`}},
		"the same subnet":   {func(_, p dict) { part(p, "peer")["subnet"] = "10.97.0.0/16" }, []string{`pair.peer.subnet: Invalid value: "10.97.0.0/16": overlaps with site.subnet`, "pair.peer.edgeAddress: Invalid"}},
		"an edge elsewhere": {func(_, p dict) { part(p, "peer")["edgeAddress"] = "10.99.0.1" }, []string{`pair.peer.edgeAddress: Invalid value: "10.99.0.1": must be within peer.subnet`}},
		"no way to ask":     {func(_, p dict) { delete(part(p, "peer"), "kubeconfigFile") }, []string{"pair.peer.kubeconfigFile: Required"}},
		"no authority":      {func(_, p dict) { delete(p, "platform"); delete(part(p, "clients"), "keyFile") }, []string{"pair.platform.certificateFile: Required", "pair.platform.keyFile: Required", "pair.clients.keyFile: Required"}},
		"a bad third place": {func(_, p dict) {
			p["thirdPlace"] = dict{"nameServer": "ns.example", "zone": "example", "key": "a.", "secretFile": "key", "ttlSeconds": 3600}
		}, []string{
			`pair.thirdPlace.zone: Invalid value: "example"`, `pair.thirdPlace.nameServer: Invalid value: "ns.example": must be an IPv4 address and a port`,
			`pair.thirdPlace.key: Invalid value: "a."`, "pair.thirdPlace.secretFile: Invalid value", "pair.thirdPlace.ttlSeconds: Invalid value: 3600",
		}},
		"a third place in AWS too": {func(_, p dict) { part(p, "thirdPlace")["aws"] = inAWS() }, []string{
			"pair.thirdPlace.nameServer: Forbidden: the third place is either a name server or AWS", "pair.thirdPlace.key: Forbidden", "pair.thirdPlace.secretFile: Forbidden",
		}},
		"a bad third place in AWS": {func(_, p dict) {
			p["thirdPlace"] = dict{"zone": "pair.test", "ttlSeconds": 5, "aws": dict{
				"table": "t", "hostedZone": "/hostedzone/Z1", "networks": []any{"10.0.0.1/8"}, "tableEndpoint": "http://a", "zoneEndpoint": "https://a/b",
			}}
		}, []string{
			"pair.thirdPlace.ttlSeconds: Forbidden", `pair.thirdPlace.aws.table: Invalid value: "t"`, `pair.thirdPlace.aws.hostedZone: Invalid value: "/hostedzone/Z1"`,
			"pair.thirdPlace.aws.credentialsFile: Required", `pair.thirdPlace.aws.networks[0]: Invalid value: "10.0.0.1/8": has bits set`,
			`pair.thirdPlace.aws.tableEndpoint: Invalid value: "http://a"`, `pair.thirdPlace.aws.zoneEndpoint: Invalid value: "https://a/b"`,
		}},
		"a third place in AWS that nothing leads to": {func(_, p dict) {
			aws := inAWS()
			delete(aws, "networks")
			p["thirdPlace"] = dict{"zone": "pair.test", "aws": aws}
		}, []string{"pair.thirdPlace.aws.networks: Required"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(paired(t, c.edit))
			var all *Error
			if !errors.As(err, &all) || len(all.Problems) != len(c.want) {
				t.Fatalf("want %d problems, got: %v", len(c.want), err)
			}
			for i, p := range all.Problems {
				if !strings.HasPrefix(p.Error(), c.want[i]) {
					t.Errorf("problem %d is\n  %s\nwant\n  %s", i, p, c.want[i])
				}
			}
		})
	}
}

func inAWS() dict {
	return dict{"table": "pair-witness", "hostedZone": "Z0123456789ABC", "credentialsFile": "~/aws", "networks": []any{"192.0.2.0/24"}}
}

func TestThirdPlaceInAWS(t *testing.T) {
	env, err := Parse(paired(t, func(_, p dict) { p["thirdPlace"] = dict{"zone": "pair.test", "aws": inAWS()} }))
	if err != nil {
		t.Fatal(err)
	}
	if place := env.Pair.ThirdPlace; place.AWS.Table != "pair-witness" || place.TTLSeconds != 0 || place.NameServer != "" {
		t.Errorf("got %+v", place)
	}
}

// The two sites of the local pair say the same of each other and of the third place.
func TestLocalPairAgrees(t *testing.T) {
	load := func(site string) *Environment {
		raw, err := json.Marshal(settings(t, "Pulumi.local-pair-"+site+".yaml")["spine:environment"])
		if err != nil {
			t.Fatal(err)
		}
		env, err := Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		return env
	}
	east, west := load("east"), load("west")
	for _, c := range []struct{ of, as *Environment }{{east, west}, {west, east}} {
		peer := c.as.Pair.Peer
		if peer.Name != c.of.Site.Name || peer.Subnet != c.of.Site.Subnet || peer.EdgeAddress != c.of.Edge.Address {
			t.Errorf("%s takes %s for %+v", c.as.Name, c.of.Name, peer)
		}
	}
	e, w := east.Pair, west.Pair
	if e.Role != PairActive || w.Role != PairStandby || e.Acknowledge != w.Acknowledge ||
		e.ThirdPlace.NameServer != w.ThirdPlace.NameServer || e.ThirdPlace.Zone != w.ThirdPlace.Zone || e.ThirdPlace.SecretFile == w.ThirdPlace.SecretFile {
		t.Errorf("they differ: %+v and %+v", e, w)
	}
}
