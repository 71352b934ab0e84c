// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/ports"
)

// cut is a client whose manager is killed at its n-th write to the world, just before or
// just after that took effect. Writes of leases and status are the engine's, and have a test
// of their own.
type cut struct {
	client.Client
	at, writes int
	after      bool
}

func (c *cut) write(do func() error) error {
	c.writes++
	if c.writes == c.at && !c.after {
		runtime.Goexit()
	}
	err := do()
	if c.writes == c.at {
		runtime.Goexit()
	}
	return err
}

func (c *cut) Patch(ctx context.Context, o client.Object, p client.Patch, options ...client.PatchOption) error {
	return c.write(func() error { return c.Client.Patch(ctx, o, p, options...) })
}

func (c *cut) Apply(ctx context.Context, o apiruntime.ApplyConfiguration, options ...client.ApplyOption) error {
	dry := client.ApplyOptions{}
	if dry.ApplyOptions(options); len(dry.DryRun) > 0 {
		return c.Client.Apply(ctx, o, options...)
	}
	return c.write(func() error { return c.Client.Apply(ctx, o, options...) })
}

func (c *cut) Delete(ctx context.Context, o client.Object, options ...client.DeleteOption) error {
	return c.write(func() error { return c.Client.Delete(ctx, o, options...) })
}

func (c *cut) SubResource(name string) client.SubResourceClient {
	return cutEviction{c.Client.SubResource(name), c}
}

type cutEviction struct {
	client.SubResourceClient
	c *cut
}

func (e cutEviction) Create(ctx context.Context, o, sub client.Object, options ...client.SubResourceCreateOption) error {
	return e.c.write(func() error { return e.SubResourceClient.Create(ctx, o, sub, options...) })
}

// engines play everything that operators, controllers and kubelets do, one member at a time.
func (s *stage) engines() {
	GinkgoHelper()
	s.release()
	for i := range 3 {
		claim := s.whole(fmt.Sprintf("persistence-%s-broker-server-%d", s.name, i))
		if cluster.Client.Get(s.ctx, claim, &corev1.PersistentVolumeClaim{}) != nil {
			s.claim(claim.Name, nil)
		}
		if s.uid(fmt.Sprintf("%s-broker-server-%d", s.name, i)) == "" {
			s.node(i)
		}
	}
	at := s.cluster().GetAnnotations()[restartedAt]
	for i, name := range s.instances {
		var p corev1.Pod
		err := cluster.Client.Get(s.ctx, s.whole(name), &p)
		gone := cluster.Client.Get(s.ctx, s.whole(name), &corev1.PersistentVolumeClaim{}) != nil
		switch {
		case err == nil && (at == "" || p.Annotations[restartedAt] == at):
			continue
		case err == nil:
			s.remove(name)
			s.instance(name, at)
		case gone:
			s.instances[i] = fmt.Sprintf("%s-db-%d", s.name, len(s.instances)+1)
			s.instance(s.instances[i], at)
		default:
			s.instance(name, at)
		}
		slices.Sort(s.instances)
		s.database(database.PhaseHealthy, s.instances...)
		break
	}
	n := *s.deployment().Spec.Replicas
	s.gateways(n, n)
	s.count(ports.MessagingStatus{StoppedSuppliers: common.StoppedSuppliers(s.get().Annotations)})
}

var _ = Describe("A manager that is killed at a write", func() {
	DescribeTable("goes on, and nothing is done twice:", func(ctx SpecContext, name string, writes, made int, ask option, proof func(*stage)) {
		for at := 1; at <= writes; at++ {
			for _, after := range []bool{false, true} {
				s := newStage(ctx, fmt.Sprintf("cut-%s-%d-%t", name, at, after))
				o := s.planned("", ask, func(o *api.ServiceRecovery) {
					if o.Spec.Action == api.ActionRebuildReplica && o.Spec.Instance == "" {
						o.Spec.Instance = s.name + "-db-3"
					}
				})
				by := s.survives(o, writes, &cut{Client: manager, at: at, after: after}, s.engines)
				Expect(s.made).To(Equal(made), "pods made anew: "+by)
				proof(s)
				s.step(o)
			}
		}
	},
		Entry("gateways restarted", "gateway", 1, 0, asks(api.ActionRestartRolling, part(api.PartGateway)), func(s *stage) {
			Expect(s.deployment().Generation).To(BeEquivalentTo(2))
		}),
		Entry("database restarted", "db", 1, 3, asks(api.ActionRestartRolling, part(api.PartDatabase)), func(*stage) {}),
		Entry("broker restarted", "broker", 3, 3, asks(api.ActionRestartRolling, part(api.PartBroker)), func(*stage) {}),
		Entry("broker rebuilt", "anew", 6, 3, asks(api.ActionRebuildBroker), func(*stage) {}),
		Entry("replica rebuilt", "copy", 2, 1, asks(api.ActionRebuildReplica), func(s *stage) {
			Expect(s.instances).To(HaveLen(3))
			Expect(s.instances).NotTo(ContainElement(HaveSuffix("-db-3")))
		}),
		Entry("member of the broker rebuilt", "member", 2, 1, asks(api.ActionRebuildReplica, func(o *api.ServiceRecovery) {
			o.Spec.Instance = o.Spec.Service.Name + "-broker-server-1"
		}), func(*stage) {}),
		Entry("supplier stopped", "stop", 1, 0, asks(api.ActionQuarantineSupplier, func(o *api.ServiceRecovery) { o.Spec.Supplier = "load" }), func(s *stage) {
			Expect(s.get().Annotations).To(HaveKeyWithValue(common.StoppedSuppliersAnnotation, "load"))
		}),
		Entry("scaled out", "scale", 2, 0, asks(api.ActionScaleOut, func(o *api.ServiceRecovery) { o.Spec.Replicas = 3 }), func(s *stage) {
			Expect(s.deployment().Generation).To(BeEquivalentTo(2))
		}),
	)
})

// survives runs an operation of so many writes while its manager is killed at one of them, and says in words at which.
func (s *stage) survives(o *api.ServiceRecovery, writes int, c *cut, play func()) string {
	GinkgoHelper()
	s.agree(o)
	s.r.Client = c
	for n := 0; !o.Status.Phase.Ended() && n < 40; n++ {
		s.killable(o)
		play()
		s.clock.Step(4 * time.Second)
	}
	by := fmt.Sprintf("write %d, after it took effect: %t: %s %s", c.at, c.after, o.Status.Phase, o.Status.Message)
	Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), by)
	Expect(c.writes).To(BeNumerically(">=", writes), by)
	return by
}

// killable reconciles once in a goroutine that may be ended at any write.
func (s *stage) killable(o *api.ServiceRecovery) {
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

func asks(action api.Action, options ...option) option {
	return func(o *api.ServiceRecovery) {
		o.Spec.Action = action
		for _, f := range options {
			f(o)
		}
	}
}
