// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-go-provider/infer"

	"spine.nhs.uk/controlplane/infra/provider/remote"
	"spine.nhs.uk/controlplane/infra/provider/remote/remotetest"
)

// made is a site with a running cluster of a, b and c, and spare hosts.
func made(t *testing.T) (*site, *ClusterState) {
	s := newSite("a", "b", "c", "d", "e", "w1")
	state := mustUp(t, s, nil, s.args("a", "b", "c"))
	s.log, s.changes = nil, 0
	return s, state
}

// Each of these is refused with errors that name what is wrong, and changes nothing.
func TestClusterRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(*site)
		to   []string
		want []string
	}{
		{"removal while another is down", func(s *site) { s.hosts["b"].down = true }, []string{"a", "b"}, []string{"QuorumAtRisk", "host b", "cannot be reached"}},
		{"hosts that do not answer", func(s *site) { s.hosts["d"].down, s.hosts["e"].down = true, true }, []string{"a", "b", "d", "e"}, []string{"host d", "host e"}},
		{"quorum lost", func(s *site) { s.hosts["b"].down, s.hosts["c"].down = true, true }, []string{"a", "b", "c", "d"}, []string{"QuorumLost", "b or c"}},
		{"all replaced", nil, []string{"d", "e"}, []string{"AllReplaced"}},
		{"member of another cluster", func(s *site) { s.hosts["d"].mark = &marker{Cluster: "other", Phase: phaseMember} }, []string{"a", "b", "c", "d"}, []string{"host d", "member of cluster other"}},
		{"cluster not made here", func(s *site) { s.hosts["d"].traces = true }, []string{"a", "b", "c", "d"}, []string{"host d", "not made here"}},
		{"another machine", func(s *site) { s.hosts["d"].machine = strings.Repeat("ff", 16) }, []string{"a", "b", "c", "d"}, []string{"host d", "machine-id ffff"}},
		{"name not resolved", func(s *site) { s.hosts["d"].resolved = "" }, []string{"a", "b", "c", "d"}, []string{"host d", "hostEntries"}},
		{"nobody answers for the cluster", func(s *site) {
			for _, h := range s.hosts {
				h.mark, h.traces = nil, false
			}
		}, []string{"a", "b", "c"}, []string{"ClusterNotSeen"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, state := made(t)
			args := s.args(c.to...)
			if c.harm != nil {
				c.harm(s)
			}
			after, err := s.up(state, args)
			if err == nil {
				t.Fatalf("was not refused, did: %s", s.trace())
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error does not name %q: %v", w, err)
				}
			}
			if len(s.log) > 0 || after != state {
				t.Errorf("changed something: %s", s.trace())
			}
		})
	}
}

// A preview refuses what the update would refuse on the live cluster.
func TestPreviewRefuses(t *testing.T) {
	s, state := made(t)
	args := s.args("a", "b")
	s.hosts["b"].down = true
	c := &Cluster{Dialer: s.dialer()}
	_, err := c.Update(context.Background(), infer.UpdateRequest[ClusterArgs, ClusterState]{State: *state, Inputs: args, DryRun: true})
	if err == nil || !strings.Contains(err.Error(), "QuorumAtRisk") {
		t.Errorf("preview: %v", err)
	}
	if s.changes > 0 {
		t.Errorf("a preview ran %d scripts that change something", s.changes)
	}
}

func TestDeadMemberIsReplaced(t *testing.T) {
	s, state := made(t)
	s.hosts["c"].down = true
	state = mustUp(t, s, state, s.args("a", "b", "d"))
	if got, want := s.trace(), "etcd without c, delete node c, join d"; got != want {
		t.Errorf("did %s, expected %s", got, want)
	}
	if _, known := state.Members["c"]; known {
		t.Error("the dead host is still a member in state")
	}
}

// The machine behind a name was swapped: the old one's member goes first.
func TestMachineOfSameNameIsReplaced(t *testing.T) {
	s, state := made(t)
	old := *s.hosts["c"]
	fresh := newSite("a", "b", "c").hosts["c"]
	fresh.machine = strings.Repeat("ee", 16)
	s.hosts["c"] = fresh
	if old.machine == fresh.machine {
		t.Fatal("same machine")
	}
	mustUp(t, s, state, s.args("a", "b", "c"))
	if got, want := s.trace(), "etcd without c, delete node c, join c"; got != want {
		t.Errorf("did %s, expected %s", got, want)
	}
}

