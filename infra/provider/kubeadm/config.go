// SPDX-License-Identifier: Apache-2.0

// Package kubeadm renders what kubeadm and the kubelet read, and judges
// versions. It is pure: equal settings give equal bytes.
package kubeadm

import (
	"bytes"
	"fmt"

	"sigs.k8s.io/yaml"
)

const (
	apiVersion = "kubeadm.k8s.io/v1beta4"
	// CRISocket is where the container runtime of a host listens.
	CRISocket = "unix:///run/containerd/containerd.sock"
	// EtcdDataDir is where a host keeps etcd's data.
	EtcdDataDir = "/var/lib/etcd"
)

// Cluster is what all members share.
type Cluster struct {
	Name, Version   string
	ImageRepository string
	EtcdTag         string
	// Endpoint is where the API answers: its name, the address, the port.
	EndpointName, EndpointAddress string
	EndpointPort                  int
	PodCIDR, ServiceCIDR, Domain  string
	// Milliseconds between etcd heartbeats, and without one until an election.
	HeartbeatMs, ElectionMs int
	// Seconds until a silent node is NotReady, a pod on it is given up, and a
	// silent leader of the controllers is replaced.
	NodeGraceSeconds, UnreachableSeconds, LeaseSeconds int
}

// Node is what differs between members.
type Node struct {
	Name, Address string
	Cgroup        Cgroup
	// Schedulable leaves out the control plane's taint.
	Schedulable bool
}

// Secrets are made afresh for each join and short-lived; never in state.
type Secrets struct {
	// Token is the bootstrap token, CAHash pins the cluster's authority.
	Token, CAHash string
	// CertificateKey decrypts the control plane's uploaded certificates; empty for a worker.
	CertificateKey string
	// APIServer is host:port of a control plane that answers.
	APIServer string
}

type arg struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ClusterConfiguration renders the document that describes the whole cluster.
func (c Cluster) ClusterConfiguration() map[string]any {
	lease := []arg{
		{"leader-elect-lease-duration", seconds(c.LeaseSeconds)},
		{"leader-elect-renew-deadline", seconds(c.LeaseSeconds * 5 / 8)},
		{"leader-elect-retry-period", seconds(max(1, c.LeaseSeconds/4))},
	}
	return map[string]any{
		"apiVersion": apiVersion, "kind": "ClusterConfiguration",
		"clusterName":          c.Name,
		"kubernetesVersion":    c.Version,
		"imageRepository":      c.ImageRepository,
		"controlPlaneEndpoint": fmt.Sprintf("%s:%d", c.EndpointName, c.EndpointPort),
		// Elliptic curves: made in milliseconds where RSA takes seconds, and cheaper per handshake.
		"encryptionAlgorithm": "ECDSA-P256",
		"networking": map[string]any{
			"podSubnet": c.PodCIDR, "serviceSubnet": c.ServiceCIDR, "dnsDomain": c.Domain,
		},
		"apiServer": map[string]any{
			"certSANs": []string{c.EndpointName, c.EndpointAddress},
			"extraArgs": append([]arg{
				{"default-not-ready-toleration-seconds", fmt.Sprint(c.UnreachableSeconds)},
				{"default-unreachable-toleration-seconds", fmt.Sprint(c.UnreachableSeconds)},
			}, auditArgs()...),
			"extraVolumes": auditVolumes(),
		},
		"controllerManager": map[string]any{
			"extraArgs": append([]arg{
				{"node-monitor-grace-period", seconds(c.NodeGraceSeconds)},
				{"node-monitor-period", "2s"},
			}, lease...),
		},
		"scheduler": map[string]any{"extraArgs": lease},
		// DNS is installed with the other add-ons: spread over hosts, which kubeadm's is not.
		"dns": map[string]any{"disabled": true},
		"etcd": map[string]any{"local": map[string]any{
			"dataDir":  EtcdDataDir,
			"imageTag": c.EtcdTag,
			"extraArgs": []arg{
				{"heartbeat-interval", fmt.Sprint(c.HeartbeatMs)},
				{"election-timeout", fmt.Sprint(c.ElectionMs)},
			},
		}},
	}
}

// proxyConfiguration renders kube-proxy's settings. Conntrack limits are 0,
// which leaves the kernel's: a host may not be allowed to change them.
func (c Cluster) proxyConfiguration() map[string]any {
	return map[string]any{
		"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
		"mode": "nftables",
		"conntrack": map[string]any{
			"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s",
		},
	}
}

