// SPDX-License-Identifier: Apache-2.0

package site

import (
	"os"
	"path/filepath"
	"strings"
)

// spineHome is where `rack` keeps keys unless SPINE_HOME says otherwise.
const spineHome = "~/.local/share/spine/"

// resolve is where a file of an environment is on this machine.
func resolve(path string) string {
	path = moved(path)
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}

// moved follows SPINE_HOME and keeps "~/" otherwise, so that what is stored is
// the same for every engineer.
func moved(path string) string {
	home := os.Getenv("SPINE_HOME")
	if rest, ok := strings.CutPrefix(path, spineHome); ok && home != "" {
		return filepath.Join(home, rest)
	}
	return path
}
