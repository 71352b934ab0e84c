// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/fields"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Pauses of a watch: until it is opened again after it was cut, and between two looks
// without one, so that a proxy that holds events back delays nothing by more.
const (
	reopenAfter = time.Second
	lookAgain   = 5 * time.Second
)

// follow hands an operation to seen whenever it changed, until that says that it has seen
// enough, and returns what it saw last. An API server that is away for a while, as it is
// when the operation is on its host, does not end it; what nobody can mend does.
func (s *site) follow(ctx context.Context, o *api.ServiceRecovery, seen func(*api.ServiceRecovery) bool) (*api.ServiceRecovery, error) {
	version := ""
	for {
		now, err := s.look(ctx, o)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && !s.unreachable(err):
			return nil, s.explain(err, "read operation "+o.Namespace+"/"+o.Name)
		case err == nil && now.UID != o.UID && o.UID != "":
			return nil, fmt.Errorf("operation %s/%s was deleted, and another one made with its name", o.Namespace, o.Name)
		case err == nil && now.ResourceVersion != version:
			version = now.ResourceVersion
			if seen(now) {
				return now, nil
			}
		}
		if err := s.untilChanged(ctx, o, version); err != nil {
			return nil, err
		}
	}
}

func (s *site) look(ctx context.Context, o *api.ServiceRecovery) (*api.ServiceRecovery, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return s.read(ctx, kindOf(o), client.ObjectKeyFromObject(o))
}

// untilChanged returns at the first sign of a change, or when it is time to look again.
func (s *site) untilChanged(ctx context.Context, o *api.ServiceRecovery, version string) error {
	look, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	w, err := s.client.Watch(look, listOf(o), client.InNamespace(o.Namespace), &client.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("metadata.name", o.Name),
	})
	if err != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(reopenAfter):
			return nil
		}
	}
	defer w.Stop()
	for {
		select {
		case <-look.Done():
			return ctx.Err()
		case event, open := <-w.ResultChan():
			if !open || event.Type == apiwatch.Error {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(reopenAfter):
					return nil
				}
			}
			// A new watch begins with the object as it is, which has been looked at already.
			if changed, ok := event.Object.(client.Object); ok && changed.GetName() == o.Name && changed.GetResourceVersion() != version {
				return nil
			}
		}
	}
}

// stopped says that the person or --timeout ended a watch, rather than the operation.
func stopped(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
