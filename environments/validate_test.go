// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

type dict = map[string]any

func host(env dict, i int) dict { return env["hosts"].([]any)[i].(dict) }
func part(env dict, name string) dict {
	if _, ok := env[name]; !ok {
		env[name] = dict{}
	}
	return env[name].(dict)
}

const anotherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdGaFKEzvPRI6mVWZEmwxyBRMQVlRXBjOGFWtGzMEzq"

func TestProblems(t *testing.T) {
	cases := map[string]struct {
		edit func(env dict)
		want []string // each begins one problem, in this order
	}{
		"unknown key":        {func(e dict) { e["hots"] = 1 }, []string{`hots: Forbidden: unknown key; did you mean "hosts"?`}},
		"unknown nested key": {func(e dict) { host(e, 1)["adress"] = "x" }, []string{`hosts[1].adress: Forbidden: unknown key; did you mean "address"?`}},
		"strange key":        {func(e dict) { part(e, "edge")["colour"] = "red" }, []string{"edge.colour: Forbidden: unknown key; known keys here: address"}},
		"number for text":    {func(e dict) { part(e, "kubernetes")["version"] = 1.36 }, []string{"kubernetes.version: Invalid value: 1.36: this must be text (put it in quotes), not the number 1.36"}},
		"text for number":    {func(e dict) { part(e, "ssh")["port"] = "22" }, []string{`ssh.port: Invalid value: "22": this must be a whole number, not text`}},
		"fraction":           {func(e dict) { part(e, "ssh")["port"] = 22.5 }, []string{"ssh.port: Invalid value: 22.5: this must be a whole number"}},
		"mapping for list":   {func(e dict) { e["hosts"] = dict{"a": 1} }, []string{"hosts: Invalid value: "}},
		"empty for mapping":  {func(e dict) { host(e, 0)["bmc"] = nil }, []string{"hosts[0].bmc: Invalid value: null: this must be a mapping of keys to values, not empty", "hosts[0].bmc.address: Required"}},
		"two hosts, one address": {func(e dict) { host(e, 2)["address"] = "10.90.0.11" },
			[]string{`hosts[2].address: Invalid value: "10.90.0.11": this is the address of host a too`}},
		"two hosts, one name":  {func(e dict) { host(e, 1)["name"] = "a" }, []string{`hosts[1].name: Duplicate value: "a"`}},
		"outside the subnet":   {func(e dict) { host(e, 0)["address"] = "10.91.0.11" }, []string{`hosts[0].address: Invalid value: "10.91.0.11": must be an address of site.subnet 10.90.0.0/24`}},
		"broadcast":            {func(e dict) { host(e, 0)["address"] = "10.90.0.255" }, []string{"hosts[0].address: Invalid value"}},
		"not an address":       {func(e dict) { host(e, 0)["address"] = "10.90.0.300" }, []string{`hosts[0].address: Invalid value: "10.90.0.300": must be an IPv4 address`}},
		"endpoint is a host":   {func(e dict) { part(e, "endpoint")["address"] = "10.90.0.12" }, []string{"endpoint.address: Invalid value: \"10.90.0.12\": this is the address of host b"}},
		"edge is the endpoint": {func(e dict) { part(e, "edge")["address"] = "10.90.0.100" }, []string{"edge.address: Invalid value: \"10.90.0.100\": this is the address of endpoint.address"}},
		"BMC is a host":        {func(e dict) { part(host(e, 2), "bmc")["address"] = "10.90.0.11" }, []string{"hosts[2].bmc.address: Invalid value: \"10.90.0.11\": this is the address of host a"}},
		"BMC's certificate":    {func(e dict) { part(host(e, 2), "bmc")["certificateSHA256"] = "00:11" }, []string{"hosts[2].bmc.certificateSHA256: Invalid value: \"00:11\": must be the 32 bytes"}},
		"no BMC's authority": {func(e dict) { delete(part(e, "management"), "caFile") }, []string{"hosts[0].bmc.certificateSHA256: Required value: give it, or management.caFile",
			"hosts[1].bmc.certificateSHA256: Required", "hosts[2].bmc.certificateSHA256: Required"}},
		"management": {func(e dict) {
			m := part(e, "management")
			m["user"], m["passwordFile"], m["authentication"] = "ad min", "password", "None"
		}, []string{`management.user: Invalid value: "ad min"`, `management.passwordFile: Invalid value`, `management.authentication: Unsupported value: "None"`}},
		"one router ID": {func(e dict) { part(e, "site")["subnet"] = "10.90.0.0/23"; part(e, "edge")["address"] = "10.90.1.100" }, []string{"edge.address: Invalid value: \"10.90.1.100\": must differ from endpoint.address in its last byte"}},
		"no router ID":  {func(e dict) { part(e, "site")["subnet"] = "10.90.0.0/23"; part(e, "edge")["address"] = "10.90.1.0" }, []string{"edge.address: Invalid value: \"10.90.1.0\": its last byte"}},
		"unknown role":  {func(e dict) { host(e, 0)["role"] = "Master" }, []string{`hosts[0].role: Unsupported value: "Master": supported values: "ControlPlane", "Worker"`}},
		"no control plane": {func(e dict) {
			for i := range 3 {
				host(e, i)["role"] = "Worker"
			}
		}, []string{"hosts: Invalid value: \"3 hosts\": at least one host needs the role ControlPlane"}},
		"no hosts":               {func(e dict) { e["hosts"] = []any{} }, []string{"hosts: Required value"}},
		"nameserver by name":     {func(e dict) { part(e, "site")["nameservers"] = []any{"10.0.0.1", "dns"} }, []string{`site.nameservers[1]: Invalid value: "dns"`}},
		"cut host key":           {func(e dict) { host(e, 0)["hostKey"] = anotherKey[:40] }, []string{"hosts[0].hostKey: Invalid value"}},
		"wrong type of host key": {func(e dict) { host(e, 0)["hostKey"] = strings.Replace(anotherKey, "ssh-ed25519", "ssh-rsa", 1) }, []string{"hosts[0].hostKey: Invalid value"}},
		"private key":            {func(e dict) { host(e, 0)["hostKey"] = "-----BEGIN OPENSSH PRIVATE KEY-----" }, []string{"hosts[0].hostKey: Invalid value"}},
		"no host key": {func(e dict) {
			delete(part(e, "ssh"), "knownHostsFile")
			host(e, 1)["hostKey"] = anotherKey
			host(e, 2)["role"] = "Worker"
		}, []string{"hosts[0].hostKey: Required value", "hosts[2].hostKey: Required value"}},
		"little memory":            {func(e dict) { host(e, 0)["requirements"] = dict{"memoryMiB": 512} }, []string{"hosts[0].requirements.memoryMiB: Invalid value: 512: must be 1700 to 16777216"}},
		"version without patch":    {func(e dict) { part(e, "kubernetes")["version"] = "v1.36" }, []string{"kubernetes.version: Invalid value: \"v1.36\": must be an exact release such as v1.36.3"}},
		"no version":               {func(e dict) { delete(part(e, "kubernetes"), "version") }, []string{"kubernetes.version: Required value"}},
		"overlap":                  {func(e dict) { part(e, "kubernetes")["serviceCIDR"] = "10.244.128.0/20" }, []string{`kubernetes.serviceCIDR: Invalid value: "10.244.128.0/20": overlaps kubernetes.podCIDR 10.244.0.0/16`}},
		"overlap with the site":    {func(e dict) { part(e, "kubernetes")["podCIDR"] = "10.90.0.0/16" }, []string{`kubernetes.podCIDR: Invalid value: "10.90.0.0/16": overlaps site.subnet 10.90.0.0/24`, "backups.networks[0]: Invalid value"}},
		"host bits":                {func(e dict) { part(e, "kubernetes")["podCIDR"] = "10.244.1.0/16" }, []string{`kubernetes.podCIDR: Invalid value: "10.244.1.0/16": has bits set beyond its length: did you mean 10.244.0.0/16?`}},
		"few pod addresses":        {func(e dict) { part(e, "kubernetes")["podCIDR"] = "10.244.0.0/23" }, []string{"kubernetes.podCIDR: Invalid value: \"10.244.0.0/23\": too small: 3 hosts take a /24 each"}},
		"IPv6":                     {func(e dict) { part(e, "kubernetes")["podCIDR"] = "fd00::/48" }, []string{"kubernetes.podCIDR: Invalid value: \"fd00::/48\": must be an IPv4 network"}},
		"registry with scheme":     {func(e dict) { part(e, "registry")["host"] = "https://10.90.0.1:5000" }, []string{"registry.host: Invalid value"}},
		"mirror twice":             {func(e dict) { part(e, "registry")["mirrors"] = []any{"m:5000", "m:5000"} }, []string{`registry.mirrors[1]: Duplicate value: "m:5000"`}},
		"relative file":            {func(e dict) { part(e, "registry")["caFile"] = "ca.crt" }, []string{`registry.caFile: Invalid value: "ca.crt": must begin with "/" or "~/"`}},
		"unknown CNI":              {func(e dict) { part(e, "network")["cni"] = "calico" }, []string{`network.cni: Unsupported value: "calico": supported values: "kube-router", "custom"`}},
		"manifests without custom": {func(e dict) { part(e, "network")["manifests"] = []any{"x.yaml"} }, []string{"network.manifests: Forbidden: only for cni custom"}},
		"custom without manifests": {func(e dict) { part(e, "network")["cni"] = "custom" }, []string{"network.manifests: Required value"}},
		"manifests elsewhere": {func(e dict) {
			e["network"] = dict{"cni": "custom", "manifests": []any{"../x.yaml"}, "images": []any{"calico"}}
		}, []string{"network.manifests[0]: Invalid value", "network.images[0]: Invalid value"}},
		"storage at the root": {func(e dict) { part(e, "storage")["path"] = "/data" }, []string{"storage.path: Invalid value"}},
		"storage in etcd":     {func(e dict) { part(e, "storage")["path"] = "/var/lib/etcd/volumes" }, []string{`storage.path: Invalid value: "/var/lib/etcd/volumes": must not be in /var/lib/etcd`}},
		"quick election":      {func(e dict) { part(e, "timings")["etcdElectionMs"] = 500 }, []string{"timings.etcdElectionMs: Invalid value: 500: must be 5 to 50 times etcdHeartbeatMs"}},
		"two racks":           {func(e dict) { host(e, 1)["rack"] = "r1" }, []string{"messaging: Forbidden: its database has 3 members in as many racks, and hosts are in 2", "booking: Forbidden"}},
		"booking alone":       {func(e dict) { delete(e, "messaging"); delete(e, "backups") }, []string{"booking: Forbidden: booking sends its events through messaging"}},
		"catalogue elsewhere": {func(e dict) { part(e, "messaging")["catalogueFile"] = "/etc/x.yaml" }, []string{`messaging.catalogueFile: Invalid value: "/etc/x.yaml": must be a path within`}},
		"one replica":         {func(e dict) { part(part(e, "messaging"), "gateway")["replicas"] = 1 }, []string{"messaging.gateway.replicas: Invalid value: 1: must be 2 to 20"}},
		"small members": {func(e dict) {
			part(part(e, "messaging"), "broker")["memoryMiB"] = 64
			part(part(e, "booking"), "database")["storageGiB"] = -1
		}, []string{"messaging.broker.memoryMiB: Invalid value: 64", "booking.database.storageGiB: Invalid value: -1"}},
		"no tokens": {func(e dict) { part(e, "booking")["tokens"] = dict{} }, []string{"booking.tokens.issuer: Required value", "booking.tokens.keysFile: Required value"}},
		"providers": {func(e dict) { part(e, "booking")["providers"] = dict{"networks": []any{"10.0.0.1/8"}, "port": 70000} },
			[]string{`booking.providers.networks[0]: Invalid value: "10.0.0.1/8"`, "booking.providers.port: Invalid value: 70000", "booking.providers.caFile: Required value"}},
		"purpose":  {func(e dict) { e["purpose"] = strings.Repeat("x", 161) }, []string{"purpose: Too long: may not be more than 160 bytes"}},
		"class":    {func(e dict) { e["class"] = "Prod" }, []string{`class: Unsupported value: "Prod"`}},
		"activity": {func(e dict) { part(e, "booking")["activity"] = "Dozing" }, []string{`booking.activity: Unsupported value: "Dozing"`}},
		"asleep where patients are served": {func(e dict) { e["class"] = "Recovery"; part(e, "booking")["activity"] = "Asleep" },
			[]string{`booking.activity: Invalid value: "Asleep": an environment of class Recovery does not sleep`}},
		"asleep where nobody says": {func(e dict) { delete(e, "class"); part(e, "booking")["activity"] = "Asleep" },
			[]string{`booking.activity: Invalid value: "Asleep": an environment of class Live does not sleep`}},
		"working hours where patients are served": {func(e dict) { e["class"] = "Live"; part(e, "booking")["activity"] = "WorkingHours" },
			[]string{`booking.activity: Invalid value: "WorkingHours": an environment of class Live does not sleep`}},
		"working hours": {func(e dict) {
			part(e, "booking")["activity"], part(e, "booking")["wake"], part(e, "booking")["sleep"] = "WorkingHours", "7:00", "19:00"
		}, []string{`booking.wake: Invalid value: "7:00": must be a time of day in quotes, such as "07:00"`}},
		"working hours backwards": {func(e dict) { part(e, "booking")["activity"], part(e, "booking")["wake"] = "WorkingHours", "20:00" },
			[]string{`booking.sleep: Invalid value: "19:00": must be after wake`}},
		"hours of one that is awake": {func(e dict) { part(e, "booking")["sleep"] = "19:00" }, []string{"booking.sleep: Forbidden: only for activity WorkingHours"}},
		"host names":                 {func(e dict) { part(e, "booking")["hostNames"] = []any{"ers.example", "Not A Name"} }, []string{`booking.hostNames[1]: Invalid value: "Not A Name"`}},
		"long name":                  {func(e dict) { e["name"] = strings.Repeat("x", 21) }, []string{"name: Too long"}},
		"upper case":                 {func(e dict) { e["owner"] = "Platform" }, []string{"owner: Invalid value"}},
		"several": {func(e dict) {
			e["nmae"] = "x"
			delete(e, "name")
			host(e, 0)["role"] = "x"
			part(e, "ssh")["port"] = 0.5
		},
			[]string{"nmae: Forbidden", "ssh.port: Invalid value: 0.5", "name: Required value", "hosts[0].role: Unsupported value"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(local(t, c.edit))
			var all *Error
			if !errors.As(err, &all) {
				t.Fatalf("got %v, want problems", err)
			}
			if len(all.Problems) != len(c.want) {
				t.Fatalf("%d problems, want %d:\n%v", len(all.Problems), len(c.want), err)
			}
			for i, p := range all.Problems {
				if !strings.HasPrefix(p.Error(), c.want[i]) {
					t.Errorf("problem %d is\n  %s\nwant\n  %s", i, p, c.want[i])
				}
			}
			for line := range strings.Lines(err.Error()) {
				if n := utf8.RuneCountInString(strings.TrimSpace(line)); n > reportWidth && strings.Count(line, " ") > 6 {
					t.Errorf("line of %d columns: %s", n, line)
				}
			}
		})
	}
}

func TestNotJSON(t *testing.T) {
	for _, raw := range []string{"", "{", `{"name":`, `{} {}`, "[]", "null", `"text"`, "{\"name\":\"a\",\"name\":\"b\"}"} {
		if _, errs := Decode([]byte(raw)); len(errs) == 0 {
			t.Errorf("%q was accepted", raw)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"name":"local","hosts":[{"name":"a","bmc":{"address":"10.0.0.1"}}],"ssh":{"port":22}}`))
	f.Add([]byte(`{"name":1,"hosts":{},"ssh":null}`))
	f.Add([]byte(`[[[`))
	f.Add([]byte(`{"site":{"subnet":"0.0.0.0/0"},"kubernetes":{"podCIDR":"0.0.0.0/0"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		env, err := Parse(raw)
		if err != nil {
			var all *Error
			if !errors.As(err, &all) || len(all.Problems) == 0 {
				t.Fatalf("an error without problems: %v", err)
			}
			_ = err.Error()
			return
		}
		if errs := env.Validate(); len(errs) > 0 || len(env.Hosts) == 0 {
			t.Fatalf("accepted, yet invalid: %v", errs)
		}
		env.Warnings()
	})
}
