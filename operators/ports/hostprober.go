// SPDX-License-Identifier: Apache-2.0

package ports

import "context"

// Reach is how far a program on a host answers, from best to worst.
type Reach string

const (
	// ReachServes: the program itself spoke.
	ReachServes Reach = "Serves"
	// ReachAnswers: the host's kernel answered, by a connection or its refusal, and the
	// program did not speak.
	ReachAnswers Reach = "Answers"
	// ReachSilent: nothing came back.
	ReachSilent Reach = "Silent"
)

// HostReach is what came back from a host.
type HostReach struct {
	// Kubelet and SSH daemon: the two programs that every host runs. SSH is empty when it was
	// not asked, as the kubelet had spoken.
	Kubelet, SSH Reach
}

// Silent says that nothing at all came back.
func (r HostReach) Silent() bool { return r.Kubelet == ReachSilent && r.SSH == ReachSilent }

// Serves says that at least one program spoke: the host is alive.
func (r HostReach) Serves() bool { return r.Kubelet == ReachServes || r.SSH == ReachServes }

// HostProber knocks at hosts.
type HostProber interface {
	// Probe a host by its IP address. It takes no longer than ctx allows.
	Probe(ctx context.Context, address string) HostReach
}
