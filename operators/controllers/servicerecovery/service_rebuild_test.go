// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/ports"
)

var _ = Describe("RebuildBroker", func() {
	members := func(s *stage) (n int) {
		for i := range 3 {
			if s.uid(fmt.Sprintf("%s-broker-server-%d", s.name, i)) != "" {
				n++
			}
		}
		return n
	}

	It("throws all members and volumes away, and ends when every gateway dispatches again", func(ctx SpecContext) {
		s := newStage(ctx, "anew")
		s.broker(1) // what it is for
		o := s.planned(api.ActionRebuildBroker)
		Expect(o.Status.Plan.PointOfNoReturn).To(Equal("delete-broker"))
		Expect(members(s)).To(Equal(3), "a dry run changes nothing")

		began := false
		s.play = func() {
			if members(s) > 0 || began {
				return
			}
			By("keeping the claims until no pod uses them")
			if len(s.release()) == 0 {
				return
			}
			began = true
			Expect(o.Status.Steps[0].State).To(Equal(api.StepRunning))
			s.count(ports.MessagingStatus{Unsettled: 4012, OldestUnsettledSeconds: 600})
			s.prober.Fail("10.2.0.2:8446", "broker")
			for i := range 3 {
				s.claim(fmt.Sprintf("persistence-anew-broker-server-%d", i), nil)
				s.node(i)
			}
			s.broker(2)
		}
		s.agree(o)
		for range 4 {
			s.step(o)
		}
		Expect(began).To(BeTrue())
		Expect(o.Status.Steps[1].Message).To(ContainSubstring("3 of 3 new members are ready"))
		Expect(o.Status.Steps[1].State).To(Equal(api.StepRunning), "the StatefulSet counts 2")
		s.broker(3)
		for range 3 {
			s.step(o)
		}
		Expect(o.Status.Steps[2].Message).To(ContainSubstring("10.2.0.2:8446: stage broker"))
		s.prober.Fail("10.2.0.2:8446", "")
		for range 3 {
			s.step(o)
		}
		Expect(o.Status.Phase).To(Equal(api.PhaseVerifying))
		Expect(o.Status.Message).To(ContainSubstring("the backlog is 4012, and was 12 before"))

		s.count(ports.MessagingStatus{Unsettled: 9})
		s.step(o)
		s.step(o)
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
		Expect(o.Status.Evidence.BacklogAfter).To(HaveValue(BeEquivalentTo(9)))
		s.golden(o)
		Expect(members(s)).To(Equal(3), "the new ones stay")
	})

	It("takes an old member away that was restarted on its old volume meanwhile", func(ctx SpecContext) {
		s := newStage(ctx, "anew-late")
		o := s.planned(api.ActionRebuildBroker)
		s.agree(o)
		s.step(o)
		Expect(members(s)).To(BeZero())
		Expect(s.release()).To(HaveLen(3))
		for i := range 3 {
			s.claim(fmt.Sprintf("persistence-anew-late-broker-server-%d", i), nil)
			s.node(i)
		}
		for range 6 {
			s.step(o)
		}
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
		Expect(members(s)).To(Equal(3))
	})

	It("is refused when the ledger could not fill it", func(ctx SpecContext) {
		s := newStage(ctx, "anew-not")
		s.database(database.PhaseFailover, s.instances[1:]...)
		Expect(s.refused(api.ActionRebuildBroker).Reason).To(Equal(api.ReasonWorkAtRisk))
		s.database("Waiting for the instances to become active", s.instances[:2]...)
		Expect(s.refused(api.ActionRebuildBroker).Reason).To(Equal(api.ReasonQuorumAtRisk))
		s.database(database.PhaseHealthy, s.instances...)
		s.prober.Down(true)
		Expect(s.refused(api.ActionRebuildBroker).Reason).To(Equal(api.ReasonStateUnknown))
		Expect(members(s)).To(Equal(3))
	})

	It("holds its act back when the ledger fails after the plan was frozen", func(ctx SpecContext) {
		s := newStage(ctx, "anew-held")
		o := s.planned(api.ActionRebuildBroker)
		a := newRebuildBroker(s.r, o)
		Expect(a.Before(ctx, stepOf(o, 0))).To(BeEmpty())
		s.database(database.PhaseFailover, s.instances[1:]...)
		Expect(a.Before(ctx, stepOf(o, 0))).To(ContainElement(HaveField("Reason", api.ReasonWorkAtRisk)))
		Expect(a.Before(ctx, stepOf(o, 1))).To(BeEmpty(), "past the point of no return")
	})

	It("deletes nothing when the ledger fails between the agreement and the act", func(ctx SpecContext) {
		s := newStage(ctx, "anew-then")
		o := s.planned(api.ActionRebuildBroker)
		s.database(database.PhaseFailover, s.instances[1:]...)
		s.agree(o)
		for range 5 {
			s.step(o)
		}
		Expect(o.Status.Blockers).To(ContainElement(HaveField("Reason", api.ReasonWorkAtRisk)))
		Expect(members(s)).To(Equal(3))
		var v corev1.PersistentVolumeClaim
		Expect(cluster.Client.Get(ctx, s.whole("persistence-anew-then-broker-server-0"), &v)).To(Succeed())
		Expect(v.DeletionTimestamp).To(BeNil())
	})
})

