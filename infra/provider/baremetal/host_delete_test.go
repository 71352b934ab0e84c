// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"errors"
	"slices"
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"

	"spine.nhs.uk/controlplane/infra/provider/remote"
	"spine.nhs.uk/controlplane/infra/provider/remote/remotetest"
)

func mismatch() *remotetest.Host {
	return &remotetest.Host{DialError: &remote.HostKeyMismatchError{Host: "a", Address: "10.90.0.11", Pinned: "SHA256:p", Presented: "SHA256:q"}}
}

func unreachable() *remotetest.Host {
	return &remotetest.Host{DialError: &remote.UnreachableError{Host: "a", Address: "10.90.0.11", Err: errors.New("no route")}}
}

func TestDelete(t *testing.T) {
	_, state := created(t, goodHost())
	fake := bareMachine().dialer()
	if err := hostServer(t, fake).Delete(p.DeleteRequest{ID: "a", Urn: hostURN, Properties: state}); err != nil {
		t.Fatal(err)
	}
	if got, want := did(fake), []string{"undoing host a", "put things back", "spine-cleanup", "remove the logs of our units"}; !slices.Equal(got, want) {
		t.Errorf("did %q, want %q", got, want)
	}
	for _, c := range fake.Calls() {
		if strings.Contains(c.Script, "restore_unit 'ssh.service'") {
			t.Error("sshd is touched")
		}
	}
}

func TestDeleteMachineThatDoesNotAnswer(t *testing.T) {
	_, state := created(t, goodHost())
	tests := map[string]struct {
		host   *remotetest.Host
		forget string
		says   string
	}{
		"another machine": {host: mismatch()},
		"unreachable":     {host: unreachable(), says: "SPINE_DELETE_UNREACHABLE=true"},
		"forgotten":       {host: unreachable(), forget: "true"},
		"wrong word":      {host: unreachable(), forget: "yes", says: "SPINE_DELETE_UNREACHABLE=true"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv(deleteUnreachableEnv, test.forget)
			err := hostServer(t, remotetest.New(map[string]*remotetest.Host{"a": test.host})).Delete(p.DeleteRequest{ID: "a", Urn: hostURN, Properties: state})
			if (err != nil) != (test.says != "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}
