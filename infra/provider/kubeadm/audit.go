// SPDX-License-Identifier: Apache-2.0

package kubeadm

import (
	"crypto/sha256"
	"fmt"
)

// AuditLogDir is where a control plane keeps its API server's audit log: audit.log, and the older parts beside it.
const AuditLogDir = "/var/log/kubernetes"

// auditPolicy says what the audit log holds: who asked for what, of which object, when, and what became of it. Never a
// body: secrets and what services hold do not belong into a log. Left out is what the cluster's own parts read and
// renew all the time, which would bury the rest.
const auditPolicy = `# Written by the provider spine; a change by hand is undone by the next change of the control plane.
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  nonResourceURLs: [/livez*, /readyz*, /healthz*, /metrics, /version, /openapi/*]
- level: None
  userGroups: ["system:nodes"]
  verbs: [get, list, watch]
- level: None
  userGroups: ["system:nodes"]
  resources:
  - {group: "", resources: [nodes/status, pods/status, events]}
  - {group: coordination.k8s.io, resources: [leases]}
- level: None
  users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"]
  verbs: [get, list, watch]
- level: None
  users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"]
  resources:
  - {group: coordination.k8s.io, resources: [leases]}
- level: Metadata
`

// AuditPolicy renders AuditPolicyFile.
func AuditPolicy() []byte { return []byte(auditPolicy) }

// AuditPolicyFile is where a control plane has the policy. Another policy has another name, so that the configuration
// differs and API servers are restarted with it.
func AuditPolicyFile() string {
	sum := sha256.Sum256([]byte(auditPolicy))
	return fmt.Sprintf("/etc/spine/kubeadm/audit-policy-%x.yaml", sum[:4])
}

// auditArgs keep the log for 30 days and within 1.1 GB, whichever ends first.
func auditArgs() []arg {
	return []arg{
		{"audit-log-path", AuditLogDir + "/audit.log"},
		{"audit-policy-file", AuditPolicyFile()},
		{"audit-log-maxage", "30"},
		{"audit-log-maxbackup", "10"},
		{"audit-log-maxsize", "100"},
	}
}

// auditVolumes are what the API server's pod sees of its host for the audit log.
func auditVolumes() []map[string]any {
	return []map[string]any{
		{"name": "audit-policy", "hostPath": AuditPolicyFile(), "mountPath": AuditPolicyFile(), "readOnly": true, "pathType": "File"},
		{"name": "audit-log", "hostPath": AuditLogDir, "mountPath": AuditLogDir, "readOnly": false, "pathType": "DirectoryOrCreate"},
	}
}
