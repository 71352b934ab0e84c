// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Decode reads an environment from JSON. It is strict: unknown and repeated
// keys and values of a wrong type are errors, all of which are returned, each
// with its path. What could be read is in the environment even so.
func Decode(raw []byte) (*Environment, field.ErrorList) {
	env := &Environment{}
	tree, err := parse(raw)
	if err != nil {
		return env, field.ErrorList{field.Invalid(field.NewPath("environment"), excerpt(raw), err.Error())}
	}
	return env, fillAt(nil, tree, env)
}

// fillAt fills what out points to; path is that of the whole, nil for the
// environment.
func fillAt(path *field.Path, tree, out any) field.ErrorList {
	var errs field.ErrorList
	fill(path, tree, reflect.ValueOf(out).Elem(), &errs)
	return errs
}

// Parse decodes, fills in defaults and validates. The error, if any, lists
// every problem.
func Parse(raw []byte) (*Environment, error) {
	env, errs := Decode(raw)
	env.Default()
	errs = Untold(errs, env.Validate())
	if len(errs) > 0 {
		return nil, &Error{Problems: errs}
	}
	return env, nil
}

// Untold adds what was found later to what was found earlier. A field of a wrong type
// stays empty; saying that it is missing as well would only confuse.
func Untold(earlier, later field.ErrorList) field.ErrorList {
	told := map[string]bool{}
	for _, e := range earlier {
		told[e.Field] = true
	}
	for _, e := range later {
		if !told[e.Field] {
			earlier = append(earlier, e)
		}
	}
	return earlier
}

func fill(path *field.Path, in any, out reflect.Value, errs *field.ErrorList) {
	wrong := func(want string) {
		*errs = append(*errs, field.TypeInvalid(at(path), in, "this must be "+want+", not "+describe(in)))
	}
	switch out.Kind() {
	case reflect.Pointer:
		out.Set(reflect.New(out.Type().Elem()))
		fill(path, in, out.Elem(), errs)
	case reflect.Struct:
		object, ok := in.(object)
		if !ok {
			wrong("a mapping of keys to values")
			return
		}
		fillStruct(path, object, out, errs)
	case reflect.Slice:
		list, ok := in.([]any)
		if !ok {
			wrong("a list")
			return
		}
		out.Set(reflect.MakeSlice(out.Type(), len(list), len(list)))
		for i, item := range list {
			fill(at(path).Index(i), item, out.Index(i), errs)
		}
	case reflect.String:
		s, ok := in.(string)
		if !ok {
			wrong("text (put it in quotes)")
			return
		}
		out.SetString(s)
	case reflect.Int:
		number, ok := in.(json.Number)
		n, err := strconv.Atoi(number.String())
		if !ok || err != nil {
			wrong("a whole number")
			return
		}
		out.SetInt(int64(n))
	default:
		panic(fmt.Sprintf("environments: %s has a type that Decode does not know: %s", path, out.Type()))
	}
}

func fillStruct(path *field.Path, in object, out reflect.Value, errs *field.ErrorList) {
	fields := map[string]int{}
	var known []string
	for i := range out.NumField() {
		name := out.Type().Field(i).Tag.Get("json")
		fields[name] = i
		known = append(known, name)
	}
	seen := map[string]bool{}
	for _, m := range in {
		child := field.NewPath(m.key)
		if path != nil {
			child = path.Child(m.key)
		}
		i, ok := fields[m.key]
		switch {
		case !ok:
			*errs = append(*errs, field.Forbidden(child, "unknown key; "+suggest(m.key, known)))
		case seen[m.key]:
			*errs = append(*errs, field.Duplicate(child, m.key))
		default:
			seen[m.key] = true
			fill(child, m.value, out.Field(i), errs)
		}
	}
}

func suggest(key string, known []string) string {
	best, distance := "", len(key)/2+1
	for _, k := range known {
		if d := editDistance(strings.ToLower(key), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "known keys here: " + strings.Join(known, ", ")
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func at(path *field.Path) *field.Path {
	if path == nil {
		return field.NewPath("environment")
	}
	return path
}

func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "empty"
	case string:
		return "text"
	case bool:
		return "true or false"
	case json.Number:
		return "the number " + v.String()
	case []any:
		return "a list"
	default:
		return "a mapping"
	}
}

func excerpt(raw []byte) string {
	const most = 60
	if len(raw) > most {
		return string(raw[:most]) + "..."
	}
	return string(raw)
}
