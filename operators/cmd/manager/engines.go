// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/messaging"
)

// newcomerPace is how often to ask for kinds that the cluster did not know.
const newcomerPace = 30 * time.Second

// newcomers are the kinds of engines' operators that the cluster does not know: none of
// them is needed where somebody else runs the engines. They may come later, and are watched
// from the manager's next start, so that it ends when one has come.
type newcomers struct {
	mapper meta.RESTMapper
	kinds  []schema.GroupVersionKind
	pace   time.Duration
}

// engines asks the cluster which kinds it knows.
func engines(config *rest.Config) (meta.RESTMapper, *newcomers, error) {
	http, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, nil, err
	}
	mapper, err := apiutil.NewDynamicRESTMapper(config, http)
	if err != nil {
		return nil, nil, err
	}
	n := &newcomers{mapper: mapper, pace: newcomerPace}
	for _, gvk := range []schema.GroupVersionKind{database.GVK, messaging.BrokerGVK} {
		known, err := n.known(gvk)
		if err != nil {
			return nil, nil, fmt.Errorf("asking for %s: %w", gvk, err)
		}
		if !known {
			n.kinds = append(n.kinds, gvk)
		}
	}
	return mapper, n, nil
}

func (n *newcomers) known(gvk schema.GroupVersionKind) (bool, error) {
	_, err := n.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		return false, nil
	}
	return err == nil, err
}

// Start implements manager.Runnable: it ends with an error, and the manager with it, once the
// cluster knows one more kind.
func (n *newcomers) Start(ctx context.Context) error {
	tick := time.NewTicker(n.pace)
	defer tick.Stop()
	for {
		for _, gvk := range n.kinds {
			// An API server that does not answer is asked again.
			if known, err := n.known(gvk); err == nil && known {
				return fmt.Errorf("the cluster has learnt the kind %s: the manager has to start again to watch it", gvk.Kind)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica watches for itself.
func (n *newcomers) NeedLeaderElection() bool { return false }
