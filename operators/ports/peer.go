// SPDX-License-Identifier: Apache-2.0

package ports

import (
	"context"
	"errors"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// PeerService is a service at the other site.
type PeerService struct {
	// Name as Kind/namespace/name.
	Name string
	// Site is what it says of itself; nil when it does not exist, or says nothing yet.
	Site *common.SiteStatus
	// Acknowledged messages since its ledger began; -1: not known, or it counts none.
	Acknowledged int64
	// Backlog is its acknowledged, unprocessed work; -1: not known.
	Backlog int64
}

// PeerSite is the other site, as its API server has it now.
type PeerSite struct {
	// Policy of the other site.
	Policy *resilience.FailoverPolicy
	// Services that were asked for, in that order.
	Services []PeerService
}

// Peer is the other site. Its methods return a *PeerError when it does not answer or refuses.
type Peer interface {
	// Look reads the other site's policy and services.
	Look(ctx context.Context, services []resilience.PairedService) (PeerSite, error)
	// Ask for a handover, by its policy as it was read. ErrPeerChanged: it is another by now.
	Ask(ctx context.Context, read *resilience.FailoverPolicy, h resilience.Handover) error
	// Promise has the other site take nothing over before a time, by its policy as it was read.
	// ErrPeerChanged: it is another by now, and nothing was promised.
	Promise(ctx context.Context, read *resilience.FailoverPolicy, p resilience.Promise) error
}

// ErrPeerChanged: the other site's policy is not what was read.
var ErrPeerChanged = errors.New("the other site's policy has changed meanwhile")

// PeerError: the other site does not answer, or refuses.
type PeerError struct {
	// Err is the cause.
	Err error
}

func (e *PeerError) Error() string { return "the other site: " + e.Err.Error() }
func (e *PeerError) Unwrap() error { return e.Err }
