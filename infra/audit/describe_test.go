// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"encoding/json"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/cost"
	"spine.nhs.uk/controlplane/infra/policy"
)

// properties reads JSON; nil for "".
func properties(t testing.TB, text string) map[string]any {
	t.Helper()
	if text == "" {
		return nil
	}
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

// one is the difference that one step makes.
func one(t testing.TB, token, old, is string) *Difference {
	t.Helper()
	s := engine.Step{Custom: true}
	s.URN, s.Type, s.Name = "urn:pulumi:dev::spine::"+token+"::x", token, "x"
	s.OldInputs, s.Inputs = properties(t, old), properties(t, is)
	s.Operation = policy.Update
	switch {
	case old == "":
		s.Operation = policy.Create
	case is == "":
		s.Operation = policy.Delete
	}
	return Build([]engine.Step{s}, cost.Published(), NewSecrets(nil))
}

// object wraps a Kubernetes object into the set that holds it.
func object(key, text string) string {
	if text == "" {
		return `{"objects": {}}`
	}
	return `{"objects": {"` + key + `": ` + text + `}}`
}

func TestWordsOfResources(t *testing.T) {
	tests := map[string]struct {
		token, old, is string
		class          Class
		level          Level
		words          string
	}{
		"protection off":      {"aws:rds/cluster:Cluster", `{"deletionProtection": true}`, `{"deletionProtection": false}`, DataLoss, High, "deletion protection is switched off"},
		"protection left":     {"aws:rds/cluster:Cluster", `{"deletionProtection": true}`, `{}`, DataLoss, High, "deletion protection is switched off"},
		"backups":             {"aws:rds/cluster:Cluster", `{"backupRetentionPeriod": 35}`, `{"backupRetentionPeriod": 1}`, DataLoss, High, "35 days -> 1 days"},
		"versions":            {"aws:s3/bucketVersioningV2:BucketVersioningV2", `{"versioningConfiguration": {"status": "Enabled"}}`, `{"versioningConfiguration": {"status": "Suspended"}}`, DataLoss, High, "no longer kept"},
		"a bucket goes":       {"aws:s3/bucketV2:BucketV2", `{"bucket": "a"}`, "", DataLoss, High, "its objects are lost"},
		"a key goes":          {"aws:kms/key:Key", `{}`, "", DataLoss, High, "can be read again"},
		"public":              {"aws:rds/instance:Instance", `{}`, `{"publiclyAccessible": true}`, Exposure, High, "from the internet"},
		"born public":         {"aws:rds/instance:Instance", "", `{"publiclyAccessible": true}`, Exposure, High, "from the internet"},
		"open to all":         {"aws:ec2/securityGroup:SecurityGroup", `{"ingress": []}`, `{"ingress": [{"cidrBlocks": ["0.0.0.0/0"]}]}`, Exposure, High, "opened to every address"},
		"open by IPv6":        {"aws:ec2/securityGroup:SecurityGroup", "", `{"ingress": [{"ipv6CidrBlocks": ["::/0"]}]}`, Exposure, High, "opened to every address"},
		"out is not in":       {"aws:ec2/securityGroup:SecurityGroup", `{}`, `{"egress": [{"cidrBlocks": ["0.0.0.0/0"]}]}`, Other, None, "egress"},
		"trail off":           {"aws:cloudtrail/trail:Trail", `{"enableLogging": true}`, `{"enableLogging": false}`, Exposure, High, "audit trail is switched off"},
		"no standby":          {"aws:rds/instance:Instance", `{"multiAz": true}`, `{"multiAz": false}`, Availability, High, "standby"},
		"engine":              {"aws:rds/cluster:Cluster", `{"engineVersion": "16.1"}`, `{"engineVersion": "17.1"}`, Availability, Medium, "16.1 -> 17.1"},
		"elsewhere":           {"aws:s3/bucketV2:BucketV2", `{}`, `{"replica": "arn:aws:s3:us-east-1:1:x"}`, Residency, High, "us-east-1"},
		"at home":             {"aws:s3/bucketV2:BucketV2", `{}`, `{"replica": "arn:aws:s3:eu-west-2:1:x"}`, Other, None, "replica"},
		"all rights":          {"aws:iam/policy:Policy", `{"policy": "{\"Statement\":[{\"Action\":\"s3:Get\"}]}"}`, `{"policy": "{\"Statement\":[{\"Action\":\"*\"}]}"}`, Identity, High, "s3:Get -> *"},
		"an administrator":    {"aws:iam/rolePolicyAttachment:RolePolicyAttachment", "", `{"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}`, Identity, High, "grants everything"},
		"dearer":              {"aws:ebs/volume:Volume", `{"type": "gp3", "size": 100}`, `{"type": "gp3", "size": 10000}`, Cost, High, "9.28 USD -> 928.00 USD a month"},
		"of unknown price":    {"acme:queue/lane:Lane", "", `{}`, Cost, Low, "the price book has no price for acme:queue/lane:Lane"},
		"an unknown kind":     {"acme:queue/lane:Lane", `{"a": 1}`, `{"a": 2}`, Other, None, "a: 1 -> 2"},
		"an unknown one goes": {"acme:queue/lane:Lane", `{}`, "", Availability, Medium, "what uses it fails"},
		"a host's key":        {"spine:baremetal:Host", `{"name": "b", "ssh": {"hostKey": "x"}}`, `{"name": "b", "ssh": {"hostKey": "y"}}`, Identity, High, "another SSH host key"},
		"a host goes":         {"spine:baremetal:Host", `{"name": "b"}`, "", DataLoss, High, "volumes on it are lost"},
		"a member leaves":     {"spine:baremetal:Cluster", `{"members": {"b": {"role": "ControlPlane"}}}`, `{"members": {}}`, Availability, High, "leaves the cluster (ControlPlane)"},
		"another machine":     {"spine:baremetal:Cluster", `{"members": {"b": {"machineId": "1"}}}`, `{"members": {"b": {"machineId": "2"}}}`, DataLoss, High, "another machine takes its place"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { says(t, one(t, test.token, test.old, test.is), test.class, test.level, test.words) })
	}
}

// says checks that the difference has a line of a class and level, and none that is worse.
func says(t *testing.T, d *Difference, class Class, level Level, words string) {
	t.Helper()
	found := false
	for _, c := range d.Changes {
		for _, l := range c.Lines {
			found = found || l.Class == class && l.Level == level && strings.Contains(l.Words, words)
			if rankOf(l.Level) < rankOf(level) {
				t.Errorf("it says too much: %+v", l)
			}
		}
	}
	if !found {
		t.Errorf("no line of %s, %s, %q in %+v", class, level, words, d.Changes)
	}
}

func TestWordsOfObjects(t *testing.T) {
	pod := func(container string) string {
		return `{"spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "a"` + container + `}]}}}}`
	}
	tests := map[string]struct {
		key, old, is string
		class        Class
		level        Level
		words        string
	}{
		"switched off":       {"apps/v1/Deployment/n/x", `{"spec": {"replicas": 2}}`, `{"spec": {"replicas": 0}}`, Availability, High, "it is switched off"},
		"an image":           {"apps/v1/Deployment/n/x", pod(`, "image": "a:1"`), pod(`, "image": "a:2"`), Availability, Low, "image of a: a:1 -> a:2"},
		"a probe":            {"apps/v1/Deployment/n/x", pod(`, "livenessProbe": {"a": 1}`), pod(""), Availability, Medium, "no longer checked"},
		"the host's files":   {"apps/v1/DaemonSet/n/x", pod(""), `{"spec": {"replicas": 2, "template": {"spec": {"volumes": [{"name": "v", "hostPath": {"path": "/etc"}}], "containers": [{"name": "a"}]}}}}`, Exposure, High, "mounts /etc"},
		"as root":            {"apps/v1/StatefulSet/n/x", pod(""), pod(`, "securityContext": {"runAsUser": 0}`), Exposure, High, "as root"},
		"outside, by edge":   {"v1/Service/n/x", "", `{"spec": {"type": "LoadBalancer", "loadBalancerClass": "spine.nhs.uk/edge", "ports": [{"port": 8443}]}}`, Exposure, Medium, "ports 8443"},
		"outside, elsewhere": {"v1/Service/n/x", `{"spec": {"type": "ClusterIP"}}`, `{"spec": {"type": "NodePort"}}`, Exposure, High, "from outside"},
		"a policy goes":      {"networking.k8s.io/v1/NetworkPolicy/n/x", `{"spec": {}}`, "", Exposure, High, "may come in"},
		"pod security":       {"v1/Namespace/n", `{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}`, `{"metadata": {}}`, Exposure, High, "restricted"},
		"a namespace goes":   {"v1/Namespace/n", `{"metadata": {}}`, "", DataLoss, High, "everything in it"},
		"a kind goes":        {"apiextensions.k8s.io/v1/CustomResourceDefinition/x", `{"spec": {}}`, "", DataLoss, High, "every object of its kind"},
		"wildcards":          {"rbac.authorization.k8s.io/v1/ClusterRole/x", `{"rules": []}`, `{"rules": [{"verbs": ["*"], "resources": ["pods"]}]}`, Identity, High, "every verb"},
		"reads everything":   {"rbac.authorization.k8s.io/v1/ClusterRole/x", "", `{"rules": [{"verbs": ["get"], "resources": ["*"], "apiGroups": ["*"]}]}`, Identity, Medium, "it reaches Secrets"},
		"secrets, then all":  {"rbac.authorization.k8s.io/v1/ClusterRole/x", "", `{"rules": [{"verbs": ["get"], "resources": ["secrets"]}, {"verbs": ["*"], "resources": ["pods"]}]}`, Identity, High, "every verb"},
		"writes everything":  {"rbac.authorization.k8s.io/v1/ClusterRole/x", "", `{"rules": [{"verbs": ["patch"], "resources": ["*"], "apiGroups": ["*"]}]}`, Identity, High, "every resource"},
		"rules in other words": {"rbac.authorization.k8s.io/v1/Role/n/x", `{"rules": [{"verbs": ["get"], "resources": ["a", "b"], "apiGroups": [""]}]}`,
			`{"rules": [{"verbs": ["get"], "resources": ["b"], "apiGroups": [""]}, {"verbs": ["get", "list"], "resources": ["a"], "apiGroups": [""]}]}`, Identity, Medium, "may also list a"},
		"a secret's contents": {"v1/Secret/n/x", `{"kind": "Secret", "data": {"a": "eA=="}}`, `{"kind": "Secret", "data": {"a": "eQ=="}}`, Identity, Medium, "its contents change"},
		"a budget goes":       {"policy/v1/PodDisruptionBudget/n/x", `{"spec": {}}`, "", Availability, High, "all members at once"},
		"synchronous commits": {"postgresql.cnpg.io/v1/Cluster/n/x", `{"spec": {"postgresql": {"synchronous": {"number": 1}}}}`, `{"spec": {"postgresql": {"synchronous": {"number": 0}}}}`, DataLoss, High, "before it counts"},
		"a promise":           {"messaging.spine.nhs.uk/v1alpha1/MessagingService/n/x", `{"spec": {"acknowledge": "BothSites"}}`, `{"spec": {"acknowledge": "Site"}}`, DataLoss, High, "BothSites -> Site"},
		"admission":           {"admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy/x", `{"spec": {}}`, "", Exposure, High, "what it refused"},
		"volumes":             {"storage.k8s.io/v1/StorageClass/x", `{"reclaimPolicy": "Retain"}`, `{"reclaimPolicy": "Delete"}`, DataLoss, High, "deleted with their claims"},
		"an ordinary thing":   {"v1/ConfigMap/n/x", `{"data": {"a": "1"}}`, `{"data": {"a": "2"}}`, Other, None, "data.a: 1 -> 2"},
		"shorter backups": {"booking.ers.nhs.uk/v1alpha1/BookingService/n/x", `{"spec": {"database": {"backup": {"retentionDays": 30}}}}`,
			`{"spec": {"database": {"backup": {"retentionDays": 7}}}}`, DataLoss, High, "backups change: backup.retentionDays: 30 -> 7"},
		"no more backups": {"messaging.spine.nhs.uk/v1alpha1/MessagingService/n/x", `{"spec": {"database": {"backup": {"bucket": "b"}}}}`,
			`{"spec": {"database": {}}}`, DataLoss, High, "backups change"},
		"first backups": {"messaging.spine.nhs.uk/v1alpha1/MessagingService/n/x", `{"spec": {"database": {}}}`,
			`{"spec": {"database": {"backup": {"bucket": "b"}}}}`, DataLoss, Low, "backups change"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			says(t, one(t, "spine:kubernetes:Manifests", object(test.key, test.old), object(test.key, test.is)), test.class, test.level, test.words)
		})
	}
}

