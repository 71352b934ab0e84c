// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/network"
	"spine.nhs.uk/controlplane/operators/desired/restricted"
)

// restorer is the part whose pods compare a copy of the ledger with the ledger, and carry over.
const restorer = "restorer"

// Where a restorer finds the two ledgers, how often it is tried, and for how many seconds it may
// take to stop and what it found is kept.
const (
	fromDir      = "/etc/spine/from"
	toDir        = "/etc/spine/to"
	restoreTries = 10
	restoreGrace = 30
	restoreKept  = 24 * 3600
)

// Copy is a ledger made from the archive of the one in use, beside it.
type Copy struct {
	// Name of its Cluster.
	Name string
	// To is the time whose state it has.
	To time.Time
}

// Cluster is the copy itself.
func (c Copy) Cluster(m *api.MessagingService) *unstructured.Unstructured {
	a := databaseArgs(m)
	a.Restore = &database.Restore{From: DatabaseName(m), To: c.To}
	a.Name = c.Name
	return database.Cluster(a)
}

// NetworkPolicies open the copy as a ledger is opened, and both ledgers to the restorer, which
// reaches nothing else.
func (c Copy) NetworkPolicies(m *api.MessagingService) []*networkingv1.NetworkPolicy {
	var out []*networkingv1.NetworkPolicy
	pods := c.selector(m)
	for _, cluster := range []string{DatabaseName(m), c.Name} {
		out = append(out, network.Policy(meta(m, cluster+"-"+restorer, restorer), map[string]string{database.ClusterLabel: cluster},
			[]network.Rule{{Peers: network.Pods(pods), Ports: network.TCP(postgresPort)}}, nil))
	}
	return append(out, databasePolicyOf(m, c.Name),
		network.Policy(meta(m, c.Name+"-"+restorer+"-pod", restorer), pods, nil, []network.Rule{
			{Peers: network.Pods(map[string]string{database.ClusterLabel: DatabaseName(m)}), Ports: network.TCP(postgresPort)},
			{Peers: network.Pods(map[string]string{database.ClusterLabel: c.Name}), Ports: network.TCP(postgresPort)},
			network.DNS(),
		}))
}

func (c Copy) selector(m *api.MessagingService) map[string]string {
	return Selector(m, restorer)
}

// Work is what a Job of a Copy does, as its name says it.
type Work string

// The Jobs of a Copy, in their order: it is compared; what only the ledger in use has is carried over to it while the
// gateways run; and the rest is, and compared, when they have stopped.
const (
	Compare    Work = "compare"
	CarryAhead Work = "ahead"
	CarryOver  Work = "carry"
)

// Job does one of these. Its pod says what it found as the message with which it ends.
func (c Copy) Job(m *api.MessagingService, image string, work Work) *batchv1.Job {
	name, args := c.JobName(work), []string{
		"restore", "--from-dir=" + fromDir, "--to-dir=" + toDir, "--until=" + c.To.UTC().Format(time.RFC3339Nano), "--report=/dev/termination-log",
	}
	if work != Compare {
		args = append(args, "--"+string(work))
	}
	job := &batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: meta(m, name, restorer),
	}
	job.Spec = batchv1.JobSpec{
		BackoffLimit:            ptr.To[int32](restoreTries),
		TTLSecondsAfterFinished: ptr.To[int32](restoreKept),
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: Labels(m, restorer)},
			Spec: corev1.PodSpec{
				RestartPolicy:                 corev1.RestartPolicyNever,
				AutomountServiceAccountToken:  ptr.To(false),
				EnableServiceLinks:            ptr.To(false),
				SecurityContext:               restricted.Pod(),
				TerminationGracePeriodSeconds: ptr.To[int64](restoreGrace),
				Containers: []corev1.Container{{
					Name: restorer, Image: image, Args: args,
					SecurityContext: restricted.Container(), Resources: restricted.Resources(m.Spec.Gateway.Resources),
					Env: restricted.Heap(m.Spec.Gateway.Resources), TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
					VolumeMounts: []corev1.VolumeMount{restricted.Mount("from", fromDir), restricted.Mount("to", toDir)},
				}},
				Volumes: []corev1.Volume{
					restricted.Volume("from", database.Files(DatabaseName(m), m.Spec.Database, nil)...),
					restricted.Volume("to", database.Files(c.Name, m.Spec.Database, nil)...),
				},
			},
		},
	}
	return job
}

// JobName of the Job that does a work.
func (c Copy) JobName(work Work) string { return c.Name + "-" + string(work) }
