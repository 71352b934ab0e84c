// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// scripted is a workspace whose commands are these shell scripts; calls returns what they were called with.
func scripted(t *testing.T, commands map[string]string) (w *workspace, calls func() []string) {
	t.Helper()
	dir := t.TempDir()
	w = &workspace{options: options{Stack: "x"}, root: dir, home: dir, cache: filepath.Join(dir, "cache"), own: filepath.Join(dir, "own")}
	if err := os.MkdirAll(w.own, 0o700); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "calls")
	for name, script := range commands {
		text := "#!/bin/sh\necho \"" + name + " $*\" >>" + log + "\n" + script + "\n"
		if err := os.WriteFile(filepath.Join(w.own, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return w, func() []string {
		text, err := os.ReadFile(log)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
}

const (
	servesBoth = `case "$1 $2" in
"get crd") echo customresourcedefinition.apiextensions.k8s.io/messagingservices.messaging.spine.nhs.uk
           echo customresourcedefinition.apiextensions.k8s.io/bookingservices.booking.ers.nhs.uk;;
"get messaging"*) echo spine-messaging/spine;;
"get booking"*) echo spine-booking/ers;;
esac
`
	managerGone = servesBoth + `test "$1" != delete`
	apiDead     = `echo "connection refused" >&2; exit 1`
)

func TestReleaseServices(t *testing.T) {
	verbs := func(calls []string) (out []string) {
		for _, c := range calls {
			if words := strings.Fields(c); len(words) > 3 && words[1] != "get" {
				out = append(out, words[1]+" "+words[3])
			}
		}
		return out
	}
	for name, tt := range map[string]struct {
		kubectl string
		want    []string
	}{
		"no services":         {"", nil},
		"both":                {servesBoth, []string{"annotate spine", "delete spine", "annotate ers", "delete ers"}},
		"without the manager": {managerGone, []string{"annotate spine", "delete spine", "patch spine", "annotate ers", "delete ers", "patch ers"}},
		"a dead API":          {apiDead, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w, calls := scripted(t, map[string]string{"kubectl": tt.kubectl})
			w.releaseServices(t.Context())
			if got := calls(); got[0] != "" {
				t.Errorf("asked a cluster that never was: %v", got)
			}
			if err := os.WriteFile(w.kubeconfig(), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			w.releaseServices(t.Context())
			if got := verbs(calls()); !slices.Equal(got, tt.want) {
				t.Errorf("did %q, want %q", got, tt.want)
			}
			for _, c := range calls() {
				if strings.Contains(c, " annotate ") && !strings.Contains(c, "spine.nhs.uk/force-delete-reason=make down: ") {
					t.Errorf("no reason: %s", c)
				}
			}
		})
	}
}

func TestServiceStatus(t *testing.T) {
	w, calls := scripted(t, map[string]string{"kubectl": `case "$*" in
"get crd"*) echo customresourcedefinition.apiextensions.k8s.io/messagingservices.messaging.spine.nhs.uk
           echo customresourcedefinition.apiextensions.k8s.io/bookingservices.booking.ers.nhs.uk;;
"get messaging"*jsonpath*) echo "spine-messaging/spine False BrokerUnavailable";;
"get booking"*jsonpath*) echo spine-booking/ers;;
esac`})
	if err := w.serviceStatus(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(calls(), "\n")
	for _, want := range []string{" spine --namespace=spine-messaging", " ers --namespace=spine-booking"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q was not shown:\n%s", want, all)
		}
	}
	if got, want := w.unwell("spine", "Starting"), "spine is not ready: Starting"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	w.root = "../.."
	if got, want := w.unwell("spine", "BrokerUnavailable"), "spine is not ready: BrokerUnavailable: see runbooks/BrokerUnavailable.md"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A practice site is destroyed though hosts of it do not answer: they go with the rack.
func TestDestroyForgetsWhatDoesNotAnswer(t *testing.T) {
	w, calls := scripted(t, map[string]string{
		"pulumi": `case "$1 $SPINE_DELETE_UNREACHABLE" in "destroy true"|stack*) ;; *) exit 1;; esac`,
	})
	if err := w.destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := calls(); len(got) != 2 || !strings.HasPrefix(got[0], "pulumi destroy --yes --stack x") || !strings.HasPrefix(got[1], "pulumi stack rm x") {
		t.Errorf("ran %q", got)
	}
}
