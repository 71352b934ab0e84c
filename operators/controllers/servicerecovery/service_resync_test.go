// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/fake"
)

// lost is a service of site east, which lost its vote to west.
type lost struct {
	*stage
	peer *fake.Peer
	// began is the database that east had, and behind how far the copy is.
	began  string
	behind *int64
}

func newLost(ctx context.Context, name string, alone bool) *lost {
	GinkgoHelper()
	s := &lost{peer: &fake.Peer{}, stage: newStage(ctx, name, func(m *messagingapi.MessagingService) {
		m.Spec.Site, m.Spec.Acknowledge = operatortest.Site(common.RoleActive), common.AcknowledgeBothSites
	})}
	m := s.get()
	before := client.MergeFrom(m.DeepCopy())
	m.Annotations = common.SiteOrder{Role: common.SiteQuiesced, Epoch: 5, Alone: alone}.Annotations()
	Expect(manager.Patch(ctx, m, before)).To(Succeed())
	s.r.Peer = s.peer
	s.began = string(s.cluster().GetUID())
	s.prober.Down(true) // its programs do not run
	policy := &api.FailoverPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "spine-system", Name: api.FailoverPolicyName},
		Spec: api.FailoverPolicySpec{
			Site: "east", Peer: "west", Automatic: api.Automatic{Mode: api.AutomaticOn},
			Services: []api.PairedService{{Kind: "MessagingService", Namespace: s.namespace, Name: s.name, PeerProbe: "west.test:9443"}},
		},
	}
	Expect(cluster.Client.Create(ctx, policy)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(cluster.Client.Delete(ctx, policy))).To(Succeed()) })
	s.play = s.site
	s.site()
	return s
}

// vote is what the site's manager has on record.
func (s *lost) vote(site string) {
	GinkgoHelper()
	var policy api.FailoverPolicy
	Expect(cluster.Client.Get(s.ctx, client.ObjectKey{Namespace: "spine-system", Name: api.FailoverPolicyName}, &policy)).To(Succeed())
	policy.Status.Vote = api.SiteVote{Site: site, Epoch: 5, ReadAt: &metav1.MicroTime{Time: s.clock.Now()}}
	Expect(cluster.Client.Status().Update(s.ctx, &policy)).To(Succeed())
}

// site plays the managers of both sites, the service's controller, CloudNativePG and the garbage collector.
func (s *lost) site() {
	GinkgoHelper()
	s.vote("west")
	m := s.get()
	order, err := common.Order(m.Annotations, m.Spec.Site)
	Expect(err).NotTo(HaveOccurred())
	u := s.live()
	switch {
	case u == nil:
		m.TypeMeta = metav1.TypeMeta{}
		Expect(cluster.Client.Create(s.ctx, desired.DatabaseCluster(m))).To(Succeed())
		for _, i := range s.instances {
			s.instance(i, "")
		}
	case u.GetDeletionTimestamp() == nil:
		if want := desired.DatabaseCluster(m); !database.Obeys(want, u) {
			want.SetResourceVersion(u.GetResourceVersion())
			database.Remember(want, u)
			Expect(cluster.Client.Update(s.ctx, want)).To(Succeed())
		}
		if len(s.podsLeft()) == 0 {
			for _, i := range s.instances {
				s.instance(i, "")
			}
		}
		s.database(database.PhaseHealthy, s.instances...)
	default:
		for _, p := range s.podsLeft() {
			s.remove(p)
			Expect(cluster.Client.Delete(s.ctx, &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: p}})).To(Succeed())
		}
		s.release()
		u.SetFinalizers(nil)
		Expect(cluster.Client.Update(s.ctx, u)).To(Succeed())
	}
	if u = s.live(); order.Role != common.SiteStandby || u != nil && database.Follows(u) {
		m.Status.Site = &common.SiteStatus{Role: order.Role, Epoch: order.Epoch}
		Expect(cluster.Client.Status().Update(s.ctx, m)).To(Succeed())
	}
	there := &common.SiteStatus{Role: common.SiteActive, Replication: &common.SiteReplication{
		Streaming: order.Role == common.SiteStandby, BehindSeconds: s.behind, ObservedTime: metav1.NewTime(s.clock.Now()),
	}}
	s.peer.Show(ports.PeerSite{
		Policy:   &api.FailoverPolicy{Status: api.FailoverPolicyStatus{Vote: api.SiteVote{Site: "west"}}},
		Services: []ports.PeerService{{Name: "MessagingService/" + s.namespace + "/" + s.name, Site: there}},
	})
}

// policy of the site, by its name.
func (s *lost) policy() *api.FailoverPolicy {
	return &api.FailoverPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "spine-system", Name: api.FailoverPolicyName}}
}

// live is the database as it is; nil while there is none.
func (s *lost) live() *unstructured.Unstructured {
	GinkgoHelper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(database.GVK)
	if err := cluster.Client.Get(s.ctx, s.key("-db"), u); err != nil {
		Expect(client.IgnoreNotFound(err)).NotTo(HaveOccurred())
		return nil
	}
	return u
}

