// SPDX-License-Identifier: Apache-2.0

package booking

import (
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
)

// Service leads clients from outside to the program. TLS ends in the pods.
func Service(b *booking.BookingService) *corev1.Service {
	api := port(portAPI, b.Spec.Exposure.Port)
	api.NodePort = b.Spec.Exposure.NodePort
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: meta(b, ServiceName(b), ComponentService),
		Spec: corev1.ServiceSpec{
			Type:              corev1.ServiceTypeLoadBalancer,
			LoadBalancerClass: ptr.To(b.Spec.Exposure.LoadBalancerClass),
			// Hosts answer at the load balancer's address themselves, or a balancer that knows
			// no more than the port asked for leads to them.
			AllocateLoadBalancerNodePorts: ptr.To(false),
			Selector:                      Selector(b, ComponentService),
			Ports:                         []corev1.ServicePort{api},
		},
	}
}

// Ops leads the manager to any replica.
func Ops(b *booking.BookingService) *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: meta(b, OpsName(b), ComponentService),
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeClusterIP,
			Selector: Selector(b, ComponentService),
			Ports:    []corev1.ServicePort{port(portOps, OpsPort)},
		},
	}
}

func port(name string, number int32) corev1.ServicePort {
	return corev1.ServicePort{
		Name: name, Port: number, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromString(name),
	}
}

// Budget lets a drain take one replica at a time. One that does not serve
// anyway holds up no drain.
func Budget(b *booking.BookingService) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"},
		ObjectMeta: meta(b, ServiceName(b), ComponentService),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable:             ptr.To(intstr.FromInt32(1)),
			Selector:                   &metav1.LabelSelector{MatchLabels: Selector(b, ComponentService)},
			UnhealthyPodEvictionPolicy: ptr.To(policyv1.AlwaysAllow),
		},
	}
}