// Init renders the configuration of `kubeadm init` on n, and of its phases.
// init always makes a bootstrap token, which by default lives a day: token is
// one that nobody else knows and that is gone within minutes.
func Init(c Cluster, n Node, token string) ([]byte, error) {
	return documents(map[string]any{
		"apiVersion": apiVersion, "kind": "InitConfiguration",
		"localAPIEndpoint": localEndpoint(c, n),
		"nodeRegistration": registration(n, true),
		"patches":          map[string]any{"directory": PatchesDir},
		"bootstrapTokens":  []map[string]any{{"token": token, "ttl": "5m0s"}},
	}, c.ClusterConfiguration(), kubeletConfiguration(), c.proxyConfiguration())
}

// Join renders the configuration of `kubeadm join` on n.
func Join(c Cluster, n Node, s Secrets) ([]byte, error) {
	controlPlane := s.CertificateKey != ""
	doc := map[string]any{
		"apiVersion": apiVersion, "kind": "JoinConfiguration",
		"discovery": map[string]any{"bootstrapToken": map[string]any{
			"apiServerEndpoint": s.APIServer, "token": s.Token, "caCertHashes": []string{s.CAHash},
		}},
		"nodeRegistration": registration(n, controlPlane),
		"patches":          map[string]any{"directory": PatchesDir},
	}
	if controlPlane {
		doc["controlPlane"] = map[string]any{
			"certificateKey": s.CertificateKey, "localAPIEndpoint": localEndpoint(c, n),
		}
	}
	return documents(doc)
}

// Upgrade renders the configuration of `kubeadm upgrade apply` and `upgrade node`.
func Upgrade(c Cluster, n Node) ([]byte, error) {
	return documents(map[string]any{
		"apiVersion": apiVersion, "kind": "UpgradeConfiguration",
		"apply": map[string]any{
			"kubernetesVersion":     c.Version,
			"ignorePreflightErrors": append(ignoredErrors(n), dnsErrors...), "patches": map[string]any{"directory": PatchesDir},
		},
		"node": map[string]any{
			"ignorePreflightErrors": ignoredErrors(n), "patches": map[string]any{"directory": PatchesDir},
		},
	})
}

// Reset renders the configuration of `kubeadm reset`. etcd's member is removed
// beforehand, by way of a member that stays: kubeadm would wait for minutes on
// a cluster that no longer answers.
func Reset() ([]byte, error) {
	return documents(map[string]any{
		"apiVersion": apiVersion, "kind": "ResetConfiguration",
		"criSocket": CRISocket, "force": true, "cleanupTmpDir": true,
		"skipPhases":   []string{"remove-etcd-member"},
		"unmountFlags": []string{"MNT_DETACH"},
	})
}

func localEndpoint(c Cluster, n Node) map[string]any {
	return map[string]any{"advertiseAddress": n.Address, "bindPort": c.EndpointPort}
}

func registration(n Node, controlPlane bool) map[string]any {
	taints := []map[string]any{}
	if controlPlane && !n.Schedulable {
		taints = append(taints, map[string]any{"key": ControlPlaneTaint, "effect": "NoSchedule"})
	}
	return map[string]any{
		"name": n.Name, "criSocket": CRISocket, "taints": taints,
		"ignorePreflightErrors": ignoredErrors(n),
		"imagePullSerial":       false,
		"kubeletExtraArgs":      []arg{{"node-ip", n.Address}},
	}
}

// ControlPlaneTaint keeps workloads off control planes.
const ControlPlaneTaint = "node-role.kubernetes.io/control-plane"

// ignoredErrors is the narrow list of checks that a sound host may fail.
// SystemVerification is one check of kernel options, of cgroups and of the
// operating system: with cgroup v1 it always fails, whatever the kubelet's
// configuration says about it. Everywhere else it stands.
func ignoredErrors(n Node) []string {
	if n.Cgroup == CgroupV1 {
		return []string{"SystemVerification"}
	}
	return []string{}
}

// dnsErrors are checks of kubeadm's own DNS, which upgrade makes even when that
// is disabled; they then fail on its absence, or on our DNS in its place.
var dnsErrors = []string{"CoreDNSMigration", "CoreDNSUnsupportedPlugins"}

func seconds(n int) string { return fmt.Sprintf("%ds", n) }

// documents renders YAML documents in order, keys sorted.
func documents(docs ...map[string]any) ([]byte, error) {
	var out bytes.Buffer
	for i, d := range docs {
		if i > 0 {
			out.WriteString("---\n")
		}
		b, err := yaml.Marshal(d)
		if err != nil {
			return nil, fmt.Errorf("render %v: %w", d["kind"], err)
		}
		out.Write(b)
	}
	return out.Bytes(), nil
}
