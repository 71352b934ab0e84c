// SPDX-License-Identifier: Apache-2.0

package platform

import "encoding/json"

// compact returns a list as plain objects without what is empty: the resource's
// own defaults are the same.
func compact[T any](list []T) []map[string]any {
	var out []map[string]any
	raw, err := json.Marshal(list)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		panic("platform: plain values cannot become plain objects: " + err.Error())
	}
	for _, o := range out {
		prune(o)
	}
	return out
}

func prune(o map[string]any) {
	for k, v := range o {
		switch v := v.(type) {
		case nil:
			delete(o, k)
		case string:
			if v == "" {
				delete(o, k)
			}
		case float64:
			if v == 0 {
				delete(o, k)
			}
		case map[string]any:
			prune(v)
		}
	}
}
