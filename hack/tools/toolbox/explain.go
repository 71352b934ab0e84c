// SPDX-License-Identifier: Apache-2.0

package toolbox

import (
	"fmt"
	"regexp"
	"strings"
)

// A ModuleError says that a module a tool needs cannot be had.
type ModuleError struct {
	// Tool is the tool that was being built.
	Tool string
	// Module and Version name what is missing.
	Module, Version string
	// Answer is the gist of what the proxy or the network said.
	Answer string
	// Fix says what to do about it.
	Fix string
}

func (e *ModuleError) Error() string {
	return fmt.Sprintf("%s: module %s %s cannot be had: %s\n  what to do: %s", e.Tool, e.Module, e.Version, e.Answer, e.Fix)
}

var (
	// go: M@V: reading URL: 403 Forbidden, and with a path "M@V (file): ...".
	reading = regexp.MustCompile(`(?m)([\w.~-]+(?:/[\w.~!-]+)+)@(v[\w.+-]+)(?:/[\w.~-]+)*: (?:reading|Get|verifying) (.*)$`)
	// verifying M@V: checksum mismatch.
	mismatch = regexp.MustCompile(`(?m)verifying ([\w.~/!-]+)@(v[\w.+-]+): checksum mismatch`)
	// missing go.sum entry for module providing package P; or for go.mod file.
	missingSum = regexp.MustCompile(`(?m)missing go\.sum entry`)
	status     = regexp.MustCompile(`\b([45]\d\d [A-Z][A-Za-z ]+)`)
	answer     = regexp.MustCompile(`(?m)^\s*server response:\s*(.+)$`)
)

// explain turns what go printed into an error that says what to do.
func explain(t Tool, stderr string, err error) error {
	if m := mismatch.FindStringSubmatch(stderr); m != nil {
		return &ModuleError{t.Name, m[1], m[2], "its bytes are not those that go.sum has recorded",
			"do not switch verification off; run 'go clean -modcache' in case the download was damaged, and if it stays, tell whoever runs your module proxy"}
	}
	if m := reading.FindStringSubmatch(stderr); m != nil {
		return &ModuleError{t.Name, m[1], m[2], gist(m[3], stderr), fix(stderr)}
	}
	switch {
	case missingSum.MatchString(stderr):
		return fmt.Errorf("%s: %s/%s pins a module that its go.sum does not verify: run 'go mod tidy' in %s and review the change\n%s",
			t.Name, t.Module, t.modFile(), t.Module, tail(stderr))
	case strings.Contains(stderr, "GOPROXY=off"):
		return fmt.Errorf("%s: modules are missing and go may not fetch them (GOPROXY=off): set GOPROXY to a module proxy, then run the same command again", t.Name)
	case strings.Contains(stderr, "no space left on device"):
		return fmt.Errorf("%s: the disk is full: free 20 GB, or point SPINE_CACHE and GOCACHE elsewhere", t.Name)
	case strings.Contains(stderr, "signal: killed"):
		return fmt.Errorf("%s: the compiler was killed, most likely for lack of memory: 8 GB are needed", t.Name)
	}
	return fmt.Errorf("%s: go build failed: %w\n%s", t.Name, err, tail(stderr))
}

// gist shortens a proxy's answer to its status and first line.
func gist(line, stderr string) string {
	var parts []string
	if m := status.FindStringSubmatch(line); m != nil {
		parts = append(parts, strings.TrimSpace(m[1]))
	}
	if m := answer.FindStringSubmatch(stderr); m != nil {
		parts = append(parts, strings.TrimSpace(m[1]))
	}
	if len(parts) > 0 {
		return strings.Join(parts, ": ")
	}
	if _, after, ok := strings.Cut(line, ": "); ok {
		return strings.TrimSpace(after)
	}
	return strings.TrimSpace(line)
}

// fix tells a network that is away from a proxy that refuses.
func fix(stderr string) string {
	for _, s := range []string{"no such host", "connection refused", "i/o timeout", "network is unreachable", "proxyconnect"} {
		if strings.Contains(stderr, s) {
			return "the module proxy cannot be reached: check the network and 'go env GOPROXY', then run the same command again; what was built stays built"
		}
	}
	return "the module proxy does not serve it: point GOPROXY at one that does, or pin another version in the tool's go.mod, then run the same command again"
}

// tail is the end of a build's output, where Go prints what went wrong.
func tail(s string) string {
	const lines = 20
	all := strings.Split(strings.TrimSpace(s), "\n")
	if len(all) > lines {
		all = append([]string{fmt.Sprintf("(%d lines before)", len(all)-lines)}, all[len(all)-lines:]...)
	}
	return "  " + strings.Join(all, "\n  ")
}
