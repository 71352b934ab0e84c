// SPDX-License-Identifier: Apache-2.0

package operatortest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// Objects are what volumes are made of, by name.
type Objects struct {
	ConfigMaps map[string]map[string]string
	Secrets    map[string]map[string][]byte
}

// Mounted does a kubelet's work: it fills folders with what a pod's only container mounts,
// and returns what replaces its paths by theirs. A source or a key that there is none of
// fails the test, as the pod would not start.
func Mounted(t testing.TB, pod corev1.PodSpec, objects Objects) *strings.Replacer {
	t.Helper()
	base := t.TempDir()
	var pairs []string
	for _, mount := range pod.Containers[0].VolumeMounts {
		at := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == mount.Name })
		if at < 0 {
			t.Fatalf("mount %s has no volume", mount.Name)
		}
		dir := filepath.Join(base, mount.Name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		var errs []error
		for _, source := range pod.Volumes[at].Projected.Sources {
			errs = append(errs, objects.project(source, dir))
		}
		if err := errors.Join(errs...); err != nil {
			t.Fatalf("volume %s: %v", mount.Name, err)
		}
		pairs = append(pairs, mount.MountPath, dir)
	}
	paths := strings.NewReplacer(pairs...)
	// Files name other files by the paths that the program would see.
	err := filepath.WalkDir(base, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, []byte(paths.Replace(string(text))), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func (o Objects) project(source corev1.VolumeProjection, dir string) error {
	put := func(kind, name, key string, content []byte, there bool) error {
		if !there {
			return fmt.Errorf("%s %s has no key %s", kind, name, key)
		}
		return os.WriteFile(filepath.Join(dir, key), content, 0o600)
	}
	var errs []error
	if c := source.ConfigMap; c != nil {
		for _, item := range c.Items {
			text, there := o.ConfigMaps[c.Name][item.Key]
			errs = append(errs, put("ConfigMap", c.Name, item.Key, []byte(text), there))
		}
	}
	if s := source.Secret; s != nil {
		for _, item := range s.Items {
			content, there := o.Secrets[s.Name][item.Key]
			errs = append(errs, put("Secret", s.Name, item.Key, content, there))
		}
	}
	return errors.Join(errs...)
}
