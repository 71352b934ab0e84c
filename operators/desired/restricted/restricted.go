// SPDX-License-Identifier: Apache-2.0

// Package restricted holds what the pods of our own programs have in common:
// no privilege at all, one per host, memory that is really there.
package restricted

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// User and group of our images.
const User = 65532

// Pod is the security context of a pod.
func Pod() *corev1.PodSecurityContext {
	return &corev1.PodSecurityContext{
		RunAsNonRoot:        ptr.To(true),
		RunAsUser:           ptr.To[int64](User),
		RunAsGroup:          ptr.To[int64](User),
		FSGroup:             ptr.To[int64](User),
		FSGroupChangePolicy: ptr.To(corev1.FSGroupChangeOnRootMismatch),
		SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}

// Container is the security context of a container.
func Container() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: ptr.To(false),
		ReadOnlyRootFilesystem:   ptr.To(true),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

// Resources of a container: CPU without a limit, memory requested and limited alike.
func Resources(r common.Resources) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: r.CPU, corev1.ResourceMemory: r.Memory},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: r.Memory},
	}
}

// heapShare of a program's memory is its heap's, in percent; the rest is for stacks and
// what the kernel counts besides.
const heapShare = 85

// Heap lets a Go program use the memory that it was given: it collects garbage a third as
// often as by default, and harder before the kernel has to kill.
func Heap(r common.Resources) []corev1.EnvVar {
	return []corev1.EnvVar{
		{Name: "GOGC", Value: "300"},
		{Name: "GOMEMLIMIT", Value: strconv.FormatInt(r.Memory.Value()*heapShare/100, 10)},
	}
}

// Spread keeps hosts, and racks, equally full of the pods of one roll-out.
// Hosts that take no pods now do not count: with one of three lost, two
// replicas still find a host each.
func Spread(t common.Topology, pods map[string]string) []corev1.TopologySpreadConstraint {
	var out []corev1.TopologySpreadConstraint
	for _, key := range []string{t.HostKey, t.RackKey} {
		out = append(out, corev1.TopologySpreadConstraint{
			MaxSkew:           1,
			TopologyKey:       key,
			WhenUnsatisfiable: corev1.DoNotSchedule,
			LabelSelector:     &metav1.LabelSelector{MatchLabels: pods},
			NodeTaintsPolicy:  ptr.To(corev1.NodeInclusionPolicyHonor),
			MatchLabelKeys:    []string{"pod-template-hash"},
		})
	}
	return out
}

// Probe asks a path of a container's port by HTTPS.
func Probe(path, port string, periodSeconds, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromString(port), Scheme: corev1.URISchemeHTTPS,
		}},
		PeriodSeconds:    periodSeconds,
		TimeoutSeconds:   5,
		FailureThreshold: failures,
		SuccessThreshold: 1,
	}
}
