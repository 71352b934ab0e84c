// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/host"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/kit/operation"
	"spine.nhs.uk/controlplane/operators/ports"
)

// onHost is what the actions on a host have in common.
type onHost struct {
	*Reconciler
	operation *api.ServiceRecovery
	// whole: all parts have to have all their members afterwards.
	whole bool
}

func (a *onHost) name() string { return a.operation.Spec.Host }

// own operations were asked for by the manager itself.
func (a *onHost) own() bool { return a.operation.Spec.RequestedBy == ManagerUser }

func (a *onHost) look(ctx context.Context) (*hostLook, error) { return a.hostFacts(ctx, a.name()) }

// found is look within a step, where the host has to exist.
func (a *onHost) found(ctx context.Context) (*hostLook, error) {
	l, err := a.look(ctx)
	if err == nil && l.node == nil {
		return nil, a.gone()
	}
	return l, err
}

func (a *onHost) gone() error {
	return operation.Failed("host %s is gone from the cluster: the operation has nothing left to act on", a.name())
}

// countLimit bounds how long is waited for the services' counts, which programs may not
// give while a host is lost: what is decided without them rests on the pods.
const countLimit = 1500 * time.Millisecond

// planned is what every plan on a host says besides.
func (a *onHost) planned(ctx context.Context, l *hostLook, d host.Decision) operation.Planned {
	p := operation.Planned{Plan: d.Plan, Blockers: d.Blockers, Resources: []string{"host-" + a.name()}}
	ctx, cancel := context.WithTimeout(ctx, countLimit)
	defer cancel()
	p.Backlog = a.work(ctx, l).now
	return p
}

// power asks the host's controller how it stands, and whether it is this host's.
func (a *onHost) power(ctx context.Context, node *corev1.Node) host.Power {
	machine, err := a.Power.State(ctx, a.name())
	if err != nil {
		return host.Power{Problem: err.Error()}
	}
	if node != nil && !same(machine, node) {
		return host.Power{Problem: fmt.Sprintf(
			"the management controller of host %s in the inventory says that it manages another machine (%s, %s)", a.name(), machine.HostName, machine.UUID)}
	}
	return host.Power{Off: machine.Power == ports.PowerOff}
}

// same compares what a controller and the kubelet say of the machine. A controller that says
// nothing of it is believed: the inventory is all there is then.
func same(m ports.Machine, node *corev1.Node) bool {
	if m.UUID == "" && m.HostName == "" {
		return true
	}
	short, _, _ := strings.Cut(m.HostName, ".")
	info := node.Status.NodeInfo
	return short != "" && strings.EqualFold(short, node.Name) || plain(m.UUID) != "" &&
		(plain(m.UUID) == plain(info.SystemUUID) || plain(m.UUID) == plain(info.MachineID) || swapped(plain(m.UUID)) == plain(info.SystemUUID))
}

func plain(uuid string) string { return strings.ToLower(strings.ReplaceAll(uuid, "-", "")) }

// swapped is a UUID whose first three fields have the other order of bytes: firmware and
// operating systems disagree about that.
func swapped(uuid string) string {
	if len(uuid) != 32 {
		return uuid
	}
	var out strings.Builder
	for _, field := range [][2]int{{0, 8}, {8, 12}, {12, 16}} {
		for i := field[1] - 2; i >= field[0]; i -= 2 {
			out.WriteString(uuid[i : i+2])
		}
	}
	return out.String() + uuid[16:]
}

// ask all programs at once; nil is who did not answer.
func (a *onHost) ask(ctx context.Context, l *hostLook) []*counts {
	answers := make([]*counts, len(l.services))
	var all sync.WaitGroup
	for i, t := range l.services {
		all.Go(func() { answers[i] = a.count(ctx, t) })
	}
	all.Wait()
	return answers
}

// counted is look, with the databases' members counted by their primaries' word.
func (a *onHost) counted(ctx context.Context) (*hostLook, error) {
	l, err := a.look(ctx)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, countLimit)
		defer cancel()
		l.follow(a.ask(ctx, l))
	}
	return l, err
}

// work is the acknowledged, unprocessed work of all services; now is nil when one of them
// does not say.
type work struct {
	now    *int64
	oldest time.Duration
}

func (a *onHost) work(ctx context.Context, l *hostLook) work {
	w := work{now: ptr.To(int64(0))}
	for _, c := range a.ask(ctx, l) {
		if c == nil {
			return work{}
		}
		*w.now += c.backlog
		w.oldest = max(w.oldest, c.oldest)
	}
	return w
}

// Verify implements operation.Action: every service's deep probe gets through, its backlog is
// back, and after a return every part has all its members.
func (a *onHost) Verify(ctx context.Context, started time.Time, evidence *api.Evidence) (operation.Progress, error) {
	l, err := a.counted(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	if whole, missing := l.Whole(); a.whole && !whole {
		return operation.Progress{Message: missing}, nil
	}
	o := recovery.Outcome{Before: evidence.BacklogBefore, Elapsed: a.Clock.Since(started)}
	for _, t := range l.services {
		probe := &onService{Reconciler: a.Reconciler}
		failure, err := probe.probe(ctx, t)
		if err != nil {
			return operation.Progress{}, err
		}
		if failure != "" {
			o.ProbeFailure = fmt.Sprintf("%s %s/%s: %s", t.ref.Kind, t.ref.Namespace, t.ref.Name, failure)
			break
		}
	}
	if o.ProbeFailure == "" {
		w := a.work(ctx, l)
		o.Now, o.Oldest = w.now, w.oldest
	}
	done, message := recovery.Whole(o)
	if done {
		evidence.BacklogAfter = o.Now
	}
	return operation.Progress{Done: done, Message: message}, nil
}

// end asks for a pod to end, exactly this one, as far as its budget allows. With no grace it
// leaves the record at once: for pods of which nothing runs any more. A pod whose budget does
// not allow it now is no error.
func (r *Reconciler) end(ctx context.Context, p *corev1.Pod, grace *int64) error {
	err := r.Client.SubResource("eviction").Create(ctx, p, &policyv1.Eviction{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name},
		DeleteOptions: &metav1.DeleteOptions{
			GracePeriodSeconds: grace, Preconditions: &metav1.Preconditions{UID: &p.UID},
		},
	})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) || apierrors.IsTooManyRequests(err) {
		return nil
	}
	return err
}

// changeNode applies a change to the host's node, unless it is so already. Its kubelet and
// the cluster's controllers write to it too.
func (a *onHost) changeNode(ctx context.Context, change func(*corev1.Node) map[string]any) error {
	var err error
	for range 5 {
		var l *hostLook
		if l, err = a.found(ctx); err != nil {
			return err
		}
		merge := change(l.node)
		if merge == nil {
			return nil
		}
		if err = a.patch(ctx, l.node, map[string]any{"spec": merge}); !apierrors.IsConflict(err) {
			return err
		}
	}
	return fmt.Errorf("host %s: %w", a.name(), err)
}

// unknownStep is a step that no plan of this manager has.
func unknownStep(name string) error {
	return errors.New("this manager does not know the step " + name + ": run the one that made the plan")
}
