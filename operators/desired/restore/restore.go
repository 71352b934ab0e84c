// SPDX-License-Identifier: Apache-2.0

// Package restore builds what a service's database is restored with: a copy made from its archive,
// beside the one in use, and the Jobs that compare the two and carry over what came since.
package restore

import (
	"maps"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/network"
	"spine.nhs.uk/controlplane/operators/desired/task"
)

// restorer is the part whose pods compare a copy with the database in use, and carry over.
const restorer = "restorer"

// Where a restorer finds the two databases.
const (
	fromDir = "/etc/spine/from"
	toDir   = "/etc/spine/to"
)

// Service is one whose database can be restored.
type Service struct {
	// Database in use.
	Database database.Args
	// Opened is the policy that opens a Cluster of that name as the one in use is opened.
	Opened func(cluster string) *networkingv1.NetworkPolicy
	// Resources of the service's program, which a restorer has too.
	Resources common.Resources
}

// Copy is a database made from the archive of the one in use, beside it.
type Copy struct {
	// Of is the service.
	Of Service
	// Name of its Cluster.
	Name string
	// To is the time whose state it has.
	To time.Time
}

// Cluster is the copy itself.
func (c Copy) Cluster() *unstructured.Unstructured {
	a := c.Of.Database
	a.Restore = &database.Restore{From: a.Name, To: c.To}
	a.Name = c.Name
	return database.Cluster(a)
}

// NetworkPolicies open the copy as the database in use is opened, and both to the restorer, which
// reaches nothing else.
func (c Copy) NetworkPolicies() []*networkingv1.NetworkPolicy {
	var out []*networkingv1.NetworkPolicy
	pods := c.selector()
	var both []network.Rule
	for _, cluster := range []string{c.Of.Database.Name, c.Name} {
		instances := map[string]string{database.ClusterLabel: cluster}
		out = append(out, network.Policy(c.meta(cluster+"-"+restorer), instances,
			[]network.Rule{{Peers: network.Pods(pods), Ports: network.TCP(database.Port)}}, nil))
		both = append(both, network.Rule{Peers: network.Pods(instances), Ports: network.TCP(database.Port)})
	}
	return append(out, c.Of.Opened(c.Name),
		network.Policy(c.meta(c.Name+"-"+restorer+"-pod"), pods, nil, append(both, network.DNS())))
}

// labels are the database's, of another part.
func (c Copy) labels() map[string]string {
	labels := maps.Clone(c.Of.Database.Labels)
	labels[common.ComponentLabel] = restorer
	return labels
}

// selector of the restorer's pods: labels that never change.
func (c Copy) selector() map[string]string {
	return map[string]string{common.ServiceLabel: c.Of.Database.Labels[common.ServiceLabel], common.ComponentLabel: restorer}
}

func (c Copy) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: c.Of.Database.Namespace, Labels: c.labels()}
}

// Work is what a Job of a Copy does, as its name says it.
type Work string

// The Jobs of a Copy, in their order: it is compared; what only the database in use has is carried
// over to it while the programs run, where that is much; and the rest is, and compared, when they
// have stopped.
const (
	Compare    Work = "compare"
	CarryAhead Work = "ahead"
	CarryOver  Work = "carry"
)

// Job does one of these, with an image of the service's program. Its pod says what it found as the
// message with which it ends.
func (c Copy) Job(image string, work Work) *batchv1.Job {
	args := []string{
		"restore", "--from-dir=" + fromDir, "--to-dir=" + toDir, "--until=" + c.To.UTC().Format(time.RFC3339Nano), "--report=" + task.Report,
	}
	if work != Compare {
		args = append(args, "--"+string(work))
	}
	spec := c.Of.Database.Spec
	return task.Job(task.Args{
		Meta: c.meta(c.JobName(work)), Name: restorer, Image: image, Args: args, Resources: c.Of.Resources,
		Mounts: []task.Mount{
			{Name: "from", Path: fromDir, Files: database.Files(c.Of.Database.Name, spec, nil)},
			{Name: "to", Path: toDir, Files: database.Files(c.Name, spec, nil)},
		},
	})
}

// JobName of the Job that does a work.
func (c Copy) JobName(work Work) string { return c.Name + "-" + string(work) }
