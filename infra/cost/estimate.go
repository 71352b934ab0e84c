// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Resource is what an estimate needs to know.
type Resource struct {
	Type string
	// Region is where it is, if that is known: the region of its provider.
	Region string
	// Lookup returns the property at a path such as "instanceTypes[0]", and whether it is there and known.
	Lookup func(path string) (any, bool)
}

// Estimate is what a resource costs a month.
type Estimate struct {
	// Cents per month, of what is known. Meaningless when Unknown is set.
	Cents int64
	// Unchecked is the part of Cents that rests on prices which nobody has read from a publication.
	Unchecked int64
	// Unknown says why there is no figure; empty when there is one.
	Unknown string
	// Usage is what use adds to the figure, in words.
	Usage []string
}

// Estimate prices a resource. What one line of its bill lacks makes the whole unknown: half a price misleads.
func (b *Book) Estimate(r Resource) Estimate {
	for _, f := range b.Free {
		if strings.HasPrefix(r.Type, f.Prefix) {
			return Estimate{}
		}
	}
	lines := map[string][]Price{}
	for _, p := range b.Prices {
		if p.Type == r.Type {
			lines[p.What] = append(lines[p.What], p)
		}
	}
	if len(lines) == 0 {
		return Estimate{Unknown: "the price book has no price for " + r.Type}
	}
	if r.Region != "" && r.Region != b.Region && strings.HasPrefix(r.Type, "aws:") {
		return Estimate{Unknown: fmt.Sprintf("the price book has prices of %s, not of %s", b.Region, r.Region)}
	}
	var total Estimate
	for _, what := range slices.Sorted(maps.Keys(lines)) {
		line, ok := b.line(lines[what], r)
		if !ok {
			return Estimate{Unknown: fmt.Sprintf("the price book has no price for its %s%s", what, distinguished(lines[what], r))}
		}
		if line.Unknown != "" {
			return line
		}
		total.Cents += line.Cents
		total.Unchecked += line.Unchecked
		total.Usage = append(total.Usage, line.Usage...)
	}
	return total
}

// line prices one line of the bill; false when no alternative applies.
func (b *Book) line(alternatives []Price, r Resource) (Estimate, bool) {
	for _, p := range alternatives {
		if !applies(p, r) {
			continue
		}
		n := 1.0
		if p.Quantity != "" {
			value, _ := r.Lookup(p.Quantity)
			var ok bool
			if n, ok = quantity(value); !ok {
				return Estimate{Unknown: p.Quantity + " is not known before it is applied"}, true
			}
		}
		if p.Unit == Hour {
			n *= b.HoursPerMonth
		}
		out := Estimate{Cents: int64(math.Round(n * p.Price * 100))}
		if slices.Contains(b.Unchecked, p.Source) {
			out.Unchecked = out.Cents
		}
		if p.Usage != "" {
			out.Usage = []string{p.Usage}
		}
		return out, true
	}
	return Estimate{}, false
}

func applies(p Price, r Resource) bool {
	for path, want := range p.Where {
		if got, ok := r.Lookup(path); !ok || fmt.Sprint(got) != want {
			return false
		}
	}
	return true
}

// quantity reads a count; one beyond reason is as good as none.
func quantity(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, v >= 0 && v <= 1e6
	case []any:
		return float64(len(v)), true
	}
	return 0, false
}

// distinguished names the properties by which the alternatives differ, with the values that the resource has.
func distinguished(alternatives []Price, r Resource) string {
	paths := map[string]bool{}
	for _, p := range alternatives {
		for path := range p.Where {
			paths[path] = true
		}
	}
	var out []string
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if v, ok := r.Lookup(path); ok {
			out = append(out, fmt.Sprintf("%s %v", path, v))
		} else {
			out = append(out, path+" unset")
		}
	}
	return " (" + strings.Join(out, ", ") + ")"
}
