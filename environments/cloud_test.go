// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// clouds are all environments in AWS, resolved, by the names of their stacks.
func clouds(t *testing.T) map[string]*Cloud {
	t.Helper()
	files, err := filepath.Glob("Pulumi.*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*Cloud{}
	for _, file := range files {
		config := settings(t, file)
		if config["spine:kind"] != string(KindAWS) {
			continue
		}
		raw, err := json.Marshal(config["spine:environment"])
		if err != nil {
			t.Fatal(err)
		}
		env, _, err := ParseCloud(raw)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[env.Name] = env
	}
	return all
}

// cloud is the JSON of an environment in AWS, changed by the edit.
func cloud(t *testing.T, name string, edit func(env dict)) []byte {
	t.Helper()
	env := settings(t, "Pulumi."+name+".yaml")["spine:environment"].(dict)
	if edit != nil {
		edit(env)
	}
	raw, err := json.Marshal(env)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestTheCatalogueIsWhole(t *testing.T) {
	all := clouds(t)
	want := []string{
		"ers-demo", "ers-dependents", "ers-dev", "ers-dr", "ers-ft1", "ers-ft2", "ers-ft3", "ers-ft4", "ers-integration", "ers-live",
		"ers-migration", "ers-perf", "ers-prelive", "ers-quality", "ers-rc", "ers-sandbox", "ers-security", "ers-training",
		"spine-dev", "spine-integration", "spine-performance", "spine-training",
	}
	if got := slices.Sorted(maps.Keys(all)); !slices.Equal(got, want) {
		t.Errorf("the environments in AWS are\n%v\nwant\n%v", got, want)
	}
	used := map[Class]bool{}
	for name, c := range all {
		used[c.Class] = true
		if errs := c.ValidateAmong(all); len(errs) > 0 {
			t.Errorf("%s: %v", name, errs)
		}
		if live := strings.HasSuffix(name, "-live") || strings.HasSuffix(name, "-dr"); live != (c.Live != nil) {
			t.Errorf("%s is on the wrong side of the fence", name)
		}
	}
	if len(used) != len(classOrder) || len(classes) != len(classOrder) || len(tiers) != len(tierOrder) {
		t.Errorf("of the classes %v, %v are used", classOrder, used)
	}
}

// TestFilesHoldDifferences keeps out of files what their classes say already.
func TestFilesHoldDifferences(t *testing.T) {
	for name, c := range clouds(t) {
		file, errs := DecodeCloud(cloud(t, name, nil))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		bare := &Cloud{Name: file.Name, Owner: file.Owner, Class: file.Class, Tier: file.Tier, Live: file.Live, NonLive: file.NonLive}
		bare.Finance.Running = file.Finance.Running
		bare.Resolve()
		if file.Tier != "" && file.Tier == classes[c.Class].Tier {
			t.Errorf("%s repeats the tier of its class", name)
		}
		same(t, name, reflect.ValueOf(*file), reflect.ValueOf(*bare))
	}
}

func same(t *testing.T, path string, file, bare reflect.Value) {
	t.Helper()
	for i := range file.NumField() {
		f := file.Type().Field(i)
		at := path + "." + f.Tag.Get("json")
		if slices.Contains([]string{"name", "owner", "class", "tier", "live", "nonLive", "running"}, f.Tag.Get("json")) {
			continue
		}
		switch a, b := file.Field(i), bare.Field(i); {
		case a.Kind() == reflect.Struct:
			same(t, at, a, b)
		case !a.IsZero() && reflect.DeepEqual(a.Interface(), b.Interface()):
			t.Errorf("%s repeats what its class, tier or the default says", at)
		}
	}
}

func TestOrigins(t *testing.T) {
	env, origins, err := ParseCloud(cloud(t, "ers-integration", nil))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Origin{
		"tier": OriginFile, "nonLive.account": OriginFile, "edge.exposure": OriginFile,
		"cluster.instanceType": "class Test", "dataClass": "class Test",
		"database.instances": "tier silver", "recovery.hours": "tier silver", "network.egressZones": "tier silver",
		"region": OriginDefault, "edge.domain": OriginDefault, "deployment.stateBucket": OriginDefault,
	} {
		if origins[path] != want {
			t.Errorf("%s is from %q, want %q", path, origins[path], want)
		}
	}
	if _, told := origins["finance.wake"]; told || env.Finance.Wake != "" {
		t.Error("an environment that always runs has a time to wake")
	}
	if env.Database.Instances != 2 || env.Edge.Domain != "ers-integration.aws.spine.nhs.uk" || env.Deployment.StateBucket != "spine-state-200000000111" {
		t.Errorf("got %+v", env)
	}
	before := *env
	if again := env.Resolve(); !reflect.DeepEqual(before, *env) || again["region"] != OriginFile {
		t.Error("a second Resolve changed something")
	}
}

func TestAmong(t *testing.T) {
	cases := map[string]struct {
		name string
		edit func(env dict)
		want []string
	}{
		"overlap":         {"ers-ft1", func(e dict) { part(e, "network")["cidr"] = "10.160.128.0/17" }, []string{`network.cidr: Invalid value: "10.160.128.0/17": overlaps network.cidr 10.160.0.0/16 of ers-live`}},
		"domain":          {"ers-ft1", func(e dict) { part(e, "edge")["domain"] = "ers-ft2.aws.spine.nhs.uk" }, []string{"edge.domain: Invalid value: \"ers-ft2.aws.spine.nhs.uk\": is the domain of ers-ft2 too"}},
		"shared account":  {"ers-ft1", func(e dict) { part(e, "nonLive")["account"] = "200000000106" }, []string{`nonLive.account: Invalid value: "200000000106": is the account of ers-ft2 too`}},
		"live's account":  {"ers-ft1", func(e dict) { part(e, "nonLive")["account"] = "100000000101" }, []string{`nonLive.account: Invalid value: "100000000101": is an account of ers-live, which is live`}},
		"live to other":   {"ers-live", func(e dict) { part(e, "live")["backupAccount"] = "200000000105" }, []string{`live.backupAccount: Invalid value: "200000000105": is an account of ers-ft1, which is non-live`}},
		"standby across":  {"ers-dr", func(e dict) { part(e, "live")["standbyOf"] = "ers-prelive" }, []string{`live.standbyOf: Invalid value: "ers-prelive": is no environment on this side of the fence`}},
		"standby of none": {"ers-dr", func(e dict) { part(e, "live")["standbyOf"] = "ers-lvie" }, []string{`live.standbyOf: Invalid value: "ers-lvie": is no environment`}},
	}
	all := clouds(t)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			env, _, err := ParseCloud(cloud(t, c.name, c.edit))
			if err != nil {
				t.Fatal(err)
			}
			begins(t, env.ValidateAmong(all), c.want)
		})
	}
}

