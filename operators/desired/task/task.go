// SPDX-License-Identifier: Apache-2.0

// Package task builds Jobs that do one piece of work on databases and say what they found.
package task

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/restricted"
)

// Report is the file in which a program says what it found: its pod's status has it, as the message with which the
// container ended.
const Report = "/dev/termination-log"

// How often the work is tried, and for how many seconds it may take to stop and what it found is kept.
const (
	tries = 10
	grace = 30
	kept  = 24 * 3600
)

// Mount is a directory of files for the program.
type Mount struct {
	Name, Path string
	Files      []corev1.VolumeProjection
}

// Args say what the program is, and what it is given.
type Args struct {
	// Meta of the Job; its pods have the same labels.
	Meta metav1.ObjectMeta
	// Name of the container.
	Name string
	// Image of the service's program, its arguments, and its resources.
	Image     string
	Args      []string
	Resources common.Resources
	// Mounts that it reads.
	Mounts []Mount
}

// Job runs the program until it succeeds, without any right to the API.
func Job(a Args) *batchv1.Job {
	pod := corev1.PodSpec{
		RestartPolicy:                 corev1.RestartPolicyNever,
		AutomountServiceAccountToken:  ptr.To(false),
		EnableServiceLinks:            ptr.To(false),
		SecurityContext:               restricted.Pod(),
		TerminationGracePeriodSeconds: ptr.To[int64](grace),
		Containers: []corev1.Container{{
			Name: a.Name, Image: a.Image, Args: a.Args,
			SecurityContext: restricted.Container(), Resources: restricted.Resources(a.Resources),
			Env: restricted.Heap(a.Resources), TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		}},
	}
	for _, m := range a.Mounts {
		pod.Containers[0].VolumeMounts = append(pod.Containers[0].VolumeMounts, restricted.Mount(m.Name, m.Path))
		pod.Volumes = append(pod.Volumes, restricted.Volume(m.Name, m.Files...))
	}
	return &batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: a.Meta,
		Spec: batchv1.JobSpec{
			BackoffLimit:            ptr.To[int32](tries),
			TTLSecondsAfterFinished: ptr.To[int32](kept),
			Template:                corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: a.Meta.Labels}, Spec: pod},
		},
	}
}
