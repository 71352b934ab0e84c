// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
)

// readReplaces reads what was recorded: lines of a token and the paths that replace.
func readReplaces(path string) (map[string][]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if !strings.HasPrefix(words[0], "aws:") {
			return nil, fmt.Errorf("%s:%d: begins with %q: a line is a token such as aws:ec2/vpc:Vpc and the inputs that replace", path, n, words[0])
		}
		out[words[0]] = words[1:]
	}
	return out, nil
}
