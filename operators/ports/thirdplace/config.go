// SPDX-License-Identifier: Apache-2.0

package thirdplace

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// File in the folder that a witness or a traffic director is made with.
const File = "config.yaml"

// MaxConfig in bytes is far more than any file of a configuration needs.
const MaxConfig = 64 << 10

// Config is a configuration that says all that is wrong with it.
type Config interface{ Validate() error }

// Load reads the configuration in a folder. No error shows what a file holds.
func Load[C Config](dir string) (C, error) {
	var none C
	path := filepath.Join(dir, File)
	text, err := Read(path)
	if err != nil {
		return none, err
	}
	c, err := Decode[C](text)
	if err != nil {
		return none, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Read reads a file of at most MaxConfig bytes.
func Read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > MaxConfig {
		return nil, fmt.Errorf("%s has %d bytes: at most %d are expected", path, info.Size(), MaxConfig)
	}
	return os.ReadFile(path)
}

// Decode reads a configuration strictly from YAML and returns all mistakes at once.
func Decode[C Config](text []byte) (C, error) {
	var c C
	if err := yaml.UnmarshalStrict(text, &c); err != nil {
		// The parser's own words may quote the file.
		return c, fmt.Errorf("must be YAML with nothing but %s, each once", keys(reflect.TypeFor[C]()))
	}
	return c, c.Validate()
}

// keys of a configuration, in words.
func keys(t reflect.Type) string {
	var out []string
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

// Target is what a site has in a configuration's sites.
func Target(sites map[string]string, site string) (string, error) {
	target, ok := sites[site]
	if !ok {
		return "", fmt.Errorf("site %q is none of %v", site, slices.Sorted(maps.Keys(sites)))
	}
	return target, nil
}

const mostNames = 16

// ValidateNames returns what is wrong with the names that go together, 1 to 16 within a zone.
func ValidateNames(zone string, names []string, within func(name string) bool) []error {
	var errs []error
	if len(names) < 1 || len(names) > mostNames {
		errs = append(errs, fmt.Errorf("names: %d of them: expected 1 to %d", len(names), mostNames))
	}
	for i, name := range names {
		if !within(name) || slices.Contains(names[:i], name) {
			errs = append(errs, fmt.Errorf("names[%d]: %q must be a fully qualified name within the zone %s, once", i, name, zone))
		}
	}
	return errs
}
