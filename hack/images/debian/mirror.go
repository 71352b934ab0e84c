// SPDX-License-Identifier: Apache-2.0

package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// A Mirror is where Debian's packages come from.
type Mirror struct {
	// URI is the top of the archive, as in http://HOST/debian/.
	URI string
	// Proxy is the HTTP proxy to go through; empty for none.
	Proxy string
}

// ErrNoMirror says that this machine's apt knows no Debian archive.
var ErrNoMirror = errors.New("apt has no Debian archive configured")

// FindMirror takes the mirror of a release and the proxy from this machine's own apt, so that
// hosts are built from where the machine itself gets its packages.
func FindMirror(ctx context.Context, suite string) (Mirror, error) {
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets",
		"--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages").Output()
	if err != nil {
		return Mirror{}, fmt.Errorf("ask apt for its archives: %w", err)
	}
	uri, err := chooseMirror(string(out), suite)
	if err != nil {
		return Mirror{}, err
	}
	// Unset is no error: the environment may have one as well, which debootstrap
	// sees by itself.
	proxy, err := exec.CommandContext(ctx, "apt-config", "dump", "--format", "%v", "Acquire::http::Proxy").Output()
	if err != nil {
		return Mirror{}, fmt.Errorf("ask apt for its proxy: %w", err)
	}
	return Mirror{URI: uri, Proxy: strings.TrimSpace(string(proxy))}, nil
}

// chooseMirror picks the archive of a suite from lines "URI SUITE COMPONENT";
// when this machine runs another Debian release, any archive of releases has
// it as well. Updates and security have no packages of their own to begin a
// system with.
func chooseMirror(targets, suite string) (string, error) {
	var other string
	for line := range strings.Lines(targets) {
		f := strings.Fields(line)
		if len(f) != 3 || f[2] != "main" {
			continue
		}
		if f[1] == suite {
			return f[0], nil
		}
		if other == "" && strings.HasSuffix(strings.TrimSuffix(f[0], "/"), "/debian") {
			other = f[0]
		}
	}
	if other == "" {
		return "", fmt.Errorf("%w: add one with component main to /etc/apt/sources.list.d (apt-get indextargets lists what apt knows)", ErrNoMirror)
	}
	return other, nil
}

// environ is the environment of debootstrap, whose wget reads http_proxy.
func (m Mirror) environ() []string {
	env := os.Environ()
	if m.Proxy != "" && m.Proxy != "DIRECT" {
		env = append(env, "http_proxy="+m.Proxy)
	}
	// Messages in one language, and no questions. With a date set, Python's compiled files go by
	// their sources' content: an image keeps no time of change, and a command would compile all
	// that it imports each time.
	return append(env, "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "SOURCE_DATE_EPOCH=0")
}