func TestNoise(t *testing.T) {
	tests := map[string]struct {
		old, is string
		noise   string
		lines   int
	}{
		"order of a set":        {`{"subnetIds": ["a", "b"]}`, `{"subnetIds": ["b", "a"]}`, onlyOrder, 0},
		"order of arguments":    {`{"args": ["a", "b"]}`, `{"args": ["b", "a"]}`, "", 2},
		"form of a document":    {`{"policy": "{\"a\":1,\"b\":2}"}`, `{"policy": "{ \"b\": 2, \"a\": 1 }"}`, "", 0},
		"a number as text":      {`{"a": 1}`, `{"a": "1"}`, onlyForm, 0},
		"bookkeeping":           {`{"__internal": 1}`, `{"__internal": 2}`, bookkeeping, 0},
		"nothing and empty":     {`{"a": []}`, `{}`, "", 0},
		"a named item in front": {`{"l": [{"name": "b", "x": 1}]}`, `{"l": [{"name": "a"}, {"name": "b", "x": 1}]}`, "", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			noise := noises{}
			s := NewSecrets(nil)
			d := compare(nil, s.Values(properties(t, test.old)), s.Values(properties(t, test.is)), noise)
			if len(d) != test.lines || test.noise != "" && noise[test.noise] != 1 {
				t.Errorf("%v, %v", d, noise)
			}
		})
	}
	noise := noises{}
	if d := compare(nil, map[string]any{"a": "x"}, map[string]any{"a": policy.Unknown{}}, noise); len(d) != 0 || noise[onlyKnown] != 1 {
		t.Errorf("a value that is computed: %v, %v", d, noise)
	}
}
