// SPDX-License-Identifier: Apache-2.0

// Package dns stands in for the list of all DNS providers that certificates can
// be proven through. Sites have no internet, so no ACME authority; upstream's
// list links the client libraries of over a hundred companies.
package dns

import (
	"fmt"

	"github.com/go-acme/lego/v4/challenge"
)

// NewDNSChallengeProviderByName always fails.
func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	return nil, fmt.Errorf("this build of traefik has no DNS challenge providers, so not %q either", name)
}
