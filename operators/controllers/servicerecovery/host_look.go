// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/host"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/kit"
)

// +kubebuilder:rbac:groups="",resources=nodes,verbs=list;patch
// +kubebuilder:rbac:groups="",resources=pods,verbs=list
// +kubebuilder:rbac:groups="",resources=pods/eviction,verbs=create
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;list,namespace=kube-node-lease

const (
	leaseNamespace = "kube-node-lease"
	// aliveWithin is how old a heartbeat of a host that is alive may be: kubelets renew their
	// lease every 2 s, and clocks differ a little.
	aliveWithin = 12 * time.Second
	// mirrorAnnotation marks static pods, which the kubelet runs whatever the API says.
	mirrorAnnotation = corev1.MirrorPodAnnotationKey
)

// hostLook is a host and all that it may hold up, read without a cache.
type hostLook struct {
	host.Facts
	// node is the host's; nil when there is none.
	node *corev1.Node
	// pods on the host, all of them.
	pods []corev1.Pod
	// services whose members the parts are.
	services []*target
}

// hostFacts reads what every action on a host rests on.
func (r *Reconciler) hostFacts(ctx context.Context, name string) (*hostLook, error) {
	l := &hostLook{Facts: host.Facts{Host: name}}
	var nodes corev1.NodeList
	if err := r.Reader.List(ctx, &nodes); err != nil {
		return nil, fmt.Errorf("hosts: %w", err)
	}
	for i := range nodes.Items {
		n := &nodes.Items[i]
		l.Nodes = append(l.Nodes, host.Node{Name: n.Name, Ready: nodeReady(n), Cordoned: n.Spec.Unschedulable, Fenced: fenced(n)})
		if n.Name == name {
			l.node = n
		}
	}
	slices.SortFunc(l.Nodes, func(a, b host.Node) int { return strings.Compare(a.Name, b.Name) })
	pods, err := r.podsOn(ctx, name)
	if err != nil {
		return nil, err
	}
	l.pods = pods
	for _, p := range pods {
		if movable(&p) {
			l.Pods = append(l.Pods, host.Pod{Namespace: p.Namespace, Name: p.Name, GraceSeconds: grace(&p)})
		}
	}
	if l.services, err = r.services(ctx); err != nil {
		return nil, err
	}
	for _, t := range l.services {
		parts, err := r.partsOf(ctx, t)
		if err != nil {
			return nil, err
		}
		l.Parts = append(l.Parts, parts...)
	}
	stores, err := r.etcd(ctx)
	if err != nil {
		return nil, err
	}
	l.Parts = append(l.Parts, stores...)
	return l, nil
}

// follow finds the databases' members that went astray, by the programs' answers. Where no
// program answers, the pods' word stands: a drain must not wait for what it may be to mend.
func (l *hostLook) follow(answers []*counts) {
	for i, t := range l.services {
		if answers[i] == nil || answers[i].standbys == nil {
			continue
		}
		for _, p := range l.Parts {
			for j := range p.Members {
				m := &p.Members[j]
				name, ours := strings.CutPrefix(m.Pod, t.ref.Namespace+"/")
				if ours && strings.HasPrefix(name, t.database+"-") && !m.Primary {
					m.Astray = !slices.Contains(answers[i].standbys, name)
				}
			}
		}
	}
}

// podsOn a host, in all namespaces.
func (r *Reconciler) podsOn(ctx context.Context, name string) ([]corev1.Pod, error) {
	var pods corev1.PodList
	if err := r.Reader.List(ctx, &pods, client.MatchingFields{"spec.nodeName": name}); err != nil {
		return nil, fmt.Errorf("pods on host %s: %w", name, err)
	}
	return pods.Items, nil
}

// services of the site, of both kinds.
func (r *Reconciler) services(ctx context.Context) ([]*target, error) {
	var out []*target
	var messaging messagingapi.MessagingServiceList
	if err := r.Reader.List(ctx, &messaging, client.InNamespace(r.Messaging)); err != nil {
		return nil, fmt.Errorf("messaging services: %w", err)
	}
	for i := range messaging.Items {
		m := &messaging.Items[i]
		t := messagingTarget(m)
		t.ref.Kind, t.ref.Namespace, t.ref.Name = "MessagingService", m.Namespace, m.Name
		out = append(out, t)
	}
	var booking bookingapi.BookingServiceList
	if err := r.Reader.List(ctx, &booking, client.InNamespace(r.Booking)); err != nil {
		return nil, fmt.Errorf("booking services: %w", err)
	}
	for i := range booking.Items {
		b := &booking.Items[i]
		if common.SleepPhaseOf(b.Status.Sleep) == common.SleepAsleep {
			continue // it has no member that a host could hold
		}
		t := bookingTarget(b)
		t.ref.Kind, t.ref.Namespace, t.ref.Name = "BookingService", b.Namespace, b.Name
		out = append(out, t)
	}
	return out, nil
}

