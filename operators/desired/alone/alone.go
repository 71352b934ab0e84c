// SPDX-License-Identifier: Apache-2.0

// Package alone builds what finds out what a site alone holds (CompareSites): a Job that compares its database with the
// one of the site that serves, and lists what that one lacks.
package alone

import (
	"maps"

	batchv1 "k8s.io/api/batch/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/network"
	"spine.nhs.uk/controlplane/operators/desired/restore"
	"spine.nhs.uk/controlplane/operators/desired/task"
)

// Comparer is the part, and the container, that compares.
const Comparer = "comparer"

// Where it finds this site's database and the certificate for the other one's.
const (
	hereDir = "/etc/spine/here"
	peerDir = "/etc/spine/peer"
)

// Comparison of a service's databases at two sites.
type Comparison struct {
	// Of is the service, which has a second site.
	Of restore.Service
	// Name of the Job.
	Name string
}

// NetworkPolicies open this site's database to the comparer, which reaches that and the other site's and nothing else.
func (c Comparison) NetworkPolicies() []*networkingv1.NetworkPolicy {
	db, pods := c.Of.Database, c.selector()
	instances := map[string]string{database.ClusterLabel: db.Name}
	return []*networkingv1.NetworkPolicy{
		network.Policy(c.meta(db.Name+"-"+Comparer), instances, []network.Rule{{Peers: network.Pods(pods), Ports: network.TCP(database.Port)}}, nil),
		network.Policy(c.meta(db.Name+"-"+Comparer+"-pod"), pods, nil, append(network.ToPeer(&db.Pair.Site),
			network.Rule{Peers: network.Pods(instances), Ports: network.TCP(database.Port)}, network.DNS())),
	}
}

// Job compares, with an image of the service's program. Its log is the list; how many there are is the message with which
// its pod ends.
func (c Comparison) Job(image string) *batchv1.Job {
	db := c.Of.Database
	return task.Job(task.Args{
		Meta: c.meta(c.Name), Name: Comparer, Image: image, Resources: c.Of.Resources,
		Args: []string{
			"alone", "--here-dir=" + hereDir, "--peer-dir=" + peerDir, "--peer=" + db.Pair.Peer(db.Database), "--report=" + task.Report,
		},
		Mounts: []task.Mount{
			{Name: "here", Path: hereDir, Files: database.Files(db.Name, db.Spec, &db.Pair.Site)},
			{Name: "peer", Path: peerDir, Files: database.PeerFiles(db.Name)},
		},
	})
}

// labels are the database's, of another part.
func (c Comparison) labels() map[string]string {
	labels := maps.Clone(c.Of.Database.Labels)
	labels[common.ComponentLabel] = Comparer
	return labels
}

// selector of its pods: labels that never change.
func (c Comparison) selector() map[string]string {
	return map[string]string{common.ServiceLabel: c.Of.Database.Labels[common.ServiceLabel], common.ComponentLabel: Comparer}
}

func (c Comparison) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: c.Of.Database.Namespace, Labels: c.labels()}
}
