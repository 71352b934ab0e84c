// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/hack/awsdouble/table"
)

// merge lets nested types of equal shape share one entry: the SDK has a copy of the same type for every place where it
// can stand, which are hundreds in the rules of a web ACL.
func merge(t *table.Table) {
	for {
		names := map[string]string{} // by shape
		renamed := map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(t.Objects)) {
			text, err := json.Marshal(t.Objects[name])
			if err != nil {
				panic(fmt.Sprintf("%s: %v", name, err)) // Strings always marshal.
			}
			if first, ok := names[string(text)]; ok {
				renamed[name] = first
			} else {
				names[string(text)] = name
			}
		}
		if len(renamed) == 0 {
			return
		}
		for name := range renamed {
			delete(t.Objects, name)
		}
		rename(t.Provider, renamed)
		for _, typ := range t.Types {
			rename(typ.Inputs, renamed)
			rename(typ.Outputs, renamed)
		}
		for _, fields := range t.Objects {
			rename(fields, renamed)
		}
	}
}

func rename(fields table.Fields, renamed map[string]string) {
	for property, kind := range fields {
		before, name, ok := strings.Cut(string(kind), "#")
		if !ok {
			continue
		}
		end := strings.IndexAny(name, "]}!")
		if end < 0 {
			end = len(name)
		}
		if to, ok := renamed[name[:end]]; ok {
			fields[property] = table.Kind(before + "#" + to + name[end:])
		}
	}
}
