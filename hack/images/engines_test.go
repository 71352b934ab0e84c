// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/hack/images/debian"
	"spine.nhs.uk/controlplane/infra/platform"
)

func TestTree(t *testing.T) {
	root := system(t, map[string]string{"usr/bin/su": "#!", "usr/bin/sh": "-> bash", "etc/passwd": "root"})
	if err := os.Chmod(filepath.Join(root, "usr/bin/su"), 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(root, "tmp"), 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	layer, err := tree(root)
	if err != nil {
		t.Fatal(err)
	}
	modes := map[string]int64{}
	for _, f := range layer {
		modes[f.Path] = f.Mode
		if f.UID != os.Getuid() || f.GID != os.Getgid() {
			t.Errorf("%s belongs to %d:%d", f.Path, f.UID, f.GID)
		}
	}
	if got := modes["/usr/bin/su"]; got != 0o755 {
		t.Errorf("a program may run as its owner: mode %o", got)
	}
	if got := modes["/tmp"]; got != 0o1777 {
		t.Errorf("/tmp has mode %o", got)
	}
	if got := paths(layer); got != "/etc /etc/passwd /tmp /usr /usr/bin /usr/bin/sh->bash /usr/bin/su" {
		t.Errorf("the layer holds %s", got)
	}
}

func TestOwnersAreInTheLayerAndItsKey(t *testing.T) {
	layer := Layer{{Path: "/data", Dir: true, Mode: 0o755}}
	before, err := layer.Key()
	if err != nil {
		t.Fatal(err)
	}
	layer[0].UID, layer[0].GID = 26, 26
	if after, err := layer.Key(); err != nil || after == before {
		t.Errorf("another owner, the same key: %v", err)
	}
}

// TestPlatformImages holds the images that are built to those that the platform
// asks the registry for.
func TestPlatformImages(t *testing.T) {
	find := func(tool string) (string, error) { return "/tools/" + tool, nil }
	images, err := catalogue(nil, find, hostSystem(t))
	if err != nil {
		t.Fatal(err)
	}
	root := system(t, map[string]string{"etc/passwd": "root"})
	engines, err := engineImages(map[string]string{"postgresql": root, "rabbitmq": root}, "/built/"+walArchive, find)
	if err != nil {
		t.Fatal(err)
	}
	// PostgreSQL's log goes through our program: its names are found before Barman's own in /usr/bin.
	top := engines[0].Layers[len(engines[0].Layers)-1]
	for _, name := range walPrograms {
		if !slices.Contains(top, File{Path: "/usr/local/bin/" + name, Link: walArchive}) || !slices.Contains(debian.PostgreSQL.Needs, "usr/bin/"+name) {
			t.Errorf("%s is not in front of Barman's: %v", name, top)
		}
	}
	var built []string
	for _, i := range append(images, engines...) {
		if slices.Contains(platformImages, i.Name) {
			built = append(built, i.Ref())
		}
	}
	for _, p := range ourPrograms {
		built = append(built, p.image+":"+programTag)
	}
	slices.Sort(built)
	if want := slices.Sorted(slices.Values(platform.Images())); !slices.Equal(built, want) {
		t.Errorf("built %v, wanted %v", built, want)
	}
}

func TestRevisionIsAnotherImageOfTheSameLayers(t *testing.T) {
	s, err := openStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	image := Image{Name: "a", Tag: "1", Layers: []Layer{{{Path: "/x", Source: file, Mode: 0o644}}}, Path: []string{"/opt/bin"}, Env: []string{"A=b"}}
	plain, err := s.image(image)
	if err != nil {
		t.Fatal(err)
	}
	image.Revision = "two"
	revised, err := s.image(image)
	if err != nil {
		t.Fatal(err)
	}
	one, err := plain.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	two, err := revised.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if one.Config.Digest == two.Config.Digest || one.Layers[0].Digest != two.Layers[0].Digest {
		t.Error("want another configuration of the same layers")
	}
	config, err := revised.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if env := config.Config.Env; !strings.HasPrefix(env[0], "PATH=/opt/bin:/usr/local/sbin:") || env[1] != "A=b" {
		t.Errorf("environment is %v", env)
	}
}
