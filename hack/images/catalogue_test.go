// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io"
	"log"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/hack/tools/toolbox"
)

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

// hostSystem has what the catalogue takes from a host's root file system.
func hostSystem(t *testing.T) string {
	t.Helper()
	files := map[string]string{"usr/bin/busybox": "box"}
	for _, pattern := range networkFiles {
		files[strings.ReplaceAll(pattern, "*", "any")] = "data"
	}
	for _, p := range networkPrograms {
		files[p] = "program"
	}
	return system(t, files)
}

func TestCatalogue(t *testing.T) {
	find := func(tool string) (string, error) { return filepath.Join("/tools", tool), nil }
	images, err := catalogue([]string{toolbox.KubernetesVersion, toolbox.PreviousKubernetesVersion}, find, hostSystem(t))
	if err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, i := range images {
		refs = append(refs, i.Ref())
		for _, l := range i.Layers {
			for _, f := range l {
				if !filepath.IsAbs(f.Path) {
					t.Errorf("%s: %s is not absolute", i.Ref(), f.Path)
				}
			}
		}
	}
	for _, want := range []string{
		"kubernetes-host:" + toolbox.KubernetesVersion, "kube-proxy:" + toolbox.PreviousKubernetesVersion, "etcd:v3.6.16",
		"coredns:v1.14.7", "kube-router:v1.5.1", "local-path-provisioner:v0.0.30", "traefik:v3.6.12", "pause:3.10.2", "shell:v1.0.0",
	} {
		if !slices.Contains(refs, want) {
			t.Errorf("%s is not among %v", want, refs)
		}
	}
	if unique := slices.Compact(slices.Sorted(slices.Values(refs))); len(unique) != len(refs) {
		t.Errorf("a name stands for two images: %v", refs)
	}
}

func TestCatalogueHostImageHasOneLayer(t *testing.T) {
	images, err := catalogue([]string{toolbox.KubernetesVersion}, func(string) (string, error) { return "/x", nil }, hostSystem(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range images {
		if i.Name == "kubernetes-host" && len(i.Layers) != 1 {
			t.Errorf("hosts unpack one layer, it has %d", len(i.Layers))
		}
	}
}

func TestCatalogueNeedsBuiltTools(t *testing.T) {
	broken := errors.New("not built")
	if _, err := catalogue([]string{toolbox.KubernetesVersion}, func(string) (string, error) { return "", broken }, hostSystem(t)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := catalogue([]string{"v1.2.3"}, func(string) (string, error) { return "/x", nil }, hostSystem(t)); err == nil {
		t.Error("a version that no tool builds must be refused")
	}
}
