// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestServicesOfAnEnvironment(t *testing.T) {
	env, origins, err := ParseCloud(cloud(t, "ers-ft1", nil))
	if err != nil {
		t.Fatal(err)
	}
	if env.Platform != PlatformInstalled || env.Booking.Service.Replicas != 2 || origins["booking.service.replicas"] != "class Test" {
		t.Errorf("%s, %+v from %s", env.Platform, env.Booking, origins["booking.service.replicas"])
	}
	if env.Images.Registry != "200000000105.dkr.ecr.eu-west-2.amazonaws.com" || env.Booking.Tokens.KeysFile != "environments/authorities/tokens-non-live.json" {
		t.Errorf("%+v, %+v", env.Images, env.Booking.Tokens)
	}
	if env, _, err = ParseCloud(cloud(t, "spine-dev", nil)); err != nil || env.Booking != (CloudBooking{}) || env.Messaging.CatalogueFile != "environments/catalogue/spine.yaml" {
		t.Errorf("%v: %+v, %+v", err, env.Booking, env.Messaging)
	}
	if env, _, err = ParseCloud(cloud(t, "ers-live", nil)); err != nil || env.Booking.Providers.Port != 443 || env.Broker.Member != (Store{}) {
		t.Errorf("%v: %+v, %+v", err, env.Booking.Providers, env.Broker)
	}
}

func TestMistakesInServices(t *testing.T) {
	for name, c := range map[string]struct {
		stack string
		edit  func(e dict)
		want  string
	}{
		"platform":          {"ers-ft1", func(e dict) { e["platform"] = "Later" }, `platform: Unsupported value: "Later"`},
		"registry":          {"ers-ft1", func(e dict) { e["images"] = dict{"registry": "https://r"} }, "images.registry: Invalid value"},
		"release elsewhere": {"ers-ft1", func(e dict) { e["images"] = dict{"releaseFile": "/tmp/x"} }, "images.releaseFile: Invalid value"},
		"action":            {"ers-ft1", func(e dict) { e["operations"] = dict{"approval": dict{"actions": []any{"Reboot"}}} }, "operations.approval.actions[0]: Unsupported"},
		"one gateway":       {"ers-ft1", func(e dict) { e["messaging"] = dict{"gateway": dict{"replicas": 1}} }, "messaging.gateway.replicas"},
		"booking of Spine":  {"spine-dev", func(e dict) { e["booking"] = dict{"service": dict{"replicas": 2}} }, "booking: Forbidden: only where the service is ers"},
		"keys elsewhere":    {"ers-ft1", func(e dict) { e["booking"] = dict{"tokens": dict{"keysFile": "/keys.json"}} }, "booking.tokens.keysFile: Invalid value"},
		"member of MQ":      {"ers-live", func(e dict) { e["broker"] = dict{"member": dict{"storageGiB": 5}} }, "broker.member: Forbidden"},
		"old RabbitMQ":      {"ers-live", func(e dict) { e["broker"] = dict{"engineVersion": "3.13"} }, "broker.engineVersion: Invalid value"},
		"no way out": {"ers-ft1", func(e dict) {
			e["booking"] = dict{"providers": dict{"networks": []any{"203.0.113.0/24"}, "caFile": "a.pem"}}
		}, "booking.providers.networks[0]: Invalid value"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := ParseCloud(cloud(t, c.stack, c.edit))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestParseRelease(t *testing.T) {
	const good = `{"name":"a","tag":"v1","digest":"sha256:0123456789012345678901234567890123456789012345678901234567890123","size":1}`
	if list, errs := ParseRelease([]byte("["+good+"]"), field.NewPath("r")); len(errs) > 0 || list[0].Name != "a" {
		t.Errorf("%+v, %v", list, errs)
	}
	for text, want := range map[string]string{
		"{":                               "r: Invalid value",
		"{}":                              "r",
		"[]":                              "r: Invalid value: 0: must be a list",
		"[" + good + "," + good + "]":     "r[1]: Duplicate value",
		`[{"name":"a","tag":"v1"}]`:       "r[0].digest: Required value",
		`[{"nmae":"a"}]`:                  `r[0].nmae: Forbidden: unknown key; did you mean "name"?`,
		`[{"name":"a/b","tag":"latest"}]`: "r[0].name: Invalid value",
	} {
		_, errs := ParseRelease([]byte(text), field.NewPath("r"))
		if len(errs) == 0 || !strings.Contains(errs.ToAggregate().Error(), want) {
			t.Errorf("%s: got %v, want %s", text, errs, want)
		}
	}
}

func FuzzParseRelease(f *testing.F) {
	f.Add([]byte(`[{"name":"a","tag":"v1","digest":"sha256:0","size":1}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, errs := ParseRelease(raw, field.NewPath("r"))
		for _, r := range list {
			if len(errs) == 0 && (r.Name == "" || len(r.Digest) != 71) {
				t.Errorf("%+v passes", r)
			}
		}
	})
}
