// SPDX-License-Identifier: Apache-2.0

package analyzer

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/infra/policy"
)

// leastSecret is the length from which a secret's text is struck out of messages:
// "true" and "5432" are secret somewhere, and stand for themselves elsewhere.
const leastSecret = 6

// secrets are the texts of the secrets that went by. Rules never see them; but what
// is secret in one place may stand unmarked in another, and a rule may quote that.
type secrets map[string]bool

func (s secrets) add(text string) {
	if len(text) >= leastSecret {
		s[text] = true
	}
}

// strike puts a mark in the place of every secret, the longest first, so that none
// leaves a part of another.
func (s secrets) strike(message string) string {
	found := slices.SortedFunc(maps.Keys(s), func(a, b string) int {
		return cmp.Or(len(b)-len(a), cmp.Compare(a, b))
	})
	for _, text := range found {
		message = strings.ReplaceAll(message, text, policy.Secret{}.String())
	}
	return message
}
