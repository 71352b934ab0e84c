// SPDX-License-Identifier: Apache-2.0

// Package manifests holds what the manager needs of a cluster: custom resources, roles,
// admission policies, and its own deployment. crds, rbac/role.yaml and pair/role.yaml are
// generated from the types and markers in operators/.
package manifests

import "embed"

//go:generate controller-gen object paths=../api/...
//go:generate go run ../../hack/split ../api/resilience/v1alpha1/zz_generated.deepcopy.go
//go:generate go run ../../hack/split ../api/common/v1alpha1/zz_generated.deepcopy.go
//go:generate controller-gen crd:maxDescLen=400 paths=../api/... output:crd:dir=crds
//go:generate controller-gen rbac:roleName=spine-manager paths=../controllers/bookingservice/...;../controllers/edge/...;../controllers/hostfailure/...;../controllers/messagingservice/...;../controllers/servicerecovery/...;../cmd/manager/... output:rbac:dir=rbac
//go:generate controller-gen rbac:roleName=spine-manager-pair paths=../controllers/failover/... output:rbac:dir=pair

// FS holds crds/*.yaml, rbac/*.yaml, policies/*.yaml and deployment.yaml, and in pair/*.yaml
// the rights that only one of two sites gives, to its own manager besides and to the other
// site's. These markers
// are to be replaced in deployment.yaml: {{ .Image }}, the manager's image, {{ .EdgeAddress }},
// the IP address of the edge, which may be empty, {{ .HostsDir }}, /etc/spine/hosts where a
// Secret "hosts" holds the inventory of hosts and empty elsewhere, {{ .SSHPort }} of hosts,
// {{ .PeerKubeconfig }}, {{ .WitnessDir }} and {{ .TrafficDir }}, /etc/spine/peer/kubeconfig,
// /etc/spine/witness and /etc/spine/traffic at one of two sites and empty elsewhere, and
// {{ .OperationsDigest }}, which changes with the ConfigMap "operations" beside it, whose
// operations.yaml is an OperationsConfig.
//
//go:embed crds/*.yaml rbac/*.yaml pair/*.yaml policies/*.yaml deployment.yaml
var FS embed.FS
