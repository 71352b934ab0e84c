// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/endpoint"
	"spine.nhs.uk/controlplane/operators/desired/restricted"
)

const (
	// leave in seconds lets every node take the pod out of its rules before it stops listening.
	leave = 5
	// grace in seconds: leave, then the 130 that a gateway needs at most to finish its work.
	grace = leave + 135
	// minReady in seconds is long enough for three deep probes at their pace during a change.
	minReady = 20
)

// GatewayDeployment runs the gateways, with the given image. A change adds a gateway before
// it takes one away.
func GatewayDeployment(m *api.MessagingService, image string) *appsv1.Deployment {
	labels := Labels(m, Gateway)
	labels["app.kubernetes.io/name"] = "message-gateway"
	var annotations map[string]string
	if e := m.Spec.Broker.Endpoint; e != nil {
		annotations = map[string]string{endpoint.BrokerAnnotation: endpoint.Address(e)}
	}
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: meta(m, GatewayName(m), Gateway),
		Spec: appsv1.DeploymentSpec{
			Replicas:             ptr.To(GatewayReplicas(m)),
			Selector:             &metav1.LabelSelector{MatchLabels: Selector(m, Gateway)},
			MinReadySeconds:      minReady,
			RevisionHistoryLimit: ptr.To[int32](3),
			Strategy: appsv1.DeploymentStrategy{
				Type: appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{
					MaxUnavailable: ptr.To(intstr.FromInt32(0)), MaxSurge: ptr.To(intstr.FromInt32(1)),
				},
			},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: annotations},
				Spec:       gatewayPod(m, image),
			},
		},
	}
}

// arguments of a gateway. Of two sites, one that has just got its power back must not serve
// before its site's manager has said so.
func arguments(m *api.MessagingService) []string {
	if m.Spec.Site == nil {
		return []string{"serve"}
	}
	return []string{"serve", "--require-permit", "--peer=" + string(m.Spec.Site.Peer.Name)}
}

func gatewayPod(m *api.MessagingService, image string) corev1.PodSpec {
	return corev1.PodSpec{
		AutomountServiceAccountToken:  ptr.To(false),
		EnableServiceLinks:            ptr.To(false),
		SecurityContext:               restricted.Pod(),
		TerminationGracePeriodSeconds: ptr.To[int64](grace),
		TopologySpreadConstraints:     restricted.Spread(m.Spec.Topology, Selector(m, Gateway)),
		Containers: []corev1.Container{{
			Name:            "gateway",
			Image:           image,
			Args:            arguments(m),
			SecurityContext: restricted.Container(),
			Resources:       restricted.Resources(m.Spec.Gateway.Resources),
			Env:             restricted.Heap(m.Spec.Gateway.Resources),
			Ports: []corev1.ContainerPort{
				{Name: "mesh", ContainerPort: meshPort, Protocol: corev1.ProtocolTCP},
				{Name: "bulk", ContainerPort: bulkPort, Protocol: corev1.ProtocolTCP},
				{Name: "ops", ContainerPort: opsPort, Protocol: corev1.ProtocolTCP},
			},
			StartupProbe:   restricted.Probe("/livez", "ops", 1, 120),
			LivenessProbe:  restricted.Probe("/livez", "ops", 10, 6),
			ReadinessProbe: restricted.Probe("/readyz", "ops", 2, 3),
			Lifecycle:      &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: leave}}},
			VolumeMounts: []corev1.VolumeMount{
				restricted.Mount("config", "/etc/spine/config"),
				restricted.Mount("database", "/etc/spine/database"),
				restricted.Mount("broker", "/etc/spine/broker"),
				restricted.Mount("tls", "/etc/spine/tls"),
				restricted.Mount("clients-ca", "/etc/spine/clients-ca"),
				restricted.Mount("mailboxes", "/etc/spine/mailboxes"),
			},
		}},
		Volumes: []corev1.Volume{
			restricted.Volume("config", restricted.ConfigMap(GatewayName(m), configKey)),
			restricted.Volume("database", database.Files(DatabaseName(m), m.Spec.Database, m.Spec.Site)...),
			restricted.Volume("broker", brokerFiles(m)...),
			restricted.Volume("tls", restricted.Secret(gatewaySecret(m), "tls.crt", "tls.key", "ca.crt")),
			restricted.Volume("clients-ca", restricted.Secret(clientSecret(m), "tls.crt", "tls.key", "ca.crt")),
			restricted.Volume("mailboxes", restricted.Secret(m.Spec.MailboxesSecret.Name, "mailboxes.yaml")),
		},
	}
}
