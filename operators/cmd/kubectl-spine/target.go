// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// aService is one that an action can be on.
type aService struct {
	kind, namespace, name string
	suppliers             []string
	parts                 []string
}

// resolve finds the target at the site, so that a typo is found before anything is made.
func (r *request) resolve(ctx context.Context, s *site, namespace string) (ns string, service *api.ServiceRef, host string, err error) {
	if r.name.OnHost() {
		return systemNamespace, nil, r.target, s.checkHost(ctx, r.target)
	}
	all, err := s.services(ctx)
	if err != nil {
		return "", nil, "", err
	}
	if r.messagingOnly {
		all = slices.DeleteFunc(all, func(v aService) bool { return v.kind != "MessagingService" })
	}
	found, err := choose(all, r.target, namespace, r.name)
	if err != nil {
		return "", nil, "", err
	}
	if r.supplier != "" && !slices.Contains(found.suppliers, r.supplier) {
		return "", nil, "", fmt.Errorf("--supplier: %w", unknown("supplier", r.supplier, found.suppliers))
	}
	if r.part != "" && !slices.Contains(found.parts, r.part) {
		return "", nil, "", fmt.Errorf("--part: a %s has no %s: choose %s", found.kind, r.part, oneOf(found.parts))
	}
	if err := found.has(r.instance); err != nil {
		return "", nil, "", err
	}
	return found.namespace, &api.ServiceRef{Kind: found.kind, Name: found.name}, "", nil
}

// has says whether an instance may be one of the service's, by its name. Empty: none was given.
func (v aService) has(instance string) error {
	member, members := v.name+"-db-", "its database's instances are named "+v.name+"-db-1 and so on"
	if instance == "" || strings.HasPrefix(instance, member) {
		return nil
	}
	if v.kind == "MessagingService" {
		if strings.HasPrefix(instance, v.name+"-broker-server-") {
			return nil
		}
		members += ", its broker's " + v.name + "-broker-server-0 and so on"
	}
	return fmt.Errorf("--instance: %q is none of %s: %s", instance, v.name, members)
}

// choose picks the service that a target names, or the only one.
func choose(all []aService, target, namespace string, action api.Action) (aService, error) {
	var found []aService
	var names []string
	qualifier, name, qualified := strings.Cut(target, "/")
	if !qualified {
		name = target
	}
	for _, v := range all {
		if namespace != "" && v.namespace != namespace {
			continue
		}
		names = append(names, v.name)
		if target == "" || v.name == name && (!qualified || strings.EqualFold(v.kind, qualifier) || v.namespace == qualifier) {
			found = append(found, v)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		var full []string
		for _, v := range found {
			full = append(full, v.namespace+"/"+v.name)
		}
		return aService{}, fmt.Errorf("%s can be on several services: say %s", action, oneOf(full))
	case target == "":
		return aService{}, fmt.Errorf("there is no service here that %s can be on", action)
	}
	return aService{}, unknown("service for "+string(action), target, names)
}

// services of the site.
func (s *site) services(ctx context.Context) ([]aService, error) {
	var messaging messagingapi.MessagingServiceList
	var booking bookingapi.BookingServiceList
	if err := s.listAll(ctx, &messaging); err != nil {
		return nil, s.explain(err, "list MessagingServices")
	}
	if err := s.listAll(ctx, &booking); err != nil {
		return nil, s.explain(err, "list BookingServices")
	}
	var out []aService
	for _, m := range messaging.Items {
		v := aService{kind: "MessagingService", namespace: m.Namespace, name: m.Name, parts: parts[:3]}
		for _, supplier := range m.Spec.Suppliers {
			v.suppliers = append(v.suppliers, supplier.Name)
		}
		out = append(out, v)
	}
	for _, b := range booking.Items {
		out = append(out, aService{kind: "BookingService", namespace: b.Namespace, name: b.Name, parts: []string{parts[0], parts[3]}})
	}
	return out, nil
}

// checkHost finds typos. Whoever may not list hosts gets the manager's answer instead.
func (s *site) checkHost(ctx context.Context, name string) error {
	var nodes corev1.NodeList
	if err := s.client.List(ctx, &nodes); apierrors.IsForbidden(err) {
		return nil
	} else if err != nil {
		return s.explain(err, "list hosts")
	}
	var names []string
	for _, n := range nodes.Items {
		names = append(names, n.Name)
	}
	slices.Sort(names)
	if !slices.Contains(names, name) {
		return unknown("host", name, names)
	}
	return nil
}
