// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"

	"spine.nhs.uk/controlplane/operators/adapters/hostprobe"
	"spine.nhs.uk/controlplane/operators/adapters/opsprobe"
	"spine.nhs.uk/controlplane/operators/adapters/peersite"
	"spine.nhs.uk/controlplane/operators/adapters/redfish"
	resilienceapi "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/controllers/hostfailure"
	"spine.nhs.uk/controlplane/operators/controllers/servicerecovery"
	"spine.nhs.uk/controlplane/operators/kit"
)

// policy of the environment. A manager that does not know what that asks of operations does
// not start: it would ask for less.
func policy(o *options) (*resilienceapi.OperationsConfig, error) {
	text, err := os.ReadFile(o.operationsConfig)
	if err != nil {
		return nil, fmt.Errorf("--operations-config: %w", err)
	}
	config, err := resilienceapi.ParseOperationsConfig(text)
	if err != nil {
		return nil, fmt.Errorf("--operations-config: %s: %w", o.operationsConfig, err)
	}
	return config, nil
}

// recoveries makes the controller of operations.
func recoveries(
	m ctrl.Manager, o *options, config *resilienceapi.OperationsConfig, prober *opsprobe.Prober, events *kit.Events,
) *servicerecovery.Reconciler {
	r := &servicerecovery.Reconciler{
		Client: m.GetClient(), Reader: m.GetAPIReader(), Prober: prober, DeadLetters: prober, Events: events, Clock: clock.RealClock{},
		Policy: *config, Actions: servicerecovery.Actions(),
		Power: redfish.New(o.hostsDir), Messaging: o.messaging, Booking: o.booking,
	}
	if _, pair := o.pair(); pair {
		r.Peer = peersite.New(o.peerKubeconfig)
	}
	return r
}

// hosts adds what watches hosts, unless they are left alone.
func hosts(m ctrl.Manager, o *options, recovery *servicerecovery.Reconciler) error {
	if o.hostsDir == "" {
		return nil
	}
	w := &hostfailure.Watcher{
		Client: m.GetClient(), Reader: m.GetAPIReader(), Power: recovery.Power, Prober: hostprobe.New(o.sshPort),
		Events: recovery.Events, Clock: clock.RealClock{}, Elected: m.Elected(), Rest: recovery.Policy.CoolDown.Duration,
	}
	return w.SetupWithManager(m)
}
