// SPDX-License-Identifier: Apache-2.0

// Package manifests turns files of Kubernetes objects into sets that the
// provider applies. Rendering is pure.
package manifests

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"
	"text/template"

	"gopkg.in/yaml.v3"

	"spine.nhs.uk/controlplane/infra/baremetal/registry"
)

// Set is a named set of objects that are applied, waited for and pruned
// together.
type Set struct {
	// Name is unique in the cluster: 1 to 50 characters of a-z, 0-9 and '-'.
	Name string
	// Namespace holds the set's inventory; it exists or is in the set.
	Namespace string
	// Objects by apiVersion/kind/namespace/name, or without the namespace.
	Objects map[string]any
}

// Params are what files may refer to, as {{.PodCIDR}}. Values have been
// validated: none can break out of a YAML string in double quotes.
type Params struct {
	// Images are reached as {{image "name"}}.
	Images registry.Images
	// Labels are put on every object.
	Labels map[string]string

	PodCIDR     string
	ServiceCIDR string
	DNSAddress  string
	DNSDomain   string
	Nameservers []string
	DNSReplicas int
	APIName     string
	APIAddress  string
	APIPort     int
	EdgeAddress string
	EdgePing    int
	VolumesPath string
}

// Render reads the files in order. Errors name the file.
func Render(name, namespace string, files fs.FS, paths []string, p Params) (Set, error) {
	set := Set{Name: name, Namespace: namespace, Objects: map[string]any{}}
	for _, path := range paths {
		raw, err := fs.ReadFile(files, path)
		if err != nil {
			return Set{}, fmt.Errorf("manifests of %s: %w", name, err)
		}
		if err := set.add(path, string(raw), p); err != nil {
			return Set{}, fmt.Errorf("manifests of %s: %s: %w", name, path, err)
		}
	}
	if len(set.Objects) == 0 {
		return Set{}, fmt.Errorf("manifests of %s: there are no objects in %s", name, strings.Join(paths, ", "))
	}
	return set, nil
}

func (s Set) add(path, text string, p Params) error {
	t, err := template.New(path).Option("missingkey=error").Funcs(template.FuncMap{"image": p.Images.Ref}).Parse(text)
	if err != nil {
		return err
	}
	var rendered bytes.Buffer
	if err := t.Execute(&rendered, p); err != nil {
		return err
	}
	for d := yaml.NewDecoder(&rendered); ; {
		var object map[string]any
		err := d.Decode(&object)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if object == nil {
			continue
		}
		key, err := label(object, p.Labels)
		if err != nil {
			return err
		}
		if _, ok := s.Objects[key]; ok {
			return fmt.Errorf("%s is there twice", key)
		}
		if s.Objects[key], err = plain(object); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
}

// label adds labels to the object and returns its key.
func label(object map[string]any, labels map[string]string) (string, error) {
	apiVersion, _ := object["apiVersion"].(string)
	kind, _ := object["kind"].(string)
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	if apiVersion == "" || kind == "" || name == "" {
		return "", fmt.Errorf("an object lacks apiVersion, kind or metadata.name: %v %v %q", object["apiVersion"], object["kind"], name)
	}
	all := map[string]any{}
	if own, ok := metadata["labels"].(map[string]any); ok {
		maps.Copy(all, own)
	}
	for k, v := range labels {
		all[k] = v
	}
	metadata["labels"] = all
	if namespace, _ := metadata["namespace"].(string); namespace != "" {
		return strings.Join([]string{apiVersion, kind, namespace, name}, "/"), nil
	}
	return strings.Join([]string{apiVersion, kind, name}, "/"), nil
}

// plain makes the object one of JSON's types only, which refuses what
// Kubernetes would not take: keys that are not text, dates, infinite numbers.
func plain(object map[string]any) (map[string]any, error) {
	raw, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	return out, json.Unmarshal(raw, &out)
}
