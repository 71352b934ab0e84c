// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
	"spine.nhs.uk/controlplane/infra/provider/quorum"
)

// initialise starts the cluster on v. The other control planes fetch their
// images meanwhile, so that their joins need not.
func (s *session) initialise(ctx context.Context, v *hostView) error {
	config, err := s.initConfig(v)
	if err != nil {
		return err
	}
	prefetched := make(chan struct{})
	go func() {
		defer close(prefetched)
		// A host that could not fetch beforehand does it when it joins, and
		// that reports what is wrong.
		_ = s.each(ctx, func(o *hostView) error {
			if o == v || o.Host.Role != RoleControlPlane {
				return nil
			}
			return s.prefetch(ctx, o)
		})
	}()
	defer func() { <-prefetched }()
	if err := s.place(ctx, v); err != nil {
		return err
	}
	const file = kubeadmDir + "/init.yaml"
	if err := v.Conn.Upload(ctx, file, config, 0o600); err != nil {
		return err
	}
	return s.runUnit(ctx, v, "spine-kubeadm-init", fmt.Sprintf(`set -eu
grep -q '"phase":"%[1]s"' %[2]s && exit 0
kubeadm init --config %[3]s --skip-token-print
rm -f %[3]s
%[4]s`, phaseMember, markerFile, file, s.record(v)))
}

// prefetch pulls the control plane's images on v.
func (s *session) prefetch(ctx context.Context, v *hostView) error {
	config, err := s.initConfig(v)
	if err != nil {
		return err
	}
	const file = kubeadmDir + "/images.yaml"
	if err := v.Conn.Upload(ctx, file, config, 0o600); err != nil {
		return err
	}
	_, err = v.Conn.Run(ctx, fmt.Sprintf("# fetch the control plane's images\n%s config images pull --config %[2]s; rm -f %[2]s\n",
		binary(s.args.KubernetesVersion, "kubeadm"), file))
	return err
}

func (s *session) initConfig(v *hostView) ([]byte, error) {
	token, err := newToken()
	if err != nil {
		return nil, err
	}
	return kubeadm.Init(s.args.settings(), s.node(v), token)
}

// join makes hosts members: workers all at once; control planes so that etcd
// gets one member at a time. A control plane is a member of etcd long before
// its join ends: the next one begins when etcd is whole again, not only when
// the last kubelet has registered.
func (s *session) join(ctx context.Context, hosts []*hostView) error {
	controlPlane := hosts[0].Host.Role == RoleControlPlane
	placed := make(chan error, 1)
	go func() {
		placed <- s.each(ctx, func(v *hostView) error {
			if !slices.Contains(hosts, v) {
				return nil
			}
			return s.place(ctx, v)
		})
	}()
	secrets, err := s.mint(ctx, controlPlane)
	if err := errors.Join(err, <-placed); err != nil {
		return err
	}
	// Not ctx: what was minted is taken back even when the user interrupts.
	defer s.revoke(context.WithoutCancel(ctx), secrets)
	j := &joins{s: s, ends: make(chan joinEnd, len(hosts))}
	for i, v := range hosts {
		j.running++
		go func() { j.ends <- joinEnd{v.Host.Name, s.joinOne(ctx, v, secrets)} }()
		if !controlPlane || i == len(hosts)-1 {
			continue
		}
		if err := j.awaitVoter(ctx, v.Host.Name); err != nil {
			break // in j.errs, as are those of joins that still run
		}
		s.progress("join %s: etcd is whole again", hosts[i+1].Host.Name)
	}
	for j.running > 0 {
		j.end(<-j.ends)
	}
	return errors.Join(j.errs...)
}

// joins are joins that overlap.
type joins struct {
	s       *session
	ends    chan joinEnd
	running int
	errs    []error
}

type joinEnd struct {
	name string
	err  error
}

func (j *joins) end(e joinEnd) {
	j.running--
	if e.err != nil {
		j.errs = append(j.errs, e.err)
	}
}

// settleTime is how long etcd may take to be healthy after a join has ended.
const settleTime = 30 * time.Second

// awaitVoter waits until etcd has the named member as a voter and all its
// voters are healthy, or until a join fails.
func (j *joins) awaitVoter(ctx context.Context, name string) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	var late <-chan time.Time // runs from the end of the member's own join
	for {
		select {
		case <-ctx.Done():
		case <-late:
			j.errs = append(j.errs, fmt.Errorf("host %s has joined, but etcd is not healthy with it after %s: look at etcd's log there, then run again", name, settleTime))
		case e := <-j.ends:
			j.end(e)
			if e.name == name {
				late = time.After(settleTime)
			}
		case <-tick.C:
		}
		if err := errors.Join(append(j.errs, ctx.Err())...); err != nil {
			return err
		}
		if members, err := listEtcd(ctx, j.s.speaker.Conn); err == nil && wholeWith(members, name) {
			return nil
		}
	}
}

// wholeWith says that etcd has the named voter, no learner, and nobody is down.
func wholeWith(members []etcdMember, name string) bool {
	for _, m := range members {
		if m.Learner || m.Health != quorum.Healthy {
			return false
		}
	}
	return listed(members, name)
}

func (s *session) joinOne(ctx context.Context, v *hostView, secrets kubeadm.Secrets) error {
	config, err := kubeadm.Join(s.args.settings(), s.node(v), secrets)
	if err != nil {
		return err
	}
	const file = kubeadmDir + "/join.yaml"
	if err := v.Conn.Upload(ctx, file, config, 0o600); err != nil {
		return err
	}
	return s.runUnit(ctx, v, "spine-kubeadm-join", fmt.Sprintf(`set -eu
grep -q '"phase":"%[1]s"' %[2]s && exit 0
%[5]skubeadm join --config %[3]s
rm -f %[3]s
%[4]s`, phaseMember, markerFile, file, s.record(v), s.awaitEndpoint()))
}

// awaitEndpoint is shell that waits up to 1 min until the API's address
// answers from this host. It may just be on its way to a new control plane, and
// kubeadm asks only every 5 s.
func (s *session) awaitEndpoint() string {
	url := fmt.Sprintf("https://%s:%d", s.args.Endpoint.Name, s.args.settings().EndpointPort)
	return fmt.Sprintf(`n=0
until curl -sk --max-time 2 -o /dev/null %[1]s/livez; do
	n=$((n + 1))
	[ $n -lt 200 ] || { echo "%[1]s does not answer on this host: see which host holds the address" >&2; exit 1; }
	sleep 0.3
done
`, url)
}
