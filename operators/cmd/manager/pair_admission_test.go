// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package main

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

// client of a site as the other site, by the kubeconfig that it has.
func (p *pair) peer(h *half) client.Client {
	p.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", h.kubeconfig)
	p.must(err)
	return p.connect(config)
}

func (p *pair) connect(config *rest.Config) client.Client {
	p.Helper()
	c, err := client.New(config, client.Options{Scheme: operatortest.Scheme()})
	p.must(err)
	return c
}

// admission: who may write what two sites say to each other, and to their services.
func (p *pair) admission() {
	east := p.halves[0]
	manager := p.connect(east.cluster.ManagerConfig())
	annotate := func(key string) client.Patch {
		return client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"Standby"}}}`, key))
	}
	spec := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"term":"30s"}}`))
	policy, service := p.policyOf(east), p.service(east)
	for name, c := range map[string]struct {
		who    client.Client
		what   client.Object
		patch  client.Patch
		refuse string
	}{
		"the other site asks":                      {p.peer(east), policy, annotate(resilience.HandoverAnnotation), ""},
		"the other site changes the specification": {p.peer(east), policy, spec, "and nothing else"},
		"the other site writes something else":     {p.peer(east), policy, annotate("example.test/note"), "and nothing else"},
		"the other site gives a role":              {p.peer(east), service, annotate("spine.nhs.uk/role"), "cannot patch resource"},
		"a person asks for a handover":             {p.alice(east), policy, annotate(resilience.HandoverAnnotation), "leave them as they are"},
		"a person gives a role":                    {p.alice(east), service, annotate("spine.nhs.uk/role"), "ask for a Failover"},
		"a person gives a token":                   {p.alice(east), service, annotate("spine.nhs.uk/promotion-token"), "ask for a Failover"},
		"the manager gives a role":                 {manager, service, annotate("spine.nhs.uk/role"), ""},
		"a person changes the specification":       {p.alice(east), policy, spec, ""},
	} {
		err := c.who.Patch(p.Context(), c.what.DeepCopyObject().(client.Object), c.patch, client.DryRunAll)
		if (err == nil) != (c.refuse == "") || err != nil && !strings.Contains(err.Error(), c.refuse) {
			p.Errorf("%s: %v", name, err)
		}
	}
	asks := func(by string, change func(*resilience.FailoverSpec)) *resilience.Failover {
		o := &resilience.Failover{}
		o.Namespace, o.Name = "spine-system", "asked"
		o.Spec = resilience.FailoverSpec{Mode: resilience.FailoverUnplanned, To: "east", OperationSpec: resilience.OperationSpec{RequestedBy: by, Reason: "incident 4711"}}
		change(&o.Spec)
		return o
	}
	const managerUser = "system:serviceaccount:spine-system:spine-manager"
	for name, c := range map[string]struct {
		who    client.Client
		by     string
		change func(*resilience.FailoverSpec)
		refuse string
	}{
		"a person":               {p.alice(east), "alice", func(*resilience.FailoverSpec) {}, ""},
		"in another's name":      {p.alice(east), "bob", func(*resilience.FailoverSpec) {}, "expected alice"},
		"the manager takes over": {manager, managerUser, func(*resilience.FailoverSpec) {}, ""},
		"the manager hands over": {manager, managerUser, func(s *resilience.FailoverSpec) { s.Mode = resilience.FailoverPlanned }, "all that the manager asks for"},
		"the manager accepts what nobody knows": {manager, managerUser, func(s *resilience.FailoverSpec) {
			s.AcceptUnknownLoss = &resilience.AcceptUnknownLoss{Reason: "it is night"}
		}, "all that the manager asks for"},
		"planned, with a loss": {p.alice(east), "alice", func(s *resilience.FailoverSpec) {
			s.Mode, s.MaxLoss = resilience.FailoverPlanned, &resilience.LossLimit{Seconds: 1}
		}, "a planned failover loses nothing"},
		"a real run without a plan": {p.alice(east), "alice", func(s *resilience.FailoverSpec) { s.DryRun = ptr.To(false) }, "planDigest is required"},
		"a site of no name":         {p.alice(east), "alice", func(s *resilience.FailoverSpec) { s.To = "East 1" }, "spec.to"},
	} {
		err := c.who.Create(p.Context(), asks(c.by, c.change), client.DryRunAll)
		if (err == nil) != (c.refuse == "") || err != nil && !strings.Contains(err.Error(), c.refuse) {
			p.Errorf("%s: %v", name, err)
		}
	}
}
