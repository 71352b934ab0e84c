// SPDX-License-Identifier: Apache-2.0

// Package naming makes the names of an environment's resources. It is pure:
// equal parts give equal names, in every run.
package naming

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// MaxLength is the longest name: that of a DNS label.
const MaxLength = 63

// hashLength keeps shortened names apart: 32 bits for the names of one
// environment.
const hashLength = 8

// A Namer makes names that begin with its environment's.
type Namer struct {
	environment string
}

// New returns the namer of an environment.
func New(environment string) Namer {
	return Namer{environment}
}

// Name joins the environment and the parts with "-". Parts are expected to be
// DNS labels, and so is the result: one longer than MaxLength is cut and ends
// in a hash of the whole. Without parts it is the environment's own name.
func (n Namer) Name(parts ...string) string {
	whole := strings.Join(append([]string{n.environment}, parts...), "-")
	if len(whole) <= MaxLength {
		return whole
	}
	sum := sha256.Sum256([]byte(whole))
	return strings.TrimRight(whole[:MaxLength-hashLength-1], "-") + "-" + hex.EncodeToString(sum[:])[:hashLength]
}
