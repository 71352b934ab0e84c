// SPDX-License-Identifier: Apache-2.0

package toolbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func names(tools []Tool) (names []string) {
	for _, t := range tools {
		names = append(names, t.Name)
	}
	return names
}

func TestSelect(t *testing.T) {
	all, err := Select(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(all); slices.Contains(got, "kubernetes@"+PreviousKubernetesVersion) || got[0] != "kubernetes" || len(got) != len(All())-1 {
		t.Errorf("without names, all but the optional ones in order; got %v", got)
	}
	some, err := Select([]string{"pause", "kubernetes@" + PreviousKubernetesVersion, "etcd", "pause"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(some), []string{"etcd", "pause", "kubernetes@" + PreviousKubernetesVersion}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := Select([]string{"one", "etcd", "two"}); err == nil || !contains(err.Error(), "one, two", "kube-router") {
		t.Errorf("want both wrong names and the right ones, got %v", err)
	}
}

func TestLeave(t *testing.T) {
	user := programs(t, "pulumi", "pulumi-language-go")
	b := &Builder{Cache: t.TempDir(), Progress: func(string) {}}
	bin := filepath.Join(b.Cache, "bin")
	write(t, filepath.Join(bin, "pulumi-language-go"), "ours, of an earlier run")
	left, err := b.Leave(All(), Choice{Path: filepath.Join(user, "pulumi"), Version: "v3.300.0", LanguageHost: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := names(left); slices.Contains(got, "pulumi") || slices.Contains(got, "langhost") || !slices.Contains(got, "registry") {
		t.Errorf("got %v", got)
	}
	if real, err := filepath.EvalSymlinks(filepath.Join(bin, "pulumi")); err != nil || real != filepath.Join(user, "pulumi") {
		t.Errorf("the link leads to %s, %v", real, err)
	}
	if _, err := os.Lstat(filepath.Join(bin, "pulumi-language-go")); !os.IsNotExist(err) {
		t.Error("our language host would still be found before the user's")
	}
	if left, err := b.Leave(All(), Choice{}); err != nil || len(left) != len(All()) {
		t.Errorf("without a pulumi of the user, everything is built: %v, %v", names(left), err)
	}
}

// TestToolsAreInTheRepository keeps the table and the folders together.
func TestToolsAreInTheRepository(t *testing.T) {
	root, err := FindRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range All() {
		if k, err := Key(root, tool, "go1.26.0", "linux/amd64"); err != nil || k == "" {
			t.Errorf("%s: %v", tool.Name, err)
		}
		if tool.Module == "." {
			continue
		}
		pins, err := os.ReadFile(filepath.Join(root, tool.Module, tool.modFile()))
		if err != nil {
			t.Error(err)
		} else if !strings.Contains(string(pins), " "+tool.Version) {
			t.Errorf("%s: the table says %s, %s/%s pins another", tool.Name, tool.Version, tool.Module, tool.modFile())
		}
	}
}
