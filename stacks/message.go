// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"strings"

	"spine.nhs.uk/controlplane/environments"
)

// plumbing is what the engine puts before a function's own words.
var plumbing = regexp.MustCompile(`^(rpc error: code = \w+ desc = )?invocation of [\w:/-]+ returned an error: `)

// message is an error as people should read it: the words of whoever found the
// fault, in lines that fit a console.
func message(err error) string {
	var lines []string
	for line := range strings.SplitSeq(plumbing.ReplaceAllString(err.Error(), ""), "\n") {
		lines = append(lines, environments.Wrap(line))
	}
	return strings.Join(lines, "\n")
}
