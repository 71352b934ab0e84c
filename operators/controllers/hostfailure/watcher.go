// SPDX-License-Identifier: Apache-2.0

// Package hostfailure watches hosts and, when one has failed for certain, asks for it to be
// fenced, and later to be returned, by ServiceRecoveries like those that people make.
package hostfailure

import (
	"context"
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	decide "spine.nhs.uk/controlplane/operators/decide/hostfailure"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports"
)

// +kubebuilder:rbac:groups="",resources=nodes,verbs=list
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=list,namespace=kube-node-lease
// +kubebuilder:rbac:groups=resilience.spine.nhs.uk,resources=servicerecoveries,verbs=list;create;patch;delete,namespace=spine-system
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch,namespace=spine-system

const (
	systemNamespace = "spine-system"
	leaseNamespace  = "kube-node-lease"
	// managerUser is the manager's own name as the API server knows it.
	managerUser = "system:serviceaccount:spine-system:spine-manager"

	apiLimit        = 1500 * time.Millisecond
	probeLimit      = 1500 * time.Millisecond
	controllerLimit = 3 * time.Second
	// controllersPace is the time between questions to the management controllers of hosts
	// that are well: one that could not fence its host is to be mended before it has to.
	controllersPace = time.Minute
	// stepPace is the time between looks at an operation that is being planned.
	stepPace = 250 * time.Millisecond
	// blockedLife is how long a dry run may be blocked, at least, before it is thrown away and
	// asked for anew.
	blockedLife = 3 * time.Second
)

// Watcher looks at hosts for as long as the manager runs. Every replica of the manager looks,
// so that one that comes to lead when the host of the other is lost knows already how long
// that has been silent; only the leader acts.
type Watcher struct {
	// Client writes, Reader reads without a cache.
	Client client.Client
	Reader client.Reader
	// Power asks management controllers; it never switches here.
	Power ports.Power
	// Prober knocks at hosts.
	Prober ports.HostProber
	// Events for people.
	Events *kit.Events
	// Clock is the time; it is read once for each look.
	Clock clock.WithTicker
	// Elected is closed when this replica leads.
	Elected <-chan struct{}
	// Rest is the environment's cool-down after an operation.
	Rest time.Duration

	memory decide.Memory
	facts  decide.Facts
	// addresses of hosts, as the API last said.
	addresses map[string]string
	// asked is when all management controllers were last asked.
	asked time.Time
	told  decide.Decision
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (w *Watcher) NeedLeaderElection() bool { return false }

// SetupWithManager adds the watcher.
func (w *Watcher) SetupWithManager(m ctrl.Manager) error { return m.Add(w) }

// Start implements manager.Runnable.
func (w *Watcher) Start(ctx context.Context) error {
	pace := w.Clock.NewTicker(decide.Pace)
	defer pace.Stop()
	step := w.Clock.NewTicker(stepPace)
	defer step.Stop()
	planning := w.Look(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-pace.C():
			planning = w.Look(ctx)
		case <-step.C():
			if planning {
				planning = w.Act(ctx)
			}
		}
	}
}

// Look at all hosts once, and act on it. It says whether an operation of its own is being
// planned, so that Act is to be called soon.
func (w *Watcher) Look(ctx context.Context) bool {
	w.observe(ctx)
	if ctx.Err() != nil {
		return false
	}
	return w.Act(ctx)
}

// Act decides by the last look and by the operations that there are now.
func (w *Watcher) Act(ctx context.Context) bool {
	if !w.leads() {
		return false
	}
	operations, err := w.operations(ctx)
	if err != nil {
		log.FromContext(ctx).Error(err, "operations on hosts")
		return false
	}
	w.facts.Operations, w.facts.Rest = facts(operations), w.Rest
	d := decide.Decide(w.facts)
	w.tell(d)
	planning, err := w.carryOut(ctx, d, operations)
	if err != nil {
		log.FromContext(ctx).Error(err, "acting on a host", "verdict", d.Verdict, "host", d.Host)
	}
	return planning
}

func (w *Watcher) leads() bool {
	select {
	case <-w.Elected:
		return true
	default:
		return false
	}
}
