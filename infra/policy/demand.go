// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"
)

// Demand is one thing asked of one property: most rules are a list of them. A value
// that is hidden is never held against a resource: while previewing it may not be
// known yet, and the update asks again when it is.
type Demand struct {
	// Path leads to the property.
	Path Path
	// Met says whether a value that is not hidden will do; it may be missing.
	Met func(Node) bool
	// Wanted completes "... must be".
	Wanted string
}

// Demands are the findings of all demands that are not met.
func Demands(demands ...Demand) func(Resource, Environment) []Finding {
	return func(r Resource, _ Environment) []Finding {
		return Unmet(r.Input(), demands...)
	}
}

// Unmet are the findings of the demands, made of what is at a node.
func Unmet(at Node, demands ...Demand) []Finding {
	var found []Finding
	for _, d := range demands {
		if n := at.At(d.Path...); !n.Hidden() && !d.Met(n) {
			found = append(found, n.Found("%sit must be %s", n.says(), d.Wanted))
		}
	}
	return found
}

// says shows short plain values, and of others only what they are.
func (n Node) says() string {
	const most = 60
	switch v := n.Value.(type) {
	case nil:
		return "is not set, and "
	case bool, float64:
		return fmt.Sprintf("is %v, and ", v)
	case string:
		if len(v) <= most {
			return fmt.Sprintf("is %q, and ", v)
		}
	}
	return ""
}

// IsTrue is for switches that must be on.
func IsTrue(path ...any) Demand {
	return Demand{Path: path, Met: Node.True, Wanted: "true"}
}

// IsNotTrue is for switches that must not be on, and are off by default.
func IsNotTrue(path ...any) Demand {
	return Demand{Path: path, Met: func(n Node) bool { return !n.True() }, Wanted: "false"}
}

// IsFalse is for switches that are on by default.
func IsFalse(path ...any) Demand {
	return Demand{Path: path, Met: func(n Node) bool { return n.Value == false }, Wanted: "false"}
}

// IsSet is for what must be there, whatever it is.
func IsSet(path ...any) Demand {
	return Demand{Path: path, Met: func(n Node) bool {
		switch v := n.Value.(type) {
		case nil:
			return false
		case string:
			return v != ""
		case []any:
			return len(v) > 0
		case map[string]any:
			return len(v) > 0
		}
		return true
	}, Wanted: "set"}
}

// AtLeast is for numbers.
func AtLeast(least float64, path ...any) Demand {
	return Demand{Path: path, Met: func(n Node) bool { return n.Number() >= least }, Wanted: fmt.Sprintf("at least %v", least)}
}

// OneOf is for words.
func OneOf(words []string, path ...any) Demand {
	return Demand{Path: path, Met: func(n Node) bool { return slices.Contains(words, n.Text()) }, Wanted: fmt.Sprintf("one of %q", words)}
}
