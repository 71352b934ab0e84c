// SPDX-License-Identifier: Apache-2.0

package hostfailure

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	decide "spine.nhs.uk/controlplane/operators/decide/hostfailure"
	"spine.nhs.uk/controlplane/operators/ports"
)

// observe looks at every host by every signal. Each is asked for itself: one that does not
// answer keeps no other from being seen.
func (w *Watcher) observe(ctx context.Context) {
	seen, err := w.heartbeats(ctx)
	if err != nil {
		log.FromContext(ctx).Error(err, "heartbeats of hosts could not be read")
		seen = nil
		for name := range w.addresses {
			seen = append(seen, decide.Sighting{Name: name})
		}
	}
	w.knock(ctx, seen)
	doubt := w.memory.Doubtful() || slices.ContainsFunc(seen, func(s decide.Sighting) bool { return s.Kubelet != decide.Serves })
	now := w.Clock.Now()
	w.controllers(ctx, seen, doubt || now.Sub(w.asked) >= controllersPace, doubt)
	now = w.Clock.Now()
	w.memory.Look(now, err == nil, seen)
	w.facts = w.memory.Facts()
	recordStates(w.facts)
}

// heartbeats are what the API knows: nodes and their leases.
func (w *Watcher) heartbeats(ctx context.Context) ([]decide.Sighting, error) {
	ctx, cancel := context.WithTimeout(ctx, apiLimit)
	defer cancel()
	var nodes corev1.NodeList
	if err := w.Reader.List(ctx, &nodes); err != nil {
		return nil, fmt.Errorf("nodes: %w", err)
	}
	var leases coordinationv1.LeaseList
	if err := w.Reader.List(ctx, &leases, client.InNamespace(leaseNamespace)); err != nil {
		return nil, fmt.Errorf("leases: %w", err)
	}
	renewed := map[string]time.Time{}
	for _, l := range leases.Items {
		if l.Spec.RenewTime != nil {
			renewed[l.Name] = l.Spec.RenewTime.Time
		}
	}
	w.addresses = map[string]string{}
	var seen []decide.Sighting
	for i := range nodes.Items {
		n := &nodes.Items[i]
		w.addresses[n.Name] = address(n)
		seen = append(seen, decide.Sighting{
			Name: n.Name, Renewed: renewed[n.Name], Cordoned: n.Spec.Unschedulable,
			Ready: slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
				return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
			}),
			Fenced: slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeOutOfService }),
		})
	}
	return seen, nil
}

func address(n *corev1.Node) string {
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	return ""
}

// knock at all hosts at once. One without an address is silent: nobody can reach it.
func (w *Watcher) knock(ctx context.Context, seen []decide.Sighting) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	var all sync.WaitGroup
	for i := range seen {
		all.Go(func() {
			reach := ports.HostReach{Kubelet: ports.ReachSilent, SSH: ports.ReachSilent}
			if a := w.addresses[seen[i].Name]; a != "" {
				reach = w.Prober.Probe(ctx, a)
			}
			seen[i].Kubelet, seen[i].SSH = decide.Reach(reach.Kubelet), decide.Reach(reach.SSH)
		})
	}
	all.Wait()
}

// controllers asks the management controllers of all hosts at once, when it is time to.
// Those that do not answer while nothing else is wrong are told about.
func (w *Watcher) controllers(ctx context.Context, seen []decide.Sighting, due, doubt bool) {
	managed, err := w.Power.Hosts()
	for i := range seen {
		seen[i].Managed = slices.Contains(managed, seen[i].Name)
	}
	if !due {
		return
	}
	w.asked = w.Clock.Now()
	if err != nil {
		w.Events.Publish(unanswered("", err))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, controllerLimit)
	defer cancel()
	problems := make([]error, len(seen))
	var all sync.WaitGroup
	for i := range seen {
		if !seen[i].Managed {
			continue
		}
		all.Go(func() {
			machine, err := w.Power.State(ctx, seen[i].Name)
			problems[i] = err
			switch {
			case err != nil:
			case machine.Power == ports.PowerOn:
				seen[i].Power = decide.PowerOn
			case machine.Power == ports.PowerOff:
				seen[i].Power = decide.PowerOff
			}
		})
	}
	all.Wait()
	for i, err := range problems {
		controllerAnswers(seen[i].Name, seen[i].Managed, err)
		if err != nil && !doubt {
			w.Events.Publish(unanswered(seen[i].Name, err))
		}
	}
}
