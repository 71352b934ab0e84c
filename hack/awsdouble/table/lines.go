// SPDX-License-Identifier: Apache-2.0

package table

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// lines writes the entries of a JSON object, each on a line of its own, in order.
func lines[V any](b *bytes.Buffer, entries map[string]V) error {
	keys := slices.Sorted(maps.Keys(entries))
	for i, key := range keys {
		value, err := json.Marshal(entries[key])
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		end := ","
		if i == len(keys)-1 {
			end = ""
		}
		fmt.Fprintf(b, "    %q: %s%s\n", key, value, end)
	}
	return nil
}
