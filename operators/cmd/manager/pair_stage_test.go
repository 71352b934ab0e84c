// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"spine.nhs.uk/controlplane/operators/adapters/peersite"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/controllers/failover"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/fake"
)

// half is one of two sites: an API server of its own, and a manager that is driven by hand.
type half struct {
	name    string
	cluster *operatortest.Cluster
	prober  *fake.Prober
	permits *fake.Permits
	// kubeconfig by which the other site reaches this one.
	kubeconfig string
	// dead: nothing of it runs.
	dead bool
	// primary says that its database was one, and tokens counts how often it was handed over.
	primary bool
	tokens  int
	policy  *failover.Policy
	work    *failover.Reconciler
}

// pair is two sites, their witness, and the wires between them.
type pair struct {
	*testing.T
	clock   *clocktesting.FakeClock
	witness *fake.Witness
	traffic *fake.Traffic
	halves  [2]*half
	// cut: the link between the sites is.
	cut bool
	// lag of the replication while senders do not wait for it.
	lag time.Duration
	// acknowledge of the service.
	acknowledge common.Acknowledge
}

const peerUser = "system:serviceaccount:spine-system:spine-peer"

// clusters are started once: two API servers take their time.
func startPair(t *testing.T) *pair {
	p := &pair{T: t, clock: clocktesting.NewFakeClock(time.Now()), acknowledge: common.AcknowledgeBothSites}
	for i, name := range []string{"east", "west"} {
		c, err := operatortest.Start()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Stop() })
		h := &half{name: name, cluster: c, kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
		p.write(h)
		p.halves[i] = h
	}
	return p
}

// fresh begins anew at the same clusters: nothing is left of what was.
func (p *pair) fresh(t *testing.T, acknowledge common.Acknowledge) {
	p.T, p.acknowledge, p.cut, p.lag = t, acknowledge, false, 0
	p.witness, p.traffic = &fake.Witness{}, &fake.Traffic{}
	for i, h := range p.halves {
		c := h.cluster.Client
		for _, o := range []client.Object{&messagingapi.MessagingService{}, &resilience.FailoverPolicy{}, &resilience.Failover{}, &corev1.Pod{}} {
			for _, namespace := range []string{"spine-messaging", "spine-system"} {
				p.must(c.DeleteAllOf(t.Context(), o, client.InNamespace(namespace), client.GracePeriodSeconds(0)))
			}
		}
		h.dead, h.primary, h.tokens = false, i == 0, 0
		h.prober, h.permits = &fake.Prober{}, &fake.Permits{}
		p.answers(h, nil)
		p.make(h, p.halves[1-i], i == 0)
		p.write(h)
		p.staff(h, func(c client.Client) client.Client { return c })
	}
	p.rest()
}

// rest lets every target rest from the operations before.
func (p *pair) rest() { p.clock.Step(time.Hour) }

// staff gives a site a manager, whose client may be wrapped.
func (p *pair) staff(h *half, wrap func(client.Client) client.Client) {
	c, err := h.cluster.Manager()
	p.must(err)
	c = wrap(c)
	other := p.halves[0]
	if other == h {
		other = p.halves[1]
	}
	events := kit.NewEvents(record.NewFakeRecorder(5000), p.clock.Now)
	rules := resilience.OperationsConfig{Approval: resilience.ApprovalRule{Actions: []resilience.Action{}}}
	rules.Default()
	peer := peersite.New(other.kubeconfig)
	h.policy = &failover.Policy{Client: c, Reader: c, Witness: p.witness, Peer: peer, Traffic: p.traffic, Permits: h.permits, Prober: h.prober, Events: events, Clock: p.clock}
	h.work = &failover.Reconciler{
		Client: c, Reader: c, Witness: p.witness, Peer: peer, Traffic: p.traffic, Prober: h.prober, Events: events, Clock: p.clock, Rules: rules,
	}
}