var _ = Describe("RebuildReplica", func() {
	instance := func(name string) option { return func(o *api.ServiceRecovery) { o.Spec.Instance = name } }

	It("throws a standby away that is down, and ends when another follows the primary", func(ctx SpecContext) {
		s := newStage(ctx, "copy")
		s.database("Waiting for the instances to become active", s.instances[:2]...)
		o := s.planned(api.ActionRebuildReplica, instance("copy-db-3"))

		copied := 0
		s.play = func() {
			if s.uid("copy-db-3") != "" || len(s.release()) == 0 && copied == 0 {
				return
			}
			switch copied++; copied {
			case 1:
				s.instances = []string{"copy-db-1", "copy-db-2"}
				s.database("Creating a new replica", s.instances...)
			case 3:
				s.instances = append(s.instances, "copy-db-4")
				s.instance("copy-db-4", "")
				s.database(database.PhaseHealthy, s.instances...)
			}
		}
		s.succeeds(o, 20)
		Expect(copied).To(BeNumerically(">=", 3))
		s.golden(o)
		for _, kept := range []string{"copy-db-1", "copy-db-2", "copy-db-4"} {
			Expect(s.uid(kept)).NotTo(BeEmpty())
			var v corev1.PersistentVolumeClaim
			Expect(cluster.Client.Get(ctx, s.whole(kept), &v)).To(Succeed())
			Expect(v.DeletionTimestamp).To(BeNil(), kept)
		}
	})

	It("is not done while the new one is on another timeline", func(ctx SpecContext) {
		s := newStage(ctx, "copy-behind")
		u := s.cluster()
		Expect(follows(u, "copy-behind-db-2", s.primary)).To(BeTrue())
		reported := u.Object["status"].(map[string]any)["instancesReportedState"].(map[string]any)
		reported["copy-behind-db-2"].(map[string]any)["timeLineID"] = int64(2)
		Expect(follows(u, "copy-behind-db-2", s.primary)).To(BeFalse())
		delete(reported, "copy-behind-db-2")
		Expect(follows(u, "copy-behind-db-2", s.primary)).To(BeFalse())
		Expect(follows(u, "copy-behind-db-9", s.primary)).To(BeFalse())
	})

	It("refuses the primary, and any while another is missing", func(ctx SpecContext) {
		s := newStage(ctx, "copy-not")
		Expect(s.refused(api.ActionRebuildReplica, instance("copy-not-db-1")).Message).To(ContainSubstring("is the primary"))
		Expect(s.refused(api.ActionRebuildReplica, instance("copy-not-db-7")).Reason).To(Equal(api.ReasonTargetNotFound))
		Expect(s.refused(api.ActionRebuildReplica, instance("copy-not-gateway-1")).Reason).To(Equal(api.ReasonTargetNotFound))
		s.database("Waiting for the instances to become active", s.instances[:2]...)
		Expect(s.refused(api.ActionRebuildReplica, instance("copy-not-db-2")).Reason).To(Equal(api.ReasonQuorumAtRisk))
		s.database("")
		Expect(s.refused(api.ActionRebuildReplica, instance("copy-not-db-3")).Reason).To(Equal(api.ReasonStateUnknown))
	})

	It("does not touch a standby that has become the primary since the plan", func(ctx SpecContext) {
		s := newStage(ctx, "copy-moved")
		o := s.planned(api.ActionRebuildReplica, instance("copy-moved-db-3"))
		s.primary = "copy-moved-db-3"
		s.database(database.PhaseHealthy, s.instances...)
		s.agree(o)
		for range 5 {
			s.step(o)
		}
		Expect(o.Status.Phase).To(Equal(api.PhaseBlocked))
		Expect(s.uid("copy-moved-db-3")).NotTo(BeEmpty())
	})

	It("takes the pod on a host first, and nothing when it was promoted in that moment", func(ctx SpecContext) {
		s := newStage(ctx, "copy-host")
		s.remove("copy-host-db-3")
		s.pod("copy-host-db-3", map[string]string{database.ClusterLabel: "copy-host-db", database.RoleLabel: database.RoleInstance}, "10.2.2.9",
			func(p *corev1.Pod) { p.Spec.NodeName = "c" })
		o := s.planned(api.ActionRebuildReplica, instance("copy-host-db-3"))
		var pod corev1.Pod
		hook := &promoting{Client: manager, promote: func() {
			Expect(cluster.Client.Get(ctx, s.whole("copy-host-db-3"), &pod)).To(Succeed())
			pod.Labels["cnpg.io/instanceRole"] = "primary"
			Expect(cluster.Client.Update(ctx, &pod)).To(Succeed())
		}}
		s.r.Client = hook
		_, err := newRebuildReplica(s.r, o).Act(ctx, stepOf(o, 0))
		Expect(apierrors.IsConflict(err)).To(BeTrue(), "%v", err)
		Expect(hook.deleted).To(Equal([]string{"copy-host-db-3"}), "the volume was not reached")
		var v corev1.PersistentVolumeClaim
		Expect(cluster.Client.Get(ctx, s.whole("copy-host-db-3"), &v)).To(Succeed())
		Expect(v.DeletionTimestamp).To(BeNil())

		By("letting both go while it is a standby")
		_, err = newRebuildReplica(s.r, o).Act(ctx, stepOf(o, 0))
		Expect(err).NotTo(HaveOccurred())
		Expect(cluster.Client.Get(ctx, s.whole("copy-host-db-3"), &pod)).To(Succeed())
		Expect(cluster.Client.Get(ctx, s.whole("copy-host-db-3"), &v)).To(Succeed())
		Expect([]any{pod.DeletionTimestamp, v.DeletionTimestamp}).NotTo(ContainElement(BeNil()))
		progress, err := newRebuildReplica(s.r, o).Check(ctx, stepOf(o, 0))
		Expect(err).NotTo(HaveOccurred())
		Expect(progress.Message).To(ContainSubstring("1 pod and 1 volume are still there"))
	})

	It("does not touch it either when it becomes the primary while the step waits", func(ctx SpecContext) {
		s := newStage(ctx, "copy-late")
		o := s.planned(api.ActionRebuildReplica, instance("copy-late-db-3"))
		uid := s.uid("copy-late-db-3")
		a := newRebuildReplica(s.r, o)
		s.primary = "copy-late-db-3"
		s.database(database.PhaseHealthy, s.instances...)
		_, err := a.Act(ctx, stepOf(o, 0))
		Expect(err).To(MatchError(ContainSubstring("has become the primary")))
		Expect(s.uid("copy-late-db-3")).To(Equal(uid))
		blockers, err := a.Before(ctx, stepOf(o, 0))
		Expect(err).NotTo(HaveOccurred())
		Expect(blockers).To(ContainElement(HaveField("Reason", api.ReasonQuorumAtRisk)))
	})
})

