// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"maps"
	"strings"
)

// providerPrefix begins the types of providers.
const providerPrefix = "pulumi:providers:"

// Settings are the properties of a provider as its program wrote them, for a kind of that
// name; those of any other kind are given back as they are. Plugins over Terraform's code
// hold lists and maps of their own settings as JSON texts, and hand those on:
// allowedAccountIds is then the text `["123456789012"]`. A number or a truth value stays a
// text, as an account's number would no longer be one.
func Settings(kind string, values map[string]any) map[string]any {
	if !strings.HasPrefix(kind, providerPrefix) || values == nil {
		return values
	}
	out := maps.Clone(values)
	for key, v := range out {
		text, _ := v.(string)
		if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
			continue
		}
		var inner any
		if json.Unmarshal([]byte(text), &inner) == nil {
			out[key] = FromJSON(inner)
		}
	}
	return out
}