// make a service, a running program of it, and the policy.
func (p *pair) make(h, other *half, first bool) {
	role := common.RoleStandby
	if first {
		role = common.RoleActive
	}
	m := operatortest.Messaging("spine", func(m *messagingapi.MessagingService) {
		m.Spec.Site, m.Spec.Acknowledge = operatortest.Site(role), p.acknowledge
		m.Annotations = map[string]string{common.ForceDeleteAnnotation: "the next test begins"}
		m.Spec.Site.Name, m.Spec.Site.Peer.Name = common.SiteName(h.name), common.SiteName(other.name)
	})
	p.must(h.cluster.Client.Create(p.Context(), m))
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "spine-messaging", Name: "spine-gateway-1", Labels: desired.Selector(m, desired.Gateway)}}
	pod.Spec = desired.GatewayDeployment(m, string(m.Spec.Gateway.Image)).Spec.Template.Spec
	p.must(h.cluster.Client.Create(p.Context(), pod))
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.1.0.1", PodIPs: []corev1.PodIP{{IP: "10.1.0.1"}}}
	p.must(h.cluster.Client.Status().Update(p.Context(), pod))
	p.must(h.cluster.Client.Create(p.Context(), &resilience.FailoverPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "spine-system", Name: resilience.FailoverPolicyName},
		Spec: resilience.FailoverPolicySpec{
			Site: common.SiteName(h.name), Peer: common.SiteName(other.name),
			Services:  []resilience.PairedService{{Kind: "MessagingService", Namespace: "spine-messaging", Name: "spine", PeerProbe: other.name + ".test:9443"}},
			Automatic: resilience.Automatic{Mode: resilience.AutomaticOn},
		},
	}))
}

// write the kubeconfig by which the other site reaches this one, as the user that it is here.
func (p *pair) write(h *half) {
	c := rest.CopyConfig(h.cluster.Config)
	k := clientcmdapi.NewConfig()
	k.Clusters["site"] = &clientcmdapi.Cluster{Server: c.Host, CertificateAuthorityData: c.CAData}
	k.AuthInfos["peer"] = &clientcmdapi.AuthInfo{
		ClientCertificateData: c.CertData, ClientKeyData: c.KeyData,
		Impersonate: peerUser, ImpersonateGroups: []string{"system:serviceaccounts", "system:authenticated"},
	}
	k.Contexts["site"] = &clientcmdapi.Context{Cluster: "site", AuthInfo: "peer"}
	k.CurrentContext = "site"
	p.must(clientcmd.WriteToFile(*k, h.kubeconfig))
}

// link joins the sites, or cuts them apart.
func (p *pair) link(up bool) {
	p.cut = !up
	for _, h := range p.halves {
		if up {
			p.write(h)
		} else {
			p.must(os.Remove(h.kubeconfig))
		}
	}
	for i, h := range p.halves {
		p.probes(h, p.halves[1-i])
	}
}

// probes of the other site get through, or not.
func (p *pair) probes(h, other *half) {
	stage := ""
	if p.cut || other.dead {
		stage = "gateway"
	}
	h.prober.Fail(other.name+".test:9443", stage)
}

// kill a site, with all that it is.
func (p *pair) kill(h *half) {
	h.dead = true
	p.link(false)
}

func (p *pair) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// service at a site.
func (p *pair) service(h *half) *messagingapi.MessagingService {
	p.Helper()
	m := &messagingapi.MessagingService{}
	p.must(h.cluster.Client.Get(p.Context(), client.ObjectKey{Namespace: "spine-messaging", Name: "spine"}, m))
	return m
}

// policyOf a site.
func (p *pair) policyOf(h *half) *resilience.FailoverPolicy {
	p.Helper()
	policy := &resilience.FailoverPolicy{}
	p.must(h.cluster.Client.Get(p.Context(), client.ObjectKey{Namespace: "spine-system", Name: resilience.FailoverPolicyName}, policy))
	return policy
}

// play is what the service's controller and its engines do: orders are brought about.
func (p *pair) play(h, other *half) {
	m := p.service(h)
	order, err := common.Order(m.Annotations, m.Spec.Site)
	p.must(err)
	s := &common.SiteStatus{Role: order.Role, Epoch: order.Epoch, Acknowledge: common.InForce(m.Spec.Acknowledge, order), Ready: true}
	if order.Role == common.SiteStandby {
		if h.primary {
			h.tokens++
		}
		s.DemotionToken = fmt.Sprintf("token-%s-%d", h.name, h.tokens)
	}
	h.primary = order.Role != common.SiteStandby
	if h.primary && !p.cut && !other.dead {
		s.Replication = &common.SiteReplication{Streaming: true, BehindSeconds: ptr.To(int64(p.lag / time.Second)), ObservedTime: metav1.NewTime(p.clock.Now())}
	}
	m.Status.Site = s
	p.answers(h, s.Replication)
	m.Status.Backlog = &messagingapi.Backlog{Acknowledged: 1000, Unsettled: 12, ObservedTime: metav1.NewTime(p.clock.Now())}
	p.must(h.cluster.Client.Status().Update(p.Context(), m))
}