var _ = Describe("RebuildReplica of a member of the broker", func() {
	of := func(s *stage, i int) option {
		return func(o *api.ServiceRecovery) { o.Spec.Instance = fmt.Sprintf("%s-broker-server-%d", s.name, i) }
	}

	It("throws it away with its volume, and ends when another has joined", func(ctx SpecContext) {
		s := newStage(ctx, "join")
		o := s.planned(api.ActionRebuildReplica, of(s, 1))
		before := map[string]string{}
		for i := range 3 {
			before[fmt.Sprint(i)] = s.uid(fmt.Sprintf("join-broker-server-%d", i))
		}
		s.play = func() {
			if s.uid("join-broker-server-1") == "" && len(s.release()) > 0 {
				s.broker(2)
			}
		}
		s.agree(o)
		for range 4 {
			s.step(o)
		}
		Expect(o.Status.Steps[1].State).To(Equal(api.StepRunning))
		Expect(o.Status.Steps[1].Message).To(Equal("2 of 3 members are ready; the new join-broker-server-1 has still to join them and to get its replicas of the queues"))

		s.claim("persistence-join-broker-server-1", nil)
		s.node(1)
		s.step(o)
		Expect(o.Status.Steps[1].State).To(Equal(api.StepRunning), "the StatefulSet counts 2")
		s.broker(3)
		s.succeeds(o, 6)
		s.golden(o)
		Expect(s.uid("join-broker-server-0")).To(Equal(before["0"]))
		Expect(s.uid("join-broker-server-2")).To(Equal(before["2"]))
		Expect(s.uid("join-broker-server-1")).NotTo(Equal(before["1"]))
	})

	It("refuses what is no member, and any while another is missing", func(ctx SpecContext) {
		s := newStage(ctx, "join-not")
		Expect(s.refused(api.ActionRebuildReplica, of(s, 3)).Message).To(ContainSubstring("one of join-not-broker-server-0, join-not-broker-server-1, join-not-broker-server-2"))
		s.remove("join-not-broker-server-2")
		s.broker(2)
		Expect(s.refused(api.ActionRebuildReplica, of(s, 1)).Reason).To(Equal(api.ReasonQuorumAtRisk))
		Expect(s.planned(api.ActionRebuildReplica, of(s, 2)).Status.Plan.Steps[0].Touches).To(
			ConsistOf("PersistentVolumeClaim spine-messaging/persistence-join-not-broker-server-2"), "what is left of it")
		s.pod("join-not-broker-server-2", nil, "10.2.2.9")
		Expect(s.planned(api.ActionRebuildReplica, of(s, 2)).Status.Plan.Steps[0].Touches).To(HaveLen(1), "somebody else's pod of its name")
	})

	It("deletes nothing when another fails between the agreement and the act", func(ctx SpecContext) {
		s := newStage(ctx, "join-then")
		o := s.planned(api.ActionRebuildReplica, of(s, 1))
		s.remove("join-then-broker-server-0")
		s.broker(2)
		s.agree(o)
		for range 5 {
			s.step(o)
		}
		Expect(o.Status.Blockers).To(ContainElement(HaveField("Reason", api.ReasonQuorumAtRisk)))
		Expect(s.uid("join-then-broker-server-1")).NotTo(BeEmpty())
		var v corev1.PersistentVolumeClaim
		Expect(cluster.Client.Get(ctx, s.whole("persistence-join-then-broker-server-1"), &v)).To(Succeed())
		Expect(v.DeletionTimestamp).To(BeNil())
	})

	It("goes on once begun while another part lacks a member, and not while the broker does", func(ctx SpecContext) {
		s := newStage(ctx, "join-cut")
		o := s.planned(api.ActionRebuildReplica, of(s, 1))
		o.Status.Steps = []api.StepStatus{{Name: "delete-instance", Acts: 1}}
		s.database("Waiting for the instances to become active", s.instances[:2]...)
		a := newRebuildReplica(s.r, o)
		Expect(a.Before(ctx, stepOf(o, 0))).To(BeEmpty())
		s.remove("join-cut-broker-server-0")
		Expect(a.Before(ctx, stepOf(o, 0))).To(ContainElement(HaveField("Reason", api.ReasonQuorumAtRisk)))
	})

	It("has one that is ready hand its queues over, and kills one that is not", func(ctx SpecContext) {
		s := newStage(ctx, "join-grace")
		o := s.planned(api.ActionRebuildReplica, of(s, 1))
		hook := &graceful{Client: manager}
		s.r.Client = hook
		_, err := newRebuildReplica(s.r, o).Act(ctx, stepOf(o, 0))
		Expect(err).NotTo(HaveOccurred())
		Expect(hook.killed).To(BeEmpty())

		s = newStage(ctx, "join-kill")
		o = s.planned(api.ActionRebuildReplica, of(s, 1))
		var pod corev1.Pod
		Expect(cluster.Client.Get(ctx, s.whole("join-kill-broker-server-1"), &pod)).To(Succeed())
		pod.Status.Conditions[0].Status = corev1.ConditionFalse
		Expect(cluster.Client.Status().Update(ctx, &pod)).To(Succeed())
		s.r.Client = hook
		_, err = newRebuildReplica(s.r, o).Act(ctx, stepOf(o, 0))
		Expect(err).NotTo(HaveOccurred())
		Expect(hook.killed).To(Equal([]string{"join-kill-broker-server-1"}))
	})
})

// graceful is a client that keeps whom it is told to kill at once.
type graceful struct {
	client.Client
	killed []string
}

func (g *graceful) Delete(ctx context.Context, o client.Object, options ...client.DeleteOption) error {
	var d client.DeleteOptions
	if d.ApplyOptions(options); d.GracePeriodSeconds != nil {
		g.killed = append(g.killed, o.GetName())
	}
	return g.Client.Delete(ctx, o, options...)
}

// promoting is a client before whose first deletion the instance is promoted.
type promoting struct {
	client.Client
	promote func()
	deleted []string
}

func (p *promoting) Delete(ctx context.Context, o client.Object, options ...client.DeleteOption) error {
	p.promote()
	p.promote = func() {}
	p.deleted = append(p.deleted, o.GetName())
	return p.Client.Delete(ctx, o, options...)
}

// whole is of an object by its whole name.
func (s *stage) whole(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: s.namespace, Name: name}
}
