// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
	"spine.nhs.uk/controlplane/hack/rack/internal/network"
	"spine.nhs.uk/controlplane/hack/rack/internal/pki"
	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
)

func home(t *testing.T) {
	t.Helper()
	t.Setenv("SPINE_HOME", t.TempDir())
	t.Setenv("SPINE_CACHE", t.TempDir())
}

func TestBuiltinsAreValidAndApart(t *testing.T) {
	subnets := map[string]string{}
	for _, name := range BuiltinNames() {
		r, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		if r.Name != name {
			t.Errorf("%s.yaml defines rack %s", name, r.Name)
		}
		for _, s := range r.Sites {
			if other, ok := subnets[s.Subnet]; ok {
				t.Errorf("racks %s and %s share %s", name, other, s.Subnet)
			}
			subnets[s.Subnet] = name
		}
	}
	if len(subnets) < 2 {
		t.Errorf("only %v", subnets)
	}
	if _, err := Builtin("x"); err == nil || !strings.Contains(err.Error(), "local; give a file of your own") {
		t.Errorf("unknown rack: %v", err)
	}
}

func TestOpen(t *testing.T) {
	home(t)
	if r, err := Open("local"); err != nil || r.Exists {
		t.Fatalf("%+v, %v", r, err)
	}
	var notUp *NotUpError
	if _, err := OpenRunning("local"); !errors.As(err, &notUp) {
		t.Fatalf("a rack that is not up: %v", err)
	}
	r, err := ForUp("local")
	if err != nil {
		t.Fatal(err)
	}
	if r.Def, err = Builtin("local"); err != nil {
		t.Fatal(err)
	}
	if err := r.ensureIdentity(time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := r.writeDefinition(); err != nil {
		t.Fatal(err)
	}
	if again, err := OpenRunning("local"); err != nil || len(again.Machines()) != 4 {
		t.Errorf("%+v, %v", again, err)
	}
	if names, err := Names(); err != nil || len(names) != 1 {
		t.Errorf("racks %v, %v", names, err)
	}
	if _, err := r.Machine("x"); err == nil || !strings.Contains(err.Error(), "there are a, b, c, d") {
		t.Errorf("unknown host: %v", err)
	}
	// A damaged definition must not keep the rack from being taken down.
	if err := os.WriteFile(r.Folder.Definition(), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRunning("local"); err == nil {
		t.Error("a damaged definition is opened")
	}
	if down, err := ForDown("local"); err != nil || down.Def.Name != "local" {
		t.Errorf("%+v, %v", down, err)
	}
}

func TestIdentityStays(t *testing.T) {
	home(t)
	r, err := ForUp("local")
	if err != nil {
		t.Fatal(err)
	}
	if r.Def, err = Builtin("local"); err != nil {
		t.Fatal(err)
	}
	files := []string{r.Folder.SSHKey(), r.Folder.SSHPublic(), r.Folder.CACert(), r.Folder.CAKey(), r.Folder.BMCPassword(), r.Folder.KnownHosts(), r.Folder.ObjectStore()}
	before := map[string]string{}
	for range 2 {
		if err := r.ensureIdentity(time.Now()); err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if was, ok := before[file]; ok && was != string(data) {
				t.Errorf("%s changed", file)
			}
			before[file] = string(data)
		}
	}
	for _, file := range []string{r.Folder.SSHKey(), r.Folder.CAKey(), r.Folder.BMCPassword(), r.Folder.ObjectStore()} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	if _, err := knownhosts.New(r.Folder.KnownHosts()); err != nil {
		t.Error(err)
	}
	if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(before[r.Folder.SSHPublic()])); err != nil {
		t.Error(err)
	}
	if lines := strings.Split(strings.TrimSpace(before[r.Folder.KnownHosts()]), "\n"); len(lines) != 4 || !strings.HasPrefix(lines[0], "10.90.0.11 ssh-ed25519 AAAA") {
		t.Errorf("known hosts %q", lines)
	}
	if _, err := pki.LoadCA(r.Folder.CACert(), r.Folder.CAKey()); err != nil {
		t.Error(err)
	}
}

func TestAdopt(t *testing.T) {
	local, err := Builtin("local")
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(*spec.Rack)) spec.Rack {
		c := local
		c.Sites = []spec.Site{local.Sites[0]}
		c.Sites[0].Hosts = append([]spec.Host(nil), local.Sites[0].Hosts...)
		f(&c)
		return c
	}
	cases := map[string]struct {
		def  spec.Rack
		want string
	}{
		"the same":     {local, ""},
		"more memory":  {change(func(r *spec.Rack) { r.Sites[0].Hosts[0].MemoryMiB = 8192 }), ""},
		"a new host":   {change(func(r *spec.Rack) { r.Sites[0].Hosts = append(r.Sites[0].Hosts, spec.Host{Name: "e"}) }), ""},
		"a host less":  {change(func(r *spec.Rack) { r.Sites[0].Hosts = r.Sites[0].Hosts[1:] }), "host a is gone"},
		"new address":  {change(func(r *spec.Rack) { r.Sites[0].Hosts[1].Address = "10.90.0.99" }), "host b has another address"},
		"other subnet": {change(func(r *spec.Rack) { r.Sites[0].Subnet = "10.80.0.0/24" }), "host d stands in another site"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := &Rack{Def: local, Exists: true}
			err := r.adopt(c.def)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if err != nil && len(r.Def.Hosts()) != 4 {
				t.Error("a refused definition was taken over")
			}
		})
	}
	r := &Rack{}
	if err := r.adopt(cases["a host less"].def); err != nil || len(r.Def.Hosts()) != 3 {
		t.Errorf("a rack that does not exist takes any: %v", err)
	}
}

func TestStatusOfRackThatIsNotUp(t *testing.T) {
	home(t)
	r, err := Open("local")
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Status(t.Context(), "admin")
	if err != nil || s.Up || len(s.Hosts) != 4 || s.Hosts[0].Power != "Off" || s.Sites[0].Registry != "10.90.0.1:5000" ||
		s.Sites[0].ObjectStore != "10.90.0.1:9000" || s.Sites[0].Bucket != "spine" || s.ObjectStore.Credentials != r.Folder.ObjectStore() {
		t.Errorf("%+v, %v", s, err)
	}
	if s.Partitions == nil || len(s.Partitions) > 0 {
		t.Errorf("partitions %v", []network.Cut(s.Partitions))
	}
}
