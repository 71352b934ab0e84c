// SPDX-License-Identifier: Apache-2.0

package mailboxes

import (
	"errors"
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is text that never prints: every fmt verb, slog and the text and JSON encoders show a fixed word in its place.
type Secret string

// Reveal returns the secret itself, for computing with it; never for showing it.
func (s Secret) Reveal() string { return string(s) }

// Format makes every fmt verb, %#v included, print the fixed word.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue keeps the secret out of structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the secret out of whatever is encoded by reflection.
func (s Secret) MarshalText() ([]byte, error) {
	return nil, errors.New("a secret is not written out")
}
