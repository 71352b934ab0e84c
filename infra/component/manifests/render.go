// SPDX-License-Identifier: Apache-2.0

// Package manifests turns files of Kubernetes objects into sets that the
// provider applies. It is pure.
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

	"spine.nhs.uk/controlplane/infra/component"
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

// Add puts an object into the set. It fails when the object is there already, or
// lacks a name.
func (s Set) Add(object map[string]any, labels map[string]string) error {
	key, err := label(object, labels)
	if err != nil {
		return err
	}
	if _, ok := s.Objects[key]; ok {
		return fmt.Errorf("%s is there twice", key)
	}
	if s.Objects[key], err = plain(object); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// With returns the set with the objects of another besides.
func (s Set) With(other Set) (Set, error) {
	both := Set{Name: s.Name, Namespace: s.Namespace, Objects: maps.Clone(s.Objects)}
	for key, object := range other.Objects {
		if _, ok := both.Objects[key]; ok {
			return Set{}, fmt.Errorf("%s is there twice", key)
		}
		both.Objects[key] = object
	}
	return both, nil
}

// Secret says whether nobody may read the object under that key.
func (s Set) Secret(key string) bool { return strings.HasPrefix(key, "v1/Secret/") }

// Inputs are what files may refer to. Values have been validated: none can
// break out of a YAML string in double quotes.
type Inputs struct {
	// Images are reached as {{image "name"}}.
	Images component.Images
	// Labels are put on every object.
	Labels map[string]string
	// Values is a struct whose fields are reached as {{.Field}}.
	Values any
}

// Render reads the files in order. Errors name the file.
func Render(name, namespace string, files fs.FS, paths []string, in Inputs) (Set, error) {
	set := Set{Name: name, Namespace: namespace, Objects: map[string]any{}}
	for _, path := range paths {
		raw, err := fs.ReadFile(files, path)
		if err != nil {
			return Set{}, fmt.Errorf("manifests of %s: %w", name, err)
		}
		if err := set.add(path, string(raw), in); err != nil {
			return Set{}, fmt.Errorf("manifests of %s: %s: %w", name, path, err)
		}
	}
	if len(set.Objects) == 0 {
		return Set{}, fmt.Errorf("manifests of %s: there are no objects in %s", name, strings.Join(paths, ", "))
	}
	return set, nil
}

func (s Set) add(path, text string, in Inputs) error {
	t, err := template.New(path).Option("missingkey=error").Funcs(template.FuncMap{"image": in.Images.Ref}).Parse(text)
	if err != nil {
		return err
	}
	var rendered bytes.Buffer
	if err := t.Execute(&rendered, in.Values); err != nil {
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
		if err := s.Add(object, in.Labels); err != nil {
			return err
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
