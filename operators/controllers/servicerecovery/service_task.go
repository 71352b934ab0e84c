// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spine.nhs.uk/controlplane/operators/kit/operation"
)

// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=get;list;watch;create;patch,namespace=spine-messaging
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=get;list;watch;create;patch,namespace=spine-booking

// reported reads what a Job has found into a value, and returns the pod that found it; no pod while none has.
func (r *Reconciler) reported(ctx context.Context, l *look, name string, into any) (string, operation.Progress, error) {
	var job batchv1.Job
	if err := r.Reader.Get(ctx, l.key(name), &job); err != nil {
		return "", operation.Progress{NotActed: true, Message: "Job " + name + " is not there"}, client.IgnoreNotFound(err)
	}
	var pods corev1.PodList
	if err := r.Reader.List(ctx, &pods, client.InNamespace(job.Namespace), client.MatchingLabels{batchv1.JobNameLabel: name}); err != nil {
		return "", operation.Progress{}, err
	}
	last := ""
	for i := range pods.Items {
		for _, s := range pods.Items[i].Status.ContainerStatuses {
			t := s.State.Terminated
			if t == nil {
				continue
			}
			last = t.Message
			if t.ExitCode == 0 && json.Unmarshal([]byte(t.Message), into) == nil {
				return pods.Items[i].Name, operation.Progress{}, nil
			}
		}
	}
	if slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Type == batchv1.JobFailed && c.Status == corev1.ConditionTrue
	}) {
		return "", operation.Progress{}, operation.Failed("Job %s failed: %s; the service goes on with the database that it has", name, last)
	}
	message := "Job " + name + " runs"
	if last != "" {
		message += fmt.Sprintf("; %d attempts failed, the last one with: %s", job.Status.Failed, last)
	}
	return "", operation.Progress{Message: message}, nil
}
