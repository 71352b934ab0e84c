// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/restricted"
)

const (
	// leaveSeconds lets every host take the pod out of its rules before the pod
	// stops listening.
	leaveSeconds = 5
	// drainSeconds lets a booking finish that waits for a provider's system,
	// which may take 120 s to answer.
	drainSeconds = 130
	// graceSeconds is when a pod that does not finish is killed.
	graceSeconds = leaveSeconds + drainSeconds + 10
	// steadySeconds is how long a new pod must serve before the next is changed:
	// enough for three deep probes at their pace during a change.
	steadySeconds = 20
	// progressSeconds bounds the change of one pod: pulling, starting, draining.
	progressSeconds = 300
)

// Deployment runs the program with the given image. A change starts a pod more
// before it stops one, so that there are never fewer than were asked for.
func Deployment(b *booking.BookingService, image string) *appsv1.Deployment {
	labels := Labels(b, ComponentService)
	labels["app.kubernetes.io/name"] = "booking-service"
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: meta(b, ServiceName(b), ComponentService),
		Spec: appsv1.DeploymentSpec{
			Replicas:                ptr.To(Replicas(b)),
			Selector:                &metav1.LabelSelector{MatchLabels: Selector(b, ComponentService)},
			MinReadySeconds:         steadySeconds,
			ProgressDeadlineSeconds: ptr.To[int32](progressSeconds),
			RevisionHistoryLimit:    ptr.To[int32](3),
			Strategy: appsv1.DeploymentStrategy{
				Type: appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{
					MaxUnavailable: ptr.To(intstr.FromInt32(0)),
					MaxSurge:       ptr.To(intstr.FromInt32(1)),
				},
			},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       pod(b, image),
			},
		},
	}
}

func pod(b *booking.BookingService, image string) corev1.PodSpec {
	return corev1.PodSpec{
		AutomountServiceAccountToken:  ptr.To(false),
		EnableServiceLinks:            ptr.To(false),
		SecurityContext:               restricted.Pod(),
		TerminationGracePeriodSeconds: ptr.To[int64](graceSeconds),
		TopologySpreadConstraints:     restricted.Spread(b.Spec.Topology, Selector(b, ComponentService)),
		Containers:                    []corev1.Container{container(b, image)},
		Volumes:                       volumes(b),
	}
}

func container(b *booking.BookingService, image string) corev1.Container {
	return corev1.Container{
		Name:  "booking-service",
		Image: image,
		Args:  arguments(b),
		Env:   restricted.Heap(b.Spec.Service.Resources),
		Ports: []corev1.ContainerPort{
			{Name: portAPI, ContainerPort: APIPort, Protocol: corev1.ProtocolTCP},
			{Name: portOps, ContainerPort: OpsPort, Protocol: corev1.ProtocolTCP},
		},
		Resources:       restricted.Resources(b.Spec.Service.Resources),
		SecurityContext: restricted.Container(),
		StartupProbe:    restricted.Probe("/livez", portOps, 1, 120), // the schema's migrations take time
		LivenessProbe:   restricted.Probe("/livez", portOps, 10, 6),
		ReadinessProbe:  restricted.Probe("/readyz", portOps, 2, 3),
		Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{
			Sleep: &corev1.SleepAction{Seconds: leaveSeconds},
		}},
		VolumeMounts: mounts(b),
	}
}

func arguments(b *booking.BookingService) []string {
	args := []string{
		"serve",
		fmt.Sprintf("--address=:%d", APIPort),
		fmt.Sprintf("--ops-address=:%d", OpsPort),
		"--config=" + configDir + "/" + ConfigKey,
		"--database-dir=" + databaseDir,
		"--tls-dir=" + tlsDir,
		"--gateway-url=" + gatewayURL(b),
		"--gateway-tls-dir=" + gatewayClientDir,
		fmt.Sprintf("--drain-timeout=%ds", drainSeconds),
	}
	if b.Spec.Site != nil {
		// Where the power comes back, nothing is served before the site's manager has said so.
		args = append(args, "--require-permit", "--peer="+string(b.Spec.Site.Peer.Name))
	}
	return args
}

func gatewayURL(b *booking.BookingService) string {
	return fmt.Sprintf("https://%s.%s.svc:%d", gatewayService(b), b.Spec.Gateway.Namespace, b.Spec.Gateway.BulkPort)
}

func volumes(b *booking.BookingService) []corev1.Volume {
	out := []corev1.Volume{
		restricted.Volume("config", restricted.ConfigMap(configName(b), ConfigKey)),
		restricted.Volume("database", database.Files(DatabaseName(b), b.Spec.Database, b.Spec.Site)...),
		restricted.Volume("tls", restricted.Secret(certificateName(b), certKey, privateKey, caKey)),
		// Its own certificate is from the clients' authority, the gateway's from the platform's.
		restricted.Volume("gateway-client",
			restricted.Secret(gatewayClientName(b), certKey, privateKey),
			restricted.Secret(certificateName(b), caKey)),
		restricted.Volume("tokens", restricted.ConfigMap(b.Spec.Tokens.KeysConfigMap, jwksKey)),
	}
	if name := b.Spec.ProviderAccess.CAConfigMap; name != "" {
		out = append(out, restricted.Volume("providers", restricted.ConfigMap(name, caKey)))
	}
	return out
}

func mounts(b *booking.BookingService) []corev1.VolumeMount {
	out := []corev1.VolumeMount{
		restricted.Mount("config", configDir),
		restricted.Mount("database", databaseDir),
		restricted.Mount("tls", tlsDir),
		restricted.Mount("gateway-client", gatewayClientDir),
		restricted.Mount("tokens", tokensDir),
	}
	if b.Spec.ProviderAccess.CAConfigMap != "" {
		out = append(out, restricted.Mount("providers", providersDir))
	}
	return out
}
