// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"strings"

	"spine.nhs.uk/controlplane/infra/policy"
)

// describe fills a subject's lines: what its own kind knows, what any kind knows, and the rest as it is.
func describe(s *subject) {
	if own, ok := describers[s.kind]; ok {
		own(s)
	}
	lost(s)
	for _, r := range rules {
		r.apply(s)
	}
	regions(s)
	world(s)
	policies(s)
	replaced(s)
	rest(s)
	if len(s.lines) == 0 {
		s.say(Other, None, "%s", done[s.operation])
	}
}

// describers know single kinds.
var describers = map[string]func(*subject){
	"spine:baremetal:Host":                                   host,
	"spine:baremetal:Cluster":                                cluster,
	"spine:kubernetes:Manifests":                             manifests,
	"Deployment.apps":                                        workload,
	"StatefulSet.apps":                                       workload,
	"DaemonSet.apps":                                         workload,
	"Service":                                                service,
	"NetworkPolicy.networking.k8s.io":                        networkPolicy,
	"Namespace":                                              namespace,
	"Secret":                                                 secretObject,
	"Role.rbac.authorization.k8s.io":                         access,
	"ClusterRole.rbac.authorization.k8s.io":                  access,
	"RoleBinding.rbac.authorization.k8s.io":                  access,
	"ClusterRoleBinding.rbac.authorization.k8s.io":           access,
	"ServiceAccount":                                         access,
	"PodDisruptionBudget.policy":                             budget,
	"CustomResourceDefinition.apiextensions.k8s.io":          definition,
	"Cluster.postgresql.cnpg.io":                             database,
	"MessagingService.messaging.spine.nhs.uk":                spineService,
	"BookingService.booking.ers.nhs.uk":                      spineService,
	"StorageClass.storage.k8s.io":                            storageClass,
	"ValidatingAdmissionPolicy.admissionregistration.k8s.io": admission,
	"ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io": admission,
}

var done = map[policy.Operation]string{
	policy.Create:  "created",
	policy.Update:  "updated: all that differs is known only while it is applied",
	policy.Replace: "replaced",
	policy.Delete:  "deleted",
	policy.Same:    "stays",
}

// holders are kinds that hold data, by prefix of the kind, with what is lost.
var holding = []struct {
	prefix string
	level  Level
	what   string
}{
	{"aws:rds/cluster:", High, "its data is lost unless there is a snapshot"},
	{"aws:rds/instance:", High, "its data is lost unless there is a snapshot"},
	{"aws:dynamodb/table:", High, "its data is lost unless there is a backup"},
	{"aws:s3/bucket:", High, "its objects are lost"},
	{"aws:s3/bucketV2:", High, "its objects are lost"},
	{"aws:ebs/volume:", High, "its data is lost unless there is a snapshot"},
	{"aws:efs/fileSystem:", High, "its files are lost"},
	{"aws:kms/key:", High, "nothing that it encrypts can be read again"},
	{"aws:mq/broker:", High, "its queues are lost"},
	{"aws:backup/vault:", High, "its backups are lost"},
	{"aws:backup/plan:", High, "no further backups are made"},
	{"aws:cloudwatch/logGroup:", Medium, "its logs are lost"},
	{"aws:secretsmanager/secret:", Medium, "what it holds is lost after its recovery window"},
	{"spine:baremetal:Cluster", High, "etcd and every volume on its hosts are lost"},
	{"spine:baremetal:Host", High, "the volumes on it are lost"},
	{"Namespace", High, "everything in it is deleted, volumes too"},
	{"PersistentVolumeClaim", High, "its volume may be deleted"},
	{"PersistentVolume", High, "its volume may be deleted"},
	{"CustomResourceDefinition.apiextensions.k8s.io", High, "every object of its kind is deleted"},
	{"Cluster.postgresql.cnpg.io", High, "the database and its volumes are deleted"},
	{"RabbitmqCluster.rabbitmq.com", High, "its queues and volumes are deleted"},
	{"MessagingService.messaging.spine.nhs.uk", High, "its ledger and queues are deleted"},
	{"BookingService.booking.ers.nhs.uk", High, "its database is deleted"},
	{"StatefulSet.apps", Medium, "its volumes stay, its pods go"},
}

// lost says what goes with the thing itself.
func lost(s *subject) {
	if s.operation == policy.Delete && s.kept {
		s.say(Other, Low, "forgotten; the thing itself stays where it is")
		return
	}
	if !s.goes() {
		return
	}
	if s.found {
		s.say(Availability, High, "is gone: it was deleted by others; an update makes a new one, without what the old one held")
		return
	}
	for _, h := range holding {
		if strings.HasPrefix(s.kind, h.prefix) {
			s.say(DataLoss, h.level, "%s: %s", done[s.operation], h.what)
			return
		}
	}
	for _, l := range s.lines {
		if l.Class != Other {
			return // Its own kind has said what that means.
		}
	}
	level := Medium
	if harmless(s.kind) {
		level = Low
	}
	switch {
	case s.operation == policy.Delete:
		s.say(Availability, level, "deleted: what uses it fails")
	case s.past:
		s.say(Availability, level, "replaced")
	case s.deleteFirst:
		s.say(Availability, level, "replaced: what uses it fails until the new one is there")
	default:
		s.say(Availability, level, "replaced: the new one is there before the old one goes")
	}
}

// harmless kinds take nothing down with them when they go.
func harmless(kind string) bool {
	for _, prefix := range []string{"ConfigMap", "ServiceAccount", "Certificate.", "Role.", "RoleBinding.", "ClusterRole", "pulumi:", "aws:kms/alias:", "aws:cloudwatch/"} {
		if strings.HasPrefix(kind, prefix) {
			return true
		}
	}
	return false
}

// replaced leaves out what makes a replacement necessary: the change says so, as its causes.
func replaced(s *subject) {
	s.tell(func(d *difference) bool { return d.replaces && s.operation == policy.Replace })
}

// mostWords is how many properties of one thing are put into words; the others are counted, and shown as they are.
const mostWords = 6

// rest says what nobody knew anything about.
func rest(s *subject) {
	if s.operation == policy.Create || s.operation == policy.Delete {
		return
	}
	said, more := 0, 0
	for i := range s.diffs {
		d := &s.diffs[i]
		switch {
		case d.told:
		case said == mostWords:
			more++
		default:
			said++
			s.say(Other, None, "%s: %s", d.path, values(d))
		}
	}
	if more > 0 {
		s.say(Other, None, "and %d more properties", more)
	}
}

// values puts a difference into words.
func values(d *difference) string {
	if _, ok := d.new.(masked); ok && d.old != nil && brief(d.old) == brief(d.new) {
		return "a secret in it changes"
	}
	old, is := brief(d.old), brief(d.new)
	switch {
	case d.resealed:
		return "the secret was written anew"
	case secret(d.old) && secret(d.new):
		return "another secret"
	case d.old == nil && d.new == nil:
		return "changes"
	case d.old == nil:
		return is + " is added"
	case d.new == nil:
		return old + " is removed"
	}
	return fmt.Sprintf("%s -> %s", old, is)
}

// brief is a value in a sentence. Properties have it whole.
func brief(v any) string {
	text := strings.Join(strings.Fields(show(v)), " ")
	if text == "" {
		text = `""`
	}
	// A digest is known by its first characters.
	if i := strings.Index(text, "sha256:"); i >= 0 && len(text) > i+19 {
		text = text[:i+19] + strings.TrimLeft(text[i+19:], "0123456789abcdef")
	}
	const most = 90
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "..."
	}
	return text
}
