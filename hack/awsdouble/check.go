// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"spine.nhs.uk/controlplane/hack/awsdouble/table"
)

// failure is one thing that is wrong with the inputs of a resource.
type failure struct{ path, reason string }

// checker holds inputs against the table and collects everything that is wrong.
type checker struct {
	table    *table.Table
	failures []failure
}

// check holds the inputs of a resource against its type, and returns what is wrong in the order of paths.
func check(t *table.Table, token string, inputs resource.PropertyMap) []failure {
	typ, ok := t.Types[token]
	if !ok {
		return []failure{{"", fmt.Sprintf("the stand-in has no shape of %s: `go generate ./hack/awsdouble` reads it from the SDK, once a program calls its constructor", token)}}
	}
	c := &checker{table: t}
	c.object("", typ.Inputs, inputs)
	return c.sorted()
}

// checkProvider does so for the settings of a provider. What is no text there is JSON in a text.
func checkProvider(t *table.Table, settings resource.PropertyMap) []failure {
	c := &checker{table: t}
	c.object("", t.Provider, decoded(settings))
	return c.sorted()
}

// decoded are the settings of a provider, with what stands in texts as JSON. The version of a plugin is the engine's.
func decoded(settings resource.PropertyMap) resource.PropertyMap {
	out := resource.PropertyMap{}
	for key, v := range settings {
		if key == "version" || key == "pluginDownloadURL" {
			continue
		}
		if v.IsString() {
			var value any
			if text := v.StringValue(); strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") || text == "true" || text == "false" {
				if json.Unmarshal([]byte(text), &value) == nil {
					v = resource.NewPropertyValue(value)
				}
			}
		}
		out[key] = v
	}
	return out
}

// encoded are a provider's settings as plugins over Terraform's code hand them on: what is no text becomes its JSON.
func encoded(settings resource.PropertyMap) resource.PropertyMap {
	out := resource.PropertyMap{}
	for key, v := range settings {
		if !v.IsString() && !v.ContainsUnknowns() {
			if text, err := json.Marshal(v.Mappable()); err == nil {
				v = resource.NewStringProperty(string(text))
			}
		}
		out[key] = v
	}
	return out
}

func (c *checker) sorted() []failure {
	slices.SortFunc(c.failures, func(a, b failure) int { return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.reason, b.reason)) })
	return c.failures
}

func (c *checker) say(path, format string, args ...any) {
	c.failures = append(c.failures, failure{path, fmt.Sprintf(format, args...)})
}

func (c *checker) object(path string, fields table.Fields, values resource.PropertyMap) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		at := join(path, string(key))
		kind, ok := fields[string(key)]
		switch {
		case strings.HasPrefix(string(key), "__"): // The engine's own.
		case !ok:
			c.say(at, "is no property of this type; it has %s", nearest(string(key), fields))
		default:
			c.value(at, kind, values[key])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		v, given := values[resource.PropertyKey(name)]
		if fields[name].Required() && (!given || v.IsNull()) {
			c.say(join(path, name), "is required")
		}
	}
}

func (c *checker) value(path string, kind table.Kind, v resource.PropertyValue) {
	switch {
	case v.IsSecret():
		c.value(path, kind, v.SecretValue().Element)
		return
	case v.IsOutput() && v.OutputValue().Known:
		c.value(path, kind, v.OutputValue().Element)
		return
	case v.IsOutput(), v.IsComputed(), v.IsNull():
		return
	}
	if item, ok := kind.List(); ok {
		if !v.IsArray() {
			c.say(path, "is %s: it must be a list", described(v))
			return
		}
		for i, element := range v.ArrayValue() {
			c.value(fmt.Sprintf("%s[%d]", path, i), item, element)
		}
		return
	}
	if value, ok := kind.Map(); ok {
		if !v.IsObject() {
			c.say(path, "is %s: it must be a map", described(v))
			return
		}
		for _, key := range slices.Sorted(maps.Keys(v.ObjectValue())) {
			c.value(fmt.Sprintf("%s[%q]", path, key), value, v.ObjectValue()[key])
		}
		return
	}
	if fields, ok := c.table.Object(kind); ok {
		if !v.IsObject() {
			c.say(path, "is %s: it must be an object", described(v))
			return
		}
		c.object(path, fields, v.ObjectValue())
		return
	}
	if want, ok := scalar(kind, v); !ok {
		c.say(path, "is %s: it must be %s", described(v), want)
	}
}

// scalar says whether a value is of a kind without parts, and what that kind is in words.
func scalar(kind table.Kind, v resource.PropertyValue) (string, bool) {
	switch kind.Bare() {
	case "string":
		return "a text", v.IsString()
	case "bool":
		return "true or false", v.IsBool()
	case "number":
		return "a number", v.IsNumber()
	case "int":
		return "a whole number", v.IsNumber() && v.NumberValue() == math.Trunc(v.NumberValue())
	case "asset":
		return "an asset or archive", v.IsAsset() || v.IsArchive()
	}
	return "", true
}

// described says what kind of value it is, never which: it may be a secret.
func described(v resource.PropertyValue) string {
	switch {
	case v.IsString():
		return "a text"
	case v.IsBool():
		return "true or false"
	case v.IsNumber():
		return "a number"
	case v.IsArray():
		return "a list"
	case v.IsObject():
		return "an object"
	}
	return v.TypeString()
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// nearest names the properties that a wrong name may have meant: those that hold its first letters, or else all.
func nearest(name string, fields table.Fields) string {
	names := slices.Sorted(maps.Keys(fields))
	close := slices.DeleteFunc(slices.Clone(names), func(n string) bool {
		return !strings.Contains(strings.ToLower(n), strings.ToLower(name[:min(len(name), 3)]))
	})
	if len(close) > 0 {
		names = close
	}
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