func TestClusterRefreshShowsDrift(t *testing.T) {
	s, state := made(t)
	s.hosts["b"].kubelet = "disabled, inactive"
	s.hosts["b"].files[memberFiles[2]] = "sha256:edited"
	delete(s.hosts["c"].files, memberFiles[0])
	s.hosts["a"].down = true
	c := &Cluster{Dialer: s.dialer()}
	out, err := c.Read(context.Background(), infer.ReadRequest[ClusterArgs, ClusterState]{ID: "local", State: *state, Inputs: state.ClusterArgs})
	if err != nil {
		t.Fatal(err)
	}
	if m := out.State.Members["b"]; m.Kubelet != "disabled, inactive" || m.Files[memberFiles[2]] != "changed" {
		t.Errorf("host b: %+v", m)
	}
	if m := out.State.Members["c"]; m.Files[memberFiles[0]] != "missing" {
		t.Errorf("host c: %+v", m)
	}
	if m := out.State.Members["a"]; m.Kubelet != kubeletRunning {
		t.Errorf("host a, which does not answer, was given up: %+v", m)
	}
	d := diffMembers(out.State.Members, s.args("a", "b", "c").desiredMembers())
	for _, key := range []string{`members["b"].kubelet`, `members["b"].files["/var/lib/kubelet/config.yaml"]`, `members["c"].files["/etc/systemd/system/kubelet.service"]`} {
		if _, ok := d[key]; !ok {
			t.Errorf("diff does not name %s: %v", key, d)
		}
	}
	if len(d) != 3 {
		t.Errorf("diff has more than the drift: %v", d)
	}
}

func TestClusterDelete(t *testing.T) {
	s, state := made(t)
	remove := func() error {
		_, err := (&Cluster{Dialer: s.dialer()}).Delete(context.Background(), infer.DeleteRequest[ClusterState]{State: *state})
		return err
	}
	s.hosts["c"].down = true
	if err := remove(); err == nil || !strings.Contains(err.Error(), "host c") || !strings.Contains(err.Error(), "SPINE_DELETE_UNREACHABLE=true") {
		t.Errorf("delete with a host that does not answer: %v", err)
	}
	if len(s.log) > 0 {
		t.Errorf("deleted %s although one host does not answer", s.trace())
	}
	t.Setenv("SPINE_DELETE_UNREACHABLE", "true")
	if err := remove(); err != nil {
		t.Error(err)
	}
	s.hosts["c"].down = false
	if err := remove(); err != nil {
		t.Error(err)
	}
	for _, n := range []string{"a", "b", "c"} {
		if h := s.hosts[n]; h.mark != nil || h.traces {
			t.Errorf("host %s was left unclean", n)
		}
	}
	if err := remove(); err != nil || strings.Count(s.trace(), "reset") != 3 {
		t.Errorf("a second delete is not quiet: %v", err)
	}
}

// A host whose key changed is another machine, and is left alone.
func TestDeleteLeavesStrangersAlone(t *testing.T) {
	_, state := made(t)
	fake := remotetest.New(map[string]*remotetest.Host{
		"a": {DialError: &remote.HostKeyMismatchError{Host: "a"}}, "b": {DialError: &remote.HostKeyMismatchError{Host: "b"}}, "c": {DialError: &remote.HostKeyMismatchError{Host: "c"}},
	})
	if _, err := (&Cluster{Dialer: fake}).Delete(context.Background(), infer.DeleteRequest[ClusterState]{State: *state}); err != nil || len(fake.Calls()) > 0 {
		t.Errorf("delete: %v, calls %v", err, fake.Calls())
	}
}

func TestLockedHostStopsTheUpdate(t *testing.T) {
	s, state := made(t)
	held := map[string]*remotetest.Host{}
	for name, h := range s.hosts {
		held[name] = &remotetest.Host{Rules: s.rules(h)}
	}
	held["b"].LockedBy = "cluster local, since noon"
	fake := remotetest.New(held)
	_, err := (&Cluster{Dialer: fake}).Update(context.Background(), infer.UpdateRequest[ClusterArgs, ClusterState]{State: *state, Inputs: s.args("a", "b", "c", "d")})
	if err == nil || !strings.Contains(err.Error(), "host b") || !strings.Contains(err.Error(), "since noon") || len(s.log) > 0 {
		t.Errorf("error %v, did %s", err, s.trace())
	}
}
