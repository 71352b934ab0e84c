// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"

	"spine.nhs.uk/controlplane/operators/adapters/aws/dynamodb"
	"spine.nhs.uk/controlplane/operators/adapters/aws/route53"
	"spine.nhs.uk/controlplane/operators/adapters/opsprobe"
	"spine.nhs.uk/controlplane/operators/adapters/peersite"
	"spine.nhs.uk/controlplane/operators/adapters/rfc2136"
	resilienceapi "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/controllers/failover"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports"
)

// sites adds what keeps or takes the right to serve, for one of two sites.
func sites(m ctrl.Manager, o *options, config *resilienceapi.OperationsConfig, prober *opsprobe.Prober, events *kit.Events) error {
	if _, pair := o.pair(); !pair {
		return nil
	}
	peer := peersite.New(o.peerKubeconfig)
	witness, traffic := third(o)
	policy := &failover.Policy{
		Client: m.GetClient(), Reader: m.GetAPIReader(), Witness: witness, Peer: peer, Traffic: traffic,
		Permits: prober, Prober: prober, Events: events, Clock: clock.RealClock{},
	}
	operations := &failover.Reconciler{
		Client: m.GetClient(), Reader: m.GetAPIReader(), Witness: witness, Peer: peer, Traffic: traffic,
		Prober: prober, Events: events, Clock: clock.RealClock{}, Rules: *config,
	}
	return errors.Join(policy.SetupWithManager(m), operations.SetupWithManager(m))
}

// third is the third place: a name server, or AWS.
func third(o *options) (ports.Witness, ports.TrafficDirector) {
	if o.thirdPlace == placeAWS {
		return dynamodb.NewWitness(o.witnessDir), route53.NewTraffic(o.trafficDir)
	}
	return rfc2136.NewWitness(o.witnessDir), rfc2136.NewTraffic(o.trafficDir)
}
