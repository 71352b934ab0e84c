// SPDX-License-Identifier: Apache-2.0

package toolbox

import (
	"errors"
	"strings"
	"testing"
)

func TestExplainModules(t *testing.T) {
	for name, c := range map[string]struct {
		stderr string
		want   ModuleError
	}{
		"refused": {
			"main.go:3:2: github.com/abbot/auth: github.com/containous/go-http-auth@v0.4.1-0.20260804094822-b975dcaa8c48: reading https://proxy.example/github.com/containous/go-http-auth/@v/v0.4.1.zip: 403 Forbidden\n\tserver response: This module version is not available.",
			ModuleError{Module: "github.com/containous/go-http-auth", Version: "v0.4.1-0.20260804094822-b975dcaa8c48", Answer: "403 Forbidden: This module version is not available.", Fix: "GOPROXY"},
		},
		"unknown": {
			"go: example.com/m/v2@v2.0.1: reading https://proxy.example/example.com/m/v2/@v/v2.0.1.mod: 404 Not Found",
			ModuleError{Module: "example.com/m/v2", Version: "v2.0.1", Answer: "404 Not Found", Fix: "pin another version"},
		},
		"no network": {
			`go: k8s.io/api@v0.36.3: Get "https://proxy.example/k8s.io/api/@v/v0.36.3.mod": dial tcp: lookup proxy.example: no such host`,
			ModuleError{Module: "k8s.io/api", Version: "v0.36.3", Answer: "no such host", Fix: "check the network"},
		},
		"tampered": {
			"verifying github.com/a/b@v1.2.3: checksum mismatch\n\tdownloaded: h1:x=\n\tgo.sum:     h1:y=\n\nSECURITY ERROR",
			ModuleError{Module: "github.com/a/b", Version: "v1.2.3", Answer: "not those that go.sum has recorded", Fix: "do not switch verification off"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got *ModuleError
			if err := explain(Tool{Name: "x"}, c.stderr, errors.New("exit status 1")); !errors.As(err, &got) {
				t.Fatalf("want a ModuleError, got %v", err)
			}
			if got.Tool != "x" || got.Module != c.want.Module || got.Version != c.want.Version ||
				!strings.Contains(got.Answer, c.want.Answer) || !strings.Contains(got.Fix, c.want.Fix) {
				t.Errorf("got  %+v\nwant %+v", *got, c.want)
			}
			if text := got.Error(); !contains(text, "x:", got.Module, got.Version, got.Answer, "what to do:", got.Fix) {
				t.Errorf("the message leaves something out: %s", text)
			}
		})
	}
}

func TestExplainTheRest(t *testing.T) {
	for name, c := range map[string]struct{ stderr, want string }{
		"go.sum":    {"missing go.sum entry for module providing package k8s.io/api", "run 'go mod tidy' in m"},
		"forbidden": {"main.go:12:2: module lookup disabled by GOPROXY=off", "set GOPROXY"},
		"disk":      {"write /tmp/x: no space left on device", "the disk is full"},
		"memory":    {"k8s.io/api/core/v1: compile: signal: killed", "lack of memory"},
		"compiler":  {strings.Repeat("noise\n", 30) + "main.go:1:1: undefined: x", "undefined: x"},
	} {
		t.Run(name, func(t *testing.T) {
			err := explain(Tool{Name: "x", Module: "m"}, c.stderr, errors.New("exit status 1"))
			if !contains(err.Error(), "x: ", c.want) {
				t.Errorf("want %q in: %v", c.want, err)
			}
			if lines := strings.Count(err.Error(), "\n"); lines > 22 {
				t.Errorf("%d lines are too many to read", lines)
			}
		})
	}
}
