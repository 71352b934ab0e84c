// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Value is one value of an environment's effective configuration.
type Value struct {
	// Path is where it would stand in the file, such as "hosts[0].ssh.port".
	Path string `json:"path"`
	// Value is text, a number, or a list of texts.
	Value any `json:"value"`
	// Origin says where it came from.
	Origin Origin `json:"origin"`
}

// Explain returns the effective configuration of an environment of the kind, value by
// value, in the order in which the fields are described. The error, if any, lists every
// problem of the environment by itself.
func Explain(kind Kind, raw []byte) ([]Value, error) {
	switch kind {
	case KindAWS:
		env, origins, err := ParseCloud(raw)
		if err != nil {
			return nil, err
		}
		return leaves(reflect.ValueOf(env), "", func(path string) Origin { return origins.of(path) }), nil
	case KindBaremetalSite:
		env, err := Parse(raw)
		if err != nil {
			return nil, err
		}
		// A site has neither class nor tier: what the file does not say is a default.
		file, _ := Decode(raw)
		said := map[string]bool{}
		for _, v := range leaves(reflect.ValueOf(file), "", func(string) Origin { return OriginFile }) {
			said[v.Path] = true
		}
		return leaves(reflect.ValueOf(env), "", func(path string) Origin {
			if said[path] {
				return OriginFile
			}
			return OriginDefault
		}), nil
	}
	return nil, &Error{Problems: field.ErrorList{field.NotSupported(field.NewPath("spine:kind"), kind, []Kind{KindAWS, KindBaremetalSite})}}
}

// of is the origin of a value, or of the list that it stands in.
func (o Origins) of(path string) Origin {
	for {
		if origin, ok := o[path]; ok {
			return origin
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return OriginDefault
		}
		path = path[:i]
	}
}

// leaves are the values that are set, with their paths.
func leaves(v reflect.Value, path string, origin func(path string) Origin) []Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return leaves(v.Elem(), path, origin)
	case reflect.Struct:
		var out []Value
		for i := range v.NumField() {
			child := v.Type().Field(i).Tag.Get("json")
			if path != "" {
				child = path + "." + child
			}
			out = append(out, leaves(v.Field(i), child, origin)...)
		}
		return out
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Struct {
			var out []Value
			for i := range v.Len() {
				out = append(out, leaves(v.Index(i), fmt.Sprintf("%s[%d]", path, i), origin)...)
			}
			return out
		}
	}
	if v.IsZero() {
		return nil
	}
	return []Value{{Path: path, Value: v.Interface(), Origin: origin(path)}}
}
