// SPDX-License-Identifier: Apache-2.0

package toolbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// MinPulumi is the oldest Pulumi that our programs and provider run under: the
// version of the SDK that they are built with.
const MinPulumi = "v3.217.0"

// A Choice says whether the user's own Pulumi is used.
type Choice struct {
	// Path is the user's pulumi; empty when ours is to be built.
	Path string
	// Version is its version.
	Version string
	// LanguageHost says whether the user's install brings pulumi-language-go.
	LanguageHost bool
	// Why explains the choice in a sentence.
	Why string
}

// ChoosePulumi looks for a pulumi on the path list that is not one of ours (in
// the folder own) and is new enough. version runs one and returns what it
// prints.
func ChoosePulumi(pathList, own string, version func(pulumi string) (string, error)) Choice {
	dirs := filepath.SplitList(pathList)
	path := lookUp(dirs, own, "pulumi")
	if path == "" {
		return Choice{Why: "no pulumi on PATH: ours is used"}
	}
	out, err := version(path)
	if err != nil {
		return Choice{Why: fmt.Sprintf("%s does not run (%v): ours is used", path, err)}
	}
	out = strings.TrimSpace(out)
	if !atLeast(out, MinPulumi) {
		return Choice{Why: fmt.Sprintf("%s is %s, older than %s: ours is used", path, out, MinPulumi)}
	}
	c := Choice{Path: path, Version: out, Why: fmt.Sprintf("%s is %s: it is used", path, out)}
	c.LanguageHost = lookUp(dirs, own, "pulumi-language-go") != ""
	if real, err := filepath.EvalSymlinks(path); err == nil && !c.LanguageHost {
		c.LanguageHost = executable(filepath.Join(filepath.Dir(real), "pulumi-language-go"))
	}
	return c
}

// PulumiVersion runs `pulumi version`, without the look for a newer one.
func PulumiVersion(ctx context.Context) func(string) (string, error) {
	return func(pulumi string) (string, error) {
		cmd := exec.CommandContext(ctx, pulumi, "version")
		cmd.Env = append(os.Environ(), "PULUMI_SKIP_UPDATE_CHECK=true")
		out, err := cmd.Output()
		return string(out), err
	}
}

// lookUp finds an executable in dirs, but not in the folder own.
func lookUp(dirs []string, own, name string) string {
	for _, dir := range dirs {
		if dir == "" || filepath.Clean(dir) == filepath.Clean(own) {
			continue
		}
		if path := filepath.Join(dir, name); executable(path) {
			return path
		}
	}
	return ""
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// atLeast compares two versions such as v3.217.0; a pre-release (v3.217.0-rc.1)
// is older than its release. What is no version is older than everything.
func atLeast(have, want string) bool {
	h, hPre, ok := parseVersion(have)
	if !ok {
		return false
	}
	w, wPre, ok := parseVersion(want)
	if !ok {
		return false
	}
	for i := range h {
		if h[i] != w[i] {
			return h[i] > w[i]
		}
	}
	return !hPre || wPre
}

// parseVersion splits vMAJOR.MINOR.PATCH[-PRE][+BUILD]; the v may be missing.
func parseVersion(s string) (numbers [3]int, pre bool, ok bool) {
	s, _, _ = strings.Cut(strings.TrimPrefix(s, "v"), "+")
	s, _, pre = strings.Cut(s, "-")
	parts := strings.Split(s, ".")
	if len(parts) != len(numbers) {
		return numbers, false, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			return numbers, false, false
		}
		numbers[i] = int(n)
	}
	return numbers, pre, true
}
