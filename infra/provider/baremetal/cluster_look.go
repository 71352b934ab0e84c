// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// dialTimeout bounds how long one host that does not answer may hold up the others.
const dialTimeout = 10 * time.Second

// hostView is one host: how to reach it and what it said last.
type hostView struct {
	Host ClusterHost
	// Former hosts are no longer asked for; they are here to be reset.
	Former bool
	// Conn is nil and Err says why while the host cannot be reached.
	Conn  remote.Host
	Err   error
	Probe memberProbe
}

// reached says that the host answered and its probe is valid.
func (v *hostView) reached() bool { return v.Err == nil && v.Conn != nil }

// session is one operation on a cluster: the hosts and what is known of them.
type session struct {
	dialer   remote.Dialer
	args     ClusterArgs
	hosts    []*hostView // as asked for, in order, then former ones
	existed  bool        // the cluster is known to have run
	progress progress
	warnings func(string) // stay in the log of the update
	notes    func(string)
	touched  bool // something was changed, so that a failure leaves a partial cluster

	// What the last look saw of the cluster as a whole. speaker is the control
	// plane that told, nil when none could.
	speaker      *hostView
	etcd         []etcdMember
	nodes        map[string]nodeView
	speakerFault error
}

// newSession prepares to work on args; prior is nil for a new cluster.
func newSession(d remote.Dialer, args ClusterArgs, prior *ClusterState, say progress) *session {
	s := &session{dialer: d, args: args, progress: say}
	for _, h := range args.Hosts {
		s.hosts = append(s.hosts, &hostView{Host: h})
	}
	if prior == nil {
		return s
	}
	s.existed = len(prior.Members) > 0
	for _, h := range prior.Hosts {
		if !sameMachineIn(args.Hosts, h) {
			s.hosts = append(s.hosts, &hostView{Host: h, Former: true})
		}
	}
	return s
}

// sameMachineIn says whether one of hosts is reached like h: then it is seen
// through that one.
func sameMachineIn(hosts []ClusterHost, h ClusterHost) bool {
	for _, o := range hosts {
		if o.Address == h.Address && (o.SSH.HostKey == h.SSH.HostKey || o.Name == h.Name && o.MachineID == h.MachineID) {
			return true
		}
	}
	return false
}

func (s *session) close() {
	for _, v := range s.hosts {
		if v.Conn != nil {
			v.Conn.Close()
		}
	}
}

// look asks all hosts at once, then one control plane for etcd and the nodes.
// Hosts that do not answer are part of what is seen, not an error.
func (s *session) look(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, v := range s.hosts {
		wg.Go(func() { s.lookAt(ctx, v) })
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	s.speaker, s.etcd, s.nodes = nil, nil, nil
	var faults []error
	for _, v := range s.hosts {
		if !v.reached() || !s.isMember(v) || v.Probe.Marker.Role != RoleControlPlane {
			continue
		}
		etcd, err := listEtcd(ctx, v.Conn)
		if err != nil {
			faults = append(faults, fmt.Errorf("etcd on host %s: %w", v.Host.Name, err))
			continue
		}
		nodes, err := listNodes(ctx, v.Conn, v.Host.Address, s.args.settings().EndpointPort)
		if err != nil {
			faults = append(faults, fmt.Errorf("API on host %s: %w", v.Host.Name, err))
			continue
		}
		// A member that was just removed still answers, from memory of its own.
		if !listed(etcd, v.Host.Name) {
			faults = append(faults, fmt.Errorf("host %s is no member of its own etcd", v.Host.Name))
			continue
		}
		s.speaker, s.etcd, s.nodes = v, etcd, nodes
		break
	}
	s.speakerFault = errors.Join(faults...)
	return ctx.Err()
}

func listed(members []etcdMember, name string) bool {
	for _, m := range members {
		if m.Name == name {
			return true
		}
	}
	return false
}

// isMember says that the host's own record is one of a complete member.
func (s *session) isMember(v *hostView) bool {
	m := v.Probe.Marker
	return m != nil && m.Cluster == s.args.Name && m.Phase == phaseMember
}

// lookAt probes one host, connecting again when the connection was lost.
func (s *session) lookAt(ctx context.Context, v *hostView) {
	for range 2 {
		if v.Conn == nil {
			dial, cancel := context.WithTimeout(ctx, dialTimeout)
			v.Conn, v.Err = s.dialer.Dial(dial, v.Host.SSH.Target(v.Host.Name, v.Host.Address))
			cancel()
			if v.Err != nil {
				v.Conn = nil
				return
			}
		}
		var res remote.Result
		res, v.Err = v.Conn.Run(ctx, memberProbeScript(s.args.Endpoint.Name))
		if v.Err == nil {
			v.Probe, v.Err = parseMemberProbe(res.Stdout)
			if v.Err != nil {
				v.Err = fmt.Errorf("host %s (%s): %w", v.Host.Name, v.Host.Address, v.Err)
			}
			return
		}
		if remote.IsExit(v.Err) {
			return
		}
		v.Conn.Close()
		v.Conn = nil
	}
}

// view finds the host of that name on that machine; with an empty machine ID
// the name decides. It is nil when there is none.
func (s *session) view(name, machineID string) *hostView {
	for _, v := range s.hosts {
		if v.Host.Name == name && (machineID == "" || v.machineID() == machineID) {
			return v
		}
	}
	return nil
}

// machineID is what the host says, else what it was recorded as.
func (v *hostView) machineID() string {
	if v.reached() {
		return v.Probe.MachineID
	}
	return v.Host.MachineID
}