// answers is what the programs of a site count.
func (p *pair) answers(h *half, r *common.SiteReplication) {
	s := ports.MessagingStatus{Unsettled: 12}
	if r != nil {
		s.Replication = &ports.ReplicationStatus{Streaming: r.Streaming, BehindSeconds: r.BehindSeconds, At: r.ObservedTime.Time}
	}
	h.prober.Count(s)
}

// step lets time pass for everybody.
func (p *pair) step() {
	p.Helper()
	p.clock.Step(3 * time.Second)
	for i, h := range p.halves {
		if h.dead {
			continue
		}
		p.play(h, p.halves[1-i])
		p.alive(h.policy.Reconcile, client.ObjectKey{Namespace: "spine-system", Name: resilience.FailoverPolicyName})
		var list resilience.FailoverList
		p.must(h.cluster.Client.List(p.Context(), &list))
		for i := range list.Items {
			p.alive(h.work.Reconcile, client.ObjectKeyFromObject(&list.Items[i]))
		}
	}
	if a, b := p.serves(p.halves[0]), p.serves(p.halves[1]); a && b {
		p.Fatal("both sites serve")
	}
}

// nextLook is when a site's policy looks again.
func (p *pair) nextLook(h *half) time.Duration {
	p.Helper()
	result, err := h.policy.Reconcile(p.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "spine-system", Name: resilience.FailoverPolicyName}})
	p.must(err)
	return result.RequeueAfter
}

// serves says that a program of the site may acknowledge, and its database would take it.
func (p *pair) serves(h *half) bool {
	m := p.service(h)
	permit := h.permits.Given("10.1.0.1:8446")
	permitted := permit.Endless || p.clock.Now().Before(permit.Until)
	waits := m.Status.Site != nil && m.Status.Site.Acknowledge == common.AcknowledgeBothSites
	return !h.dead && permitted && m.Annotations[common.RoleAnnotation] == string(common.SiteActive) && !(waits && p.cut)
}

// until steps until something holds, at most n times, and returns how long that took.
func (p *pair) until(n int, what string, holds func() bool) time.Duration {
	p.Helper()
	began := p.clock.Now()
	for range n {
		if holds() {
			return p.clock.Since(began)
		}
		p.step()
	}
	for _, h := range p.halves {
		policy, m := p.policyOf(h), p.service(h)
		p.Logf("%s: %+v\nannotations %v\nservice %+v", h.name, policy.Status, m.Annotations, m.Status.Site)
	}
	p.Fatalf("after %s: not %s", p.clock.Since(began), what)
	return 0
}

// ask for a failover as a person, as a dry run.
func (p *pair) ask(h *half, name string, spec resilience.FailoverSpec) *resilience.Failover {
	p.Helper()
	o := &resilience.Failover{ObjectMeta: metav1.ObjectMeta{Namespace: "spine-system", Name: name}, Spec: spec}
	o.Spec.To = common.SiteName(h.name)
	o.Spec.OperationSpec = resilience.OperationSpec{RequestedBy: "alice", Reason: "incident 4711"}
	p.must(p.alice(h).Create(p.Context(), o))
	return o
}

func (p *pair) alice(h *half) client.Client {
	p.Helper()
	config := rest.CopyConfig(h.cluster.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "alice", Groups: []string{"system:masters"}}
	c, err := client.New(config, client.Options{Scheme: operatortest.Scheme()})
	p.must(err)
	return c
}

// look at an operation.
func (p *pair) look(h *half, o *resilience.Failover) *resilience.Failover {
	p.Helper()
	p.must(h.cluster.Client.Get(p.Context(), client.ObjectKeyFromObject(o), o))
	return o
}

// really runs the plan of a dry run.
func (p *pair) really(h *half, o *resilience.Failover) {
	p.Helper()
	p.until(20, o.Name+" has a plan", func() bool { return p.look(h, o).Status.Phase == resilience.PhasePlanned })
	o.Spec.DryRun, o.Spec.PlanDigest = ptr.To(false), o.Status.Plan.Digest
	p.must(p.alice(h).Update(p.Context(), o))
}
