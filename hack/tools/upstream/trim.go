// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// trim takes from an object what the engine leaves out.
func (e engine) trim(key string, o map[string]any) error {
	metadata, _ := o["metadata"].(map[string]any)
	switch kind := o["kind"]; kind {
	case "CustomResourceDefinition":
		delete(o, "status")
		return e.trimDefinition(key, o)
	case "ServiceAccount", "Role", "RoleBinding":
		if metadata["namespace"] == nil && e.namespace != "" {
			metadata["namespace"] = e.namespace
		}
	}
	if subjects, ok := o["subjects"].([]any); ok && e.namespace != "" {
		for _, s := range subjects {
			if subject, ok := s.(map[string]any); ok && subject["namespace"] == nil {
				subject["namespace"] = e.namespace
			}
		}
	}
	return nil
}

func (e engine) trimDefinition(key string, o map[string]any) error {
	spec, _ := o["spec"].(map[string]any)
	versions, _ := spec["versions"].([]any)
	for _, v := range versions {
		version, _ := v.(map[string]any)
		holder, _ := version["schema"].(map[string]any)
		schema, ok := holder["openAPIV3Schema"].(map[string]any)
		if !ok {
			return fmt.Errorf("version %v has no schema", version["name"])
		}
		if e.open[key] {
			holder["openAPIV3Schema"] = map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
			continue
		}
		for _, path := range e.without[key] {
			if err := drop(schema, path); err != nil {
				return err
			}
		}
		undescribe(schema)
		if columns, ok := version["additionalPrinterColumns"].([]any); ok {
			for _, c := range columns {
				if column, ok := c.(map[string]any); ok {
					delete(column, "description")
				}
			}
		}
	}
	return nil
}

// drop removes the field at a dotted path from a schema.
func drop(schema map[string]any, path string) error {
	names := strings.Split(path, ".")
	for i, name := range names {
		fields, _ := schema["properties"].(map[string]any)
		next, ok := fields[name].(map[string]any)
		if !ok {
			return fmt.Errorf("its schema has no field %s any more", strings.Join(names[:i+1], "."))
		}
		if i == len(names)-1 {
			delete(fields, name)
		}
		schema = next
	}
	return nil
}

// undescribe removes descriptions from a schema and those below it. Fields that
// are named "description" stay.
func undescribe(schema map[string]any) {
	delete(schema, "description")
	for _, key := range []string{"properties", "patternProperties", "definitions"} {
		fields, _ := schema[key].(map[string]any)
		for _, f := range fields {
			if field, ok := f.(map[string]any); ok {
				undescribe(field)
			}
		}
	}
	for _, key := range []string{"items", "additionalProperties", "not"} {
		if below, ok := schema[key].(map[string]any); ok {
			undescribe(below)
		}
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := schema[key].([]any)
		for _, s := range list {
			if below, ok := s.(map[string]any); ok {
				undescribe(below)
			}
		}
	}
}
