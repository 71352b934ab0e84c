// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// archived is the local environment with the edited backups.
func archived(t *testing.T, edit func(env, backups dict)) []byte {
	t.Helper()
	return local(t, func(env dict) { edit(env, part(env, "backups")) })
}

func TestBackupProblems(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(env, backups dict)
		want []string // each begins one problem, in this order
	}{
		"empty": {func(e, _ dict) { e["backups"] = dict{} }, []string{
			"backups.endpoint: Required value", "backups.bucket: Required value", "backups.networks: Required value",
			"backups.credentialsFile: Required value", "backups.caFile: Required value",
		}},
		"unknown key":        {func(_, b dict) { b["retention"] = 7 }, []string{`backups.retention: Forbidden: unknown key; did you mean "retentionDays"?`}},
		"nothing to archive": {func(e, _ dict) { delete(e, "messaging"); delete(e, "booking") }, []string{"backups: Forbidden: there is no database to archive without messaging"}},
		"several": {func(_, b dict) {
			b["endpoint"], b["bucket"], b["networks"], b["retentionDays"] = "http://10.90.0.1:9000", "Spine", []any{"10.90.0.1"}, 366
			b["credentialsFile"], b["caFile"] = "object-store.json", "./ca.crt"
		}, []string{
			`backups.endpoint: Invalid value: "http://10.90.0.1:9000": must be https://`, `backups.bucket: Invalid value: "Spine"`,
			`backups.networks[0]: Invalid value: "10.90.0.1": must be an IPv4 network`, `backups.credentialsFile: Invalid value: "object-store.json": must begin with`,
			"backups.caFile: Invalid value", "backups.retentionDays: Invalid value: 366: must be 1 to 365",
		}},
		"negative days": {func(_, b dict) { b["retentionDays"] = -1 }, []string{"backups.retentionDays: Invalid value: -1"}},
		"a name that nobody knows": {func(_, b dict) { b["endpoint"] = "https://store.example" },
			[]string{`backups.endpoint: Invalid value: "https://store.example": nobody at the site knows this name: give an address, or site.nameservers`}},
		"a name without networks": {func(e, b dict) {
			part(e, "site")["nameservers"] = []any{"10.90.0.1"}
			b["endpoint"] = "https://store.example"
			delete(b, "networks")
		}, []string{"backups.networks: Required value"}},
		"networks elsewhere": {func(_, b dict) { b["networks"] = []any{"192.0.2.0/24", "10.90.0.2/32"} },
			[]string{`backups.networks: Invalid value: "192.0.2.0/24, 10.90.0.2/32": must hold the address of endpoint`}},
		"pods and services": {func(_, b dict) { b["networks"] = []any{"10.90.0.1/32", "10.244.7.0/24", "10.96.0.0/12"} }, []string{
			`backups.networks[1]: Invalid value: "10.244.7.0/24": overlaps kubernetes.podCIDR`, `backups.networks[2]: Invalid value: "10.96.0.0/12": overlaps kubernetes.serviceCIDR`,
		}},
		"everywhere":      {func(_, b dict) { b["networks"] = []any{"0.0.0.0/0"} }, []string{"backups.networks[0]: Invalid value", "backups.networks[0]: Invalid value"}},
		"a network twice": {func(_, b dict) { b["networks"] = []any{"10.90.0.1/32", "10.90.0.1/32"} }, []string{`backups.networks[1]: Duplicate value: "10.90.0.1/32"`}},
		"host bits":       {func(_, b dict) { b["networks"] = []any{"10.90.0.1/24"} }, []string{`backups.networks[0]: Invalid value: "10.90.0.1/24": has bits set`}},
		"too many networks": {func(_, b dict) {
			b["networks"] = []any{"10.90.0.1/32", "10.91.0.0/24", "10.92.0.0/24", "10.93.0.0/24", "10.94.0.0/24", "10.95.0.0/24", "10.97.0.0/24", "10.98.0.0/24", "10.99.0.0/24"}
		}, []string{"backups.networks: Too many: 9: must have at most 8 items"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(archived(t, c.edit))
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

func TestStoreEndpoints(t *testing.T) {
	for endpoint, host := range map[string]string{
		"https://10.90.0.1:9000": "10.90.0.1", "https://10.90.0.1": "10.90.0.1", "https://store-1.example:443": "store-1.example", "https://store": "store",
		"https://10.90.0.1:9000/": "", "https://10.90.0.1/spine": "", "https://10.90.0.1?x=1": "", "https://10.90.0.1#x": "", "https://10.90.0.1:": "",
		"https://10.90.0.1:0": "", "https://10.90.0.1:65536": "", "https://10.90.0.1:x": "", "https://10.90.0.300": "", "https://10.90.1": "", "https://store.1": "",
		"https://[::1]": "", "https://[fd00::1]:9000": "", "https://": "", "https://:9000": "", "HTTPS://store": "", "https://Store": "", "https://key:word@store": "",
		"10.90.0.1:9000": "", "store": "", "s3://store": "", "": "", "https://a b": "", "%": "",
	} {
		if got, ok := storeHost(endpoint); ok != (host != "") || ok && got != host {
			t.Errorf("%q: the host is %q, %t; want %q", endpoint, got, ok, host)
		}
	}
}

func TestBuckets(t *testing.T) {
	for name, fine := range map[string]bool{
		"spine": true, "abc": true, "spine.east-1": true, "1-2": true, strings.Repeat("x", 63): true,
		"ab": false, strings.Repeat("x", 64): false, "Spine": false, "spine_east": false, "-spine": false, "spine-": false, "a..b": false, "a.-b": false,
		"10.90.0.1": false, "xn--spine": false, "sthree-spine": false, "spine-s3alias": false, "spine--x-s3": false, "spine/east": false, "": false,
	} {
		if errs := bucket(nil, name); (len(errs) == 0) != fine {
			t.Errorf("%q: %v", name, errs)
		}
	}
}

// A key that somebody wrote into the address is not repeated where others read it.
func TestKeysInAddressesAreNotShown(t *testing.T) {
	for _, endpoint := range []string{"https://hidden-key:hidden-word@10.90.0.1:9000", "https://hidden-key:%zz@10.90.0.1", "hidden-key@store"} {
		_, err := Parse(archived(t, func(_, b dict) { b["endpoint"] = endpoint }))
		if err == nil || strings.Contains(err.Error(), "hidden-") || !strings.Contains(err.Error(), "must not name a user") {
			t.Errorf("got %v", err)
		}
	}
}

func TestBackupDefaults(t *testing.T) {
	for name, c := range map[string]struct {
		edit     func(env, backups dict)
		networks []string
		days     int
	}{
		"as given":   {func(dict, dict) {}, []string{"10.90.0.1/32"}, 7},
		"an address": {func(_, b dict) { delete(b, "networks"); delete(b, "retentionDays") }, []string{"10.90.0.1/32"}, 30},
		"a name": {func(e, b dict) {
			part(e, "site")["nameservers"] = []any{"10.90.0.1"}
			b["endpoint"], b["networks"] = "https://store.example", []any{"192.0.2.0/24", "198.51.100.0/24"}
		}, []string{"192.0.2.0/24", "198.51.100.0/24"}, 7},
	} {
		t.Run(name, func(t *testing.T) {
			env, err := Parse(archived(t, c.edit))
			if err != nil {
				t.Fatal(err)
			}
			if b := env.Backups; !slices.Equal(b.Networks, c.networks) || b.RetentionDays != c.days {
				t.Errorf("got %+v", b)
			}
		})
	}
	env, err := Parse(local(t, func(env dict) { delete(env, "backups") }))
	if err != nil || env.Backups != nil {
		t.Errorf("a site without backups: %+v, %v", env, err)
	}
}

// Each of two sites may have a store of its own.
func TestBackupsOfAPair(t *testing.T) {
	env, err := Parse(paired(t, func(e, _ dict) {
		e["backups"] = dict{"endpoint": "https://10.97.0.1:9000", "bucket": "spine-east", "credentialsFile": "~/key.json", "caFile": "~/ca.crt"}
	}))
	if err != nil || !slices.Equal(env.Backups.Networks, []string{"10.97.0.1/32"}) {
		t.Errorf("%+v, %v", env, err)
	}
}

// What an effective configuration shows of a default is marked as one.
func TestBackupsExplained(t *testing.T) {
	values, err := Explain(KindBaremetalSite, archived(t, func(_, b dict) { delete(b, "networks"); delete(b, "retentionDays") }))
	if err != nil {
		t.Fatal(err)
	}
	origins := map[string]Origin{}
	for _, v := range values {
		origins[v.Path] = v.Origin
	}
	for path, want := range map[string]Origin{"backups.endpoint": OriginFile, "backups.networks": OriginDefault, "backups.retentionDays": OriginDefault} {
		if origins[path] != want {
			t.Errorf("%s comes from %q, want %q", path, origins[path], want)
		}
	}
}
