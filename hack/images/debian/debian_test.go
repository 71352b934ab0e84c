// SPDX-License-Identifier: Apache-2.0

package debian

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestChooseMirror(t *testing.T) {
	for name, c := range map[string]struct{ targets, want string }{
		"our release": {
			"http://other.test/ubuntu/ noble main\nhttp://a.test/debian/ bookworm-updates main\nhttp://b.test/debian/ bookworm contrib\nhttp://b.test/debian/ bookworm main\n",
			"http://b.test/debian/",
		},
		"another Debian": {"http://s.test/debian-security/ trixie-security main\nhttp://a.test/debian/ trixie main\n", "http://a.test/debian/"},
		"no Debian":      {"http://other.test/ubuntu/ noble main\n", ""},
		"nothing":        {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := chooseMirror(c.targets, "bookworm")
			if got != c.want || errors.Is(err, ErrNoMirror) != (c.want == "") {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestEnviron(t *testing.T) {
	t.Setenv("http_proxy", "")
	for proxy, want := range map[string]bool{"http://p.test:3128": true, "": false, "DIRECT": false} {
		if got := slices.Contains(Mirror{Proxy: proxy}.environ(), "http_proxy="+proxy) && proxy != ""; got != want {
			t.Errorf("proxy %q: passed on %t", proxy, got)
		}
	}
}

func TestMountsBelow(t *testing.T) {
	table := `22 1 254:0 / / rw - ext4 /dev/vda rw
40 22 0:5 / /cache/rootfs/.making-1/proc rw - proc proc rw
41 40 0:6 / /cache/rootfs/.making-1/proc/sys/fs rw - proc proc rw
42 22 0:7 / /cache/rootfs/.making-12/proc rw - proc proc rw
43 22 0:8 / /cache/rootfs/.making-1/with\040blank rw - tmpfs tmpfs rw
`
	got := mountsBelow(table, "/cache/rootfs/.making-1")
	want := []string{"/cache/rootfs/.making-1/proc/sys/fs", "/cache/rootfs/.making-1/with blank", "/cache/rootfs/.making-1/proc"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFollow(t *testing.T) {
	var told []string
	last := follow(strings.NewReader("I: Retrieving a\nI: Extracting b\nI: Retrieving c\nI: Unpacking d\nW: Failure e\n"), func(s string) { told = append(told, s) })
	if want := []string{"retrieving", "extracting", "unpacking"}; !slices.Equal(told, want) {
		t.Errorf("told %v", told)
	}
	if last[len(last)-1] != "W: Failure e" {
		t.Errorf("last words %v", last)
	}
}

func TestFinish(t *testing.T) {
	dir := t.TempDir()
	make := func(name string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("of the build machine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"etc/ssh/ssh_host_rsa_key", "etc/hostname", "etc/resolv.conf", "etc/apt/sources.list", "etc/passwd",
		"etc/systemd/system/multi-user.target.wants/keepalived.service", "etc/systemd/system/multi-user.target.wants/ssh.service",
	} {
		make(name)
	}
	if err := Hosts.finish(dir); err == nil || !strings.Contains(err.Error(), "/sbin/init") {
		t.Errorf("a system without init must be refused, got %v", err)
	}
	for _, name := range Hosts.Needs {
		make(name)
	}
	if err := Hosts.finish(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"etc/ssh/ssh_host_rsa_key": "-", "etc/hostname": "-", "etc/resolv.conf": "", "etc/apt/sources.list": sources,
		"etc/passwd": "of the build machine",
		"etc/systemd/system/multi-user.target.wants/keepalived.service": "-",
		"etc/systemd/system/multi-user.target.wants/ssh.service":        "of the build machine",
	} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if want == "-" {
			if !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is still there", name)
			}
		} else if string(got) != want {
			t.Errorf("%s holds %q", name, got)
		}
	}
}

func TestDirDependsOnWhatIsInIt(t *testing.T) {
	dirs := map[string]string{}
	for name, change := range map[string]func(*System){
		"unchanged": func(*System) {},
		"packages":  func(s *System) { s.Packages = append(slices.Clone(s.Packages), "zsh") },
		"suite":     func(s *System) { s.Suite = "sid" },
		"files":     func(s *System) { s.Files = map[string]string{"etc/x": "y"} },
		"excludes":  func(s *System) { s.Excludes = []string{"/usr/lib/*"} },
		"includes":  func(s *System) { s.Includes = nil },
		"recipe":    func(s *System) { s.recipe = "another" },
	} {
		system := PostgreSQL
		change(&system)
		dir := system.Dir("/c")
		if other, ok := dirs[dir]; ok {
			t.Errorf("%s and %s have the same folder", name, other)
		}
		dirs[dir] = name
	}
}

func TestPackagesAreSorted(t *testing.T) {
	for _, s := range []System{Hosts, PostgreSQL, RabbitMQ} {
		if !slices.IsSorted(s.Packages) {
			t.Errorf("packages of %s are not sorted", s.Name)
		}
	}
}

func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	undo, err := PostgreSQL.prepare(dir)
	if err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(dir, "etc/dpkg/dpkg.cfg.d/build")
	if data, err := os.ReadFile(settings); err != nil || !strings.Contains(string(data), "path-exclude=/usr/lib/*/libLLVM*\n") {
		t.Errorf("settings: %q, %v", data, err)
	}
	// dpkg goes by the last pattern that matches.
	data, err := os.ReadFile(settings)
	if exclude, include, found := strings.Cut(string(data), "path-include="+botocore+"s3/*\n"); err != nil || !found ||
		!strings.Contains(exclude, "path-exclude="+botocore+"*\n") || strings.Contains(include, "path-exclude") {
		t.Errorf("what is left of a folder must come after the folder: %q, %v", data, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "usr/sbin/policy-rc.d")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("policy-rc.d: %v, %v", info, err)
	}
	if err := undo(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(settings); !errors.Is(err, os.ErrNotExist) {
		t.Error("the build's settings are still there")
	}
}

func TestCheckUsers(t *testing.T) {
	dir := t.TempDir()
	if err := write(filepath.Join(dir, "etc/passwd"), "root:x:0:0::/:\npostgres:x:101:26::/:\n"); err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string]string{"root": "", "postgres": `number "101" instead of 0`, "rabbitmq": `number "" instead of 0`} {
		err := checkUsers(dir, map[string]int{user: 0})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", user, err, want)
		}
	}
}

func FuzzChooseMirror(f *testing.F) {
	f.Add("http://a.test/debian/ bookworm main\n")
	f.Add("x y\nhttp://a.test/debian/ trixie main")
	f.Fuzz(func(t *testing.T, targets string) {
		uri, err := chooseMirror(targets, "bookworm")
		if (uri == "") != (err != nil) || !strings.Contains(targets, uri) {
			t.Errorf("chose %q, %v", uri, err)
		}
	})
}

func FuzzMountsBelow(f *testing.F) {
	f.Add("40 22 0:5 / /d/proc rw - proc proc rw\n")
	f.Fuzz(func(t *testing.T, table string) {
		for _, p := range mountsBelow(table, "/d") {
			if p != "/d" && !strings.HasPrefix(p, "/d/") {
				t.Errorf("%q is not below /d", p)
			}
		}
	})
}
