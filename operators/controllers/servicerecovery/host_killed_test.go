// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/ports"
)

// cutPower counts switching a host among the writes at which the manager is killed.
type cutPower struct {
	ports.Power
	c *cut
}

func (p cutPower) ForceOff(ctx context.Context, host string) error {
	return p.c.write(func() error { return p.Power.ForceOff(ctx, host) })
}

func (p cutPower) On(ctx context.Context, host string) error {
	return p.c.write(func() error { return p.Power.On(ctx, host) })
}

// killable reconciles once in a goroutine that may be ended at any write.
func (s *site) killable(o *api.ServiceRecovery) {
	GinkgoHelper()
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, err = s.r.Reconcile(s.ctx, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)})
	}()
	<-ended
	Expect(err).NotTo(HaveOccurred())
	Expect(cluster.Client.Get(s.ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
}

// fencedAway is a host that was fenced, and has no power.
func fencedAway(s *site) {
	GinkgoHelper()
	s.lose("b")
	s.power.Set("b", ports.PowerOff)
	n := s.node("b")
	n.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeOutOfService, Value: "nodeshutdown", Effect: corev1.TaintEffectNoExecute}}
	Expect(cluster.Client.Update(s.ctx, n)).To(Succeed())
}

// killedAt are the entries of one action: killed before and after each of its writes.
func killedAt(name string, writes int, action api.Action, prepare func(*site), switched []string) []TableEntry {
	var out []TableEntry
	for at := 1; at <= writes; at++ {
		for _, after := range []bool{false, true} {
			out = append(out, Entry(fmt.Sprintf("%s, write %d, after it took effect: %t", name, at, after),
				fmt.Sprintf("cut-%s-%d-%t", name, at, after), at, after, action, prepare, switched))
		}
	}
	return out
}

var _ = Describe("A manager that is killed at a write on a host", Serial, func() {
	DescribeTable("goes on, and switches nothing twice:",
		func(ctx SpecContext, name string, at int, after bool, action api.Action, prepare func(*site), switched []string) {
			s := newSite(ctx, name)
			prepare(s)
			o := s.ask(action, "b")
			s.begin(o)
			c := &cut{Client: manager, at: at, after: after}
			s.r.Client, s.r.Power = c, cutPower{s.power, c}
			for n := 0; !o.Status.Phase.Ended() && n < 60; n++ {
				s.killable(o)
				s.cluster()
				if slices.Contains(s.power.Done(), "on b") && slices.Contains(s.frozen, "b") {
					s.back("b")
				}
				s.clock.Step(4 * time.Second)
			}
			Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
			Expect(c.writes).To(BeNumerically(">=", at))
			Expect(s.power.Done()).To(Equal(switched))
			if action == api.ActionReturnHost {
				Expect(s.serves("b")).To(BeTrue())
			} else {
				Expect(s.on("b")).To(BeEmpty())
			}
			s.step(o)
		},
		killedAt("drain", 4, api.ActionDrainHost, func(*site) {}, nil),
		killedAt("fence", 5, api.ActionFenceHost, func(s *site) { s.lose("b") }, []string{"off b"}),
		killedAt("return", 2, api.ActionReturnHost, fencedAway, []string{"on b"}),
	)
})