func begins(t *testing.T, errs field.ErrorList, want []string) {
	t.Helper()
	if len(errs) != len(want) {
		t.Fatalf("%d problems, want %d:\n%v", len(errs), len(want), errs)
	}
	for i, e := range errs {
		if !strings.HasPrefix(e.Error(), want[i]) {
			t.Errorf("problem %d is\n  %s\nwant\n  %s", i, e, want[i])
		}
	}
}

func TestCloudProblems(t *testing.T) {
	cases := map[string]struct {
		name string
		edit func(env dict)
		want []string
	}{
		"unknown key":     {"ers-live", func(e dict) { e["teir"] = "gold" }, []string{`teir: Forbidden: unknown key; did you mean "tier"?`}},
		"deep key":        {"ers-live", func(e dict) { part(e, "database")["instanceClas"] = "x" }, []string{`database.instanceClas: Forbidden: unknown key; did you mean "instanceClass"?`}},
		"wrong type":      {"ers-live", func(e dict) { part(e, "live")["account"] = 100000000101 }, []string{"live.account: Invalid value: 100000000101: this must be text (put it in quotes)"}},
		"abroad":          {"ers-live", func(e dict) { e["region"] = "eu-west-1" }, []string{`region: Invalid value: "eu-west-1": is outside the United Kingdom`}},
		"both sides":      {"ers-live", func(e dict) { e["nonLive"] = dict{"account": "200000000199"} }, []string{"nonLive: Forbidden: live and non-live accounts are fenced off", "nonLive.backupAccount: Required"}},
		"other side":      {"ers-ft1", func(e dict) { e["live"] = e["nonLive"]; delete(e, "nonLive") }, []string{"nonLive: Required value: the class Test is not on the live side", "live: Forbidden: live and non-live"}},
		"patients abroad": {"ers-ft1", func(e dict) { e["dataClass"] = "PatientIdentifiable" }, []string{"dataClass: Invalid value: \"PatientIdentifiable\": patients' data is on the live side only"}},
		"no owner":        {"ers-ft1", func(e dict) { delete(e, "owner") }, []string{"owner: Required value"}},
		"unknown tier":    {"ers-ft1", func(e dict) { e["tier"] = "Gold" }, []string{`tier: Unsupported value: "Gold": supported values: "platinum", "gold", "silver", "bronze"`}},
		"live is bronze":  {"ers-live", func(e dict) { e["tier"] = "silver" }, []string{`tier: Invalid value: "silver": the class Live is gold or platinum`}},
		"live is asleep":  {"ers-live", func(e dict) { e["finance"] = dict{"running": "WorkingHours"} }, []string{`finance.running: Invalid value: "WorkingHours": the class Live never sleeps`}},
		"slow recovery":   {"ers-live", func(e dict) { e["recovery"] = dict{"hours": 8} }, []string{"recovery.hours: Invalid value: 8: the tier gold promises 4 at most"}},
		"one account":     {"ers-live", func(e dict) { part(e, "live")["backupAccount"] = "100000000101" }, []string{"live.backupAccount: Invalid value: \"100000000101\": must be another account"}},
		"cidr":            {"ers-ft1", func(e dict) { part(e, "network")["cidr"] = "10.164.0.0/24" }, []string{`network.cidr: Invalid value: "10.164.0.0/24": must be a /16 to /20`}},
		"public cidr":     {"ers-ft1", func(e dict) { part(e, "network")["cidr"] = "20.1.0.0/16" }, []string{`network.cidr: Invalid value: "20.1.0.0/16": must be within 10.0.0.0/8`}},
		"egress":          {"ers-ft1", func(e dict) { part(e, "network")["egress"] = []any{dict{"cidr": "0.0.0.0/0"}} }, []string{`network.egress[0].cidr: Invalid value: "0.0.0.0/0": must be a /8 or smaller`, "network.egress[0].purpose: Invalid"}},
		"nodes":           {"ers-ft1", func(e dict) { e["cluster"] = dict{"nodesPerZone": 2, "version": "v1.33.1"} }, []string{`cluster.version: Invalid value: "v1.33.1": must be a minor release`, "cluster.mostPerZone: Invalid value: 2: must be more than nodesPerZone (2)"}},
		"types": {"ers-live", func(e dict) {
			e["database"] = dict{"instanceClass": "r6g.large"}
			e["broker"] = dict{"instanceType": "m5"}
		}, []string{`database.instanceClass: Invalid value: "r6g.large"`, `broker.instanceType: Invalid value: "m5"`}},
		"broker of pods": {"ers-ft1", func(e dict) { e["broker"] = dict{"instanceType": "mq.m7g.large"} }, []string{"broker.instanceType: Forbidden: only for kind AmazonMQ"}},
		"logs":           {"ers-ft1", func(e dict) { e["logs"] = dict{"retentionDays": 30} }, []string{"logs.retentionDays: Invalid value: 30: must be one of [365"}},
		"time":           {"ers-ft1", func(e dict) { e["finance"] = dict{"wake": "7:00"} }, []string{`finance.wake: Invalid value: "7:00"`}},
		"backwards":      {"ers-ft1", func(e dict) { e["finance"] = dict{"wake": "20:00"} }, []string{`finance.sleep: Invalid value: "19:00": must be after wake`}},
		"always, asleep": {"ers-integration", func(e dict) { part(e, "finance")["wake"] = "07:00" }, []string{"finance.wake: Forbidden: only for running WorkingHours"}},
		"vault":          {"ers-ft1", func(e dict) { e["recovery"] = dict{"vault": "OtherAccount", "lockAfterDays": 1} }, []string{"nonLive.backupAccount: Required", "recovery.lockAfterDays: Invalid value: 1: must be 3 to 30"}},
		"deployment":     {"ers-ft1", func(e dict) { e["deployment"] = dict{"deployers": []any{"arn:aws:iam::1:role/x"}} }, []string{"deployment.deployers[0]: Invalid", "deployment.stateKey: Required"}},
		"backups":        {"ers-ft1", func(e dict) { e["backups"] = dict{"bucket": "spine"} }, []string{"backups: Forbidden: unknown key"}},
		"file elsewhere": {"ers-ft1", func(e dict) { e["edge"] = dict{"clientAuthoritiesFile": "/etc/ssl/ca.pem"} }, []string{`edge.clientAuthoritiesFile: Invalid value: "/etc/ssl/ca.pem": must be a path within`}},
		"many at once": {"ers-live", func(e dict) {
			e["regoin"], e["region"], e["tier"] = "x", "us-east-1", "diamond"
			delete(e, "owner")
			part(e, "network")["cidr"] = "10.160.0.1/16"
			e["nonLive"] = dict{"account": "200000000199", "backupAccount": "200000000999"}
		}, []string{"regoin: Forbidden", "owner: Required", `tier: Unsupported value: "diamond"`, `region: Invalid value: "us-east-1"`, "nonLive: Forbidden", "network.cidr: Invalid"}},
		"unknown class": {"ers-live", func(e dict) { e["class"] = "Prod" }, []string{`class: Unsupported value: "Prod": supported values: "Live", "Recovery"`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, err := ParseCloud(cloud(t, c.name, c.edit))
			var all *Error
			if !errors.As(err, &all) {
				t.Fatalf("got %v, want problems", err)
			}
			begins(t, all.Problems, c.want)
		})
	}
}

func FuzzDecodeCloud(f *testing.F) {
	f.Add([]byte(`{"name":"x","class":"Live","tier":"gold","live":{"account":"100000000101"},"network":{"cidr":"10.0.0.0/16"}}`))
	f.Add([]byte(`{"class":"Test","nonLive":null,"finance":{"running":"WorkingHours","wake":"25:00"}}`))
	f.Add([]byte(`{"live":{"standbyOf":"x"},"nonLive":{"standbyOf":"x"},"recovery":{"standby":"WarmStandby"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, _, err := ParseCloud(raw)
		if err != nil {
			var all *Error
			if !errors.As(err, &all) || len(all.Problems) == 0 {
				t.Fatalf("an error without problems: %v", err)
			}
			_ = err.Error()
			return
		}
		if errs := c.Validate(); len(errs) > 0 || c.Region != London || (c.Live == nil) == (c.NonLive == nil) {
			t.Fatalf("accepted, yet invalid: %v", errs)
		}
		c.ValidateAmong(map[string]*Cloud{"other": c})
	})
}