// partsOf a service, with where each member is. The engines' own words do not count here:
// they take a while to hear of a host that is gone.
func (r *Reconciler) partsOf(ctx context.Context, t *target) ([]host.Part, error) {
	find := func(name string, desired int32, quorum bool, labels client.MatchingLabels) (host.Part, error) {
		part := host.Part{Name: fmt.Sprintf("%s of %s/%s", name, t.ref.Namespace, t.ref.Name), Known: true, Desired: desired, Quorum: quorum}
		var pods corev1.PodList
		if err := r.Reader.List(ctx, &pods, client.InNamespace(t.ref.Namespace), labels); err != nil {
			return part, fmt.Errorf("%s: %w", part.Name, err)
		}
		part.Members = members(pods.Items)
		return part, nil
	}
	// Engines that somebody else runs have no member on any of our hosts.
	var out []host.Part
	var part host.Part
	var err error
	if t.elsewhere[recovery.Database] == "" {
		if part, err = find("database", t.instances, true, client.MatchingLabels{
			database.ClusterLabel: t.database, database.RoleLabel: database.RoleInstance,
		}); err != nil {
			return nil, err
		}
		out = append(out, part)
	}
	if t.broker != "" && t.elsewhere[recovery.Broker] == "" {
		if part, err = find("broker", t.nodes, true, client.MatchingLabels{"app.kubernetes.io/name": t.broker}); err != nil {
			return nil, err
		}
		out = append(out, part)
	}
	if part, err = find(t.part, t.replicas, false, t.pods); err != nil {
		return nil, err
	}
	return append(out, part), nil
}

// etcd runs as static pods where this project brings the cluster up; elsewhere it is not
// ours to see, and there is no part.
func (r *Reconciler) etcd(ctx context.Context) ([]host.Part, error) {
	var pods corev1.PodList
	err := r.Reader.List(ctx, &pods, client.InNamespace("kube-system"), client.MatchingLabels{"component": "etcd", "tier": "control-plane"})
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	if len(pods.Items) == 0 {
		return nil, nil
	}
	return []host.Part{{
		Name: "cluster's own store (etcd)", Known: true, Desired: int32(len(pods.Items)), Quorum: true, Members: members(pods.Items),
	}}, nil
}

func members(pods []corev1.Pod) []host.Member {
	var out []host.Member
	for i := range pods {
		out = append(out, host.Member{
			Pod: pods[i].Namespace + "/" + pods[i].Name, Node: pods[i].Spec.NodeName, Ready: kit.PodReady(&pods[i]),
			Primary: pods[i].Labels[database.InstanceRoleLabel] == database.PrimaryRole,
		})
	}
	return out
}

// alive says that a host serves now: ready, with a fresh heartbeat.
func (r *Reconciler) alive(ctx context.Context, l *hostLook) (bool, error) {
	if l.node == nil || !nodeReady(l.node) {
		return false, nil
	}
	var lease coordinationv1.Lease
	if err := r.Reader.Get(ctx, client.ObjectKey{Namespace: leaseNamespace, Name: l.Host}, &lease); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return false, nil
		}
		return false, fmt.Errorf("heartbeat of host %s: %w", l.Host, err)
	}
	return lease.Spec.RenewTime != nil && r.Clock.Now().Sub(lease.Spec.RenewTime.Time) < aliveWithin, nil
}

func nodeReady(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

func fenced(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeOutOfService })
}

// movable pods are neither static nor of a DaemonSet, and have not ended.
func movable(p *corev1.Pod) bool {
	if _, static := p.Annotations[mirrorAnnotation]; static || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return false
	}
	return !slices.ContainsFunc(p.OwnerReferences, func(o metav1.OwnerReference) bool {
		return o.Kind == "DaemonSet" && o.Controller != nil && *o.Controller
	})
}

func grace(p *corev1.Pod) int32 {
	if p.Spec.TerminationGracePeriodSeconds == nil {
		return corev1.DefaultTerminationGracePeriodSeconds
	}
	return int32(*p.Spec.TerminationGracePeriodSeconds)
}
