// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

// ClientService is where senders and receivers come in, from the edge or from inside.
func ClientService(m *api.MessagingService) *corev1.Service {
	mesh := servicePort("mesh", m.Spec.Exposure.MeshPort)
	mesh.NodePort = m.Spec.Exposure.NodePort
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: meta(m, GatewayName(m), Gateway),
		Spec: corev1.ServiceSpec{
			Type:              corev1.ServiceTypeLoadBalancer,
			LoadBalancerClass: ptr.To(m.Spec.Exposure.LoadBalancerClass),
			// The edge address is served on its own ports by every node: no other port is opened
			// than the one that is asked for.
			AllocateLoadBalancerNodePorts: ptr.To(false),
			Selector:                      Selector(m, Gateway),
			Ports: []corev1.ServicePort{
				mesh,
				servicePort("bulk", m.Spec.Exposure.BulkPort),
			},
		},
	}
}

// OpsService is where the manager asks the gateways. Clients never see it.
func OpsService(m *api.MessagingService) *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: meta(m, OpsName(m), Gateway),
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeClusterIP,
			Selector: Selector(m, Gateway),
			Ports:    []corev1.ServicePort{servicePort("ops", opsPort)},
		},
	}
}

func servicePort(name string, port int32) corev1.ServicePort {
	return corev1.ServicePort{Name: name, Protocol: corev1.ProtocolTCP, Port: port, TargetPort: intstr.FromString(name)}
}

// GatewayBudget lets an eviction take one gateway at a time.
func GatewayBudget(m *api.MessagingService) *policyv1.PodDisruptionBudget {
	return budget(m, GatewayName(m), Gateway)
}
