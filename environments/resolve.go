// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Origin says where a value came from: "file", "class Live", "tier gold" or "default".
type Origin string

// Origins that are no class or tier.
const (
	OriginFile    Origin = "file"
	OriginDefault Origin = "default"
)

// Origins are where the values of an environment came from, by their paths, such as
// "cluster.instanceType". A list has one origin as a whole.
type Origins map[string]Origin

// DecodeCloud reads what stands in an environment's file, as strictly as Decode does.
func DecodeCloud(raw []byte) (*Cloud, field.ErrorList) {
	c := &Cloud{}
	tree, err := parse(raw)
	if err != nil {
		return c, field.ErrorList{field.Invalid(field.NewPath("environment"), excerpt(raw), err.Error())}
	}
	return c, fillAt(nil, tree, c)
}

// Resolve fills in what the file left out, from its class, then its tier, then the
// defaults, and tells where each value came from.
func (c *Cloud) Resolve() Origins {
	origins := Origins{}
	v := reflect.ValueOf(c).Elem()
	note(v, "", OriginFile, origins)
	// Whichever comes first holds: the tier itself may be the class's.
	class := classes[c.likelyClass()]
	if c.Service != ServiceERS {
		class.Booking = CloudBooking{}
	}
	complete(v, reflect.ValueOf(&class).Elem(), "", Origin(fmt.Sprintf("class %s", c.Class)), origins)
	tier := tiers[c.likelyTier()]
	complete(v, reflect.ValueOf(&tier).Elem(), "", Origin(fmt.Sprintf("tier %s", c.Tier)), origins)
	general := c.defaults()
	complete(v, reflect.ValueOf(&general).Elem(), "", OriginDefault, origins)
	// What is inside of a list has no origin of its own.
	c.Operations.setDefaults()
	return origins
}

// likelyClass is the class, or for one that there is not any on the environment's side of
// the fence: Validate names the mistake, and nothing that follows from it.
func (c *Cloud) likelyClass() Class {
	switch _, ok := classes[c.Class]; {
	case ok:
		return c.Class
	case c.Live != nil:
		return ClassLive
	}
	return ClassDevelopment
}

// likelyTier is the tier, or its class's for one that the class cannot have.
func (c *Cloud) likelyTier() Tier {
	class := c.likelyClass()
	if _, ok := tiers[c.Tier]; !ok || class.serving() && !c.Tier.serving() {
		return classes[class].Tier
	}
	return c.Tier
}

// ParseCloud decodes, resolves and validates one environment by itself. The error, if
// any, lists every problem.
func ParseCloud(raw []byte) (*Cloud, Origins, error) {
	c, errs := DecodeCloud(raw)
	origins := c.Resolve()
	errs = Untold(errs, c.Validate())
	if len(errs) > 0 {
		return nil, nil, &Error{Problems: errs}
	}
	return c, origins, nil
}

// note records the origin of every value that is set.
func note(v reflect.Value, path string, origin Origin, origins Origins) {
	complete(reflect.New(v.Type()).Elem(), v, path, origin, origins)
}

// complete copies into out whatever it lacks and from has; empty text, zero and an empty
// list count as lacking. Pointers to structs are gone into: each value has its origin.
func complete(out, from reflect.Value, path string, origin Origin, origins Origins) {
	switch from.Kind() {
	case reflect.Pointer:
		if from.IsNil() {
			return
		}
		if out.IsNil() {
			out.Set(reflect.New(out.Type().Elem()))
		}
		complete(out.Elem(), from.Elem(), path, origin, origins)
	case reflect.Struct:
		for i := range from.NumField() {
			child := from.Type().Field(i).Tag.Get("json")
			if path != "" {
				child = path + "." + child
			}
			complete(out.Field(i), from.Field(i), child, origin, origins)
		}
	default:
		if out.IsZero() && !from.IsZero() {
			out.Set(from)
			origins[path] = origin
		}
	}
}