func (s *lost) podsLeft() (names []string) {
	GinkgoHelper()
	var list corev1.PodList
	Expect(cluster.Client.List(s.ctx, &list, client.InNamespace(s.namespace), client.MatchingLabels{database.ClusterLabel: s.name + "-db"})).To(Succeed())
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names
}

// resynced says that another database follows west.
func (s *lost) resynced() {
	GinkgoHelper()
	u := s.live()
	Expect(string(u.GetUID())).NotTo(Equal(s.began))
	primary, _, _ := unstructured.NestedString(u.Object, "spec", "replica", "primary")
	Expect(primary).To(Equal("west"))
	_, copied, _ := unstructured.NestedMap(u.Object, "spec", "bootstrap", "pg_basebackup")
	Expect(copied).To(BeTrue())
	Expect(s.get().Annotations).To(HaveKeyWithValue(common.RoleAnnotation, string(common.SiteStandby)))
}

var _ = Describe("ResyncStandby", func() {
	It("copies the database of the site that serves, and ends when that one says that it follows", func(ctx SpecContext) {
		s := newLost(ctx, "resync", false)
		o := s.planned(api.ActionResyncStandby)
		Expect(o.Status.Plan.PointOfNoReturn).To(Equal("stand-by"))
		Expect(string(s.live().GetUID())).To(Equal(s.began), "a dry run changes nothing")
		s.agree(o)
		for range 10 {
			s.step(o)
		}
		Expect(o.Status.Phase).To(Equal(api.PhaseVerifying), o.Status.Message)
		Expect(o.Status.Message).To(ContainSubstring("until site west says that this one has all"))
		s.behind = ptr.To(int64(0))
		for range 3 {
			s.step(o)
		}
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
		Expect(o.Status.Evidence.MeasuredLoss).To(HaveValue(Equal(api.Loss{})))
		s.resynced()
		s.golden(o)
		Expect(s.refused(api.ActionResyncStandby).Message).To(ContainSubstring("nothing to do"))
		s.play = func() {}
		s.database("Creating a new replica", s.instances[:2]...)
		Expect(s.refused(api.ActionResyncStandby).Message).To(ContainSubstring("RebuildReplica"), "what follows is not thrown away")
	})

	It("throws nothing away that nobody else may have, until somebody accepts that", func(ctx SpecContext) {
		s := newLost(ctx, "resync-alone", true)
		Expect(s.refused(api.ActionResyncStandby).Reason).To(Equal(api.ReasonWorkAtRisk))
		s.behind = ptr.To(int64(1))
		o := s.planned(api.ActionResyncStandby, func(o *api.ServiceRecovery) {
			o.Spec.AcceptUnknownLoss = &api.AcceptUnknownLoss{Reason: "read by the database team"}
		})
		s.run(o, 15)
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
		Expect(o.Status.Evidence.MeasuredLoss).To(BeNil())
		Expect(strings.Join(o.Status.Evidence.Notes, " ")).To(ContainSubstring("given up: read by the database team"))
		s.resynced()
	})

	It("holds its act back when the vote came back after the plan was frozen", func(ctx SpecContext) {
		s := newLost(ctx, "resync-held", false)
		o := s.planned(api.ActionResyncStandby)
		a := newResync(s.r, o)
		s.vote("east")
		Expect(a.Before(ctx, stepOf(o, 0))).To(ConsistOf(HaveField("Reason", api.ReasonNotApplicable)))
		_, err := a.Act(ctx, stepOf(o, 0))
		Expect(err).To(MatchError(ContainSubstring("site east on record")))
		s.vote("west")
		s.clock.Step(time.Minute)
		Expect(a.Before(ctx, stepOf(o, 0))).To(ConsistOf(HaveField("Reason", api.ReasonWitnessSilent)), "an old word is none")
		s.vote("west")
		s.peer.Silence(true)
		Expect(a.Before(ctx, stepOf(o, 0))).To(ConsistOf(HaveField("Reason", api.ReasonStateUnknown)))
		Expect(string(s.live().GetUID())).To(Equal(s.began))
	})

	It("has no right to delete a database that is written to", func(ctx SpecContext) {
		s := newLost(ctx, "resync-rights", false)
		Expect(manager.Delete(ctx, s.cluster())).To(MatchError(ContainSubstring("is written to at this site")))
	})

	It("goes on when its manager is killed at a write", func(ctx SpecContext) {
		for at := 1; at <= 2; at++ {
			for _, after := range []bool{false, true} {
				s := newLost(ctx, fmt.Sprintf("resync-cut-%d-%t", at, after), false)
				s.behind = ptr.To(int64(0))
				o := s.planned(api.ActionResyncStandby)
				s.survives(o, 2, &cut{Client: manager, at: at, after: after}, s.site)
				s.resynced()
				s.killable(o)
				Expect(cluster.Client.Delete(ctx, s.policy())).To(Succeed())
			}
		}
	})
})
