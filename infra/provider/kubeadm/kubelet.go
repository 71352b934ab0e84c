// SPDX-License-Identifier: Apache-2.0

package kubeadm

import "fmt"

// Files that a member carries.
const (
	// PatchesDir holds what differs between hosts in the kubelet's configuration.
	PatchesDir = "/etc/spine/kubeadm/patches"
	// PatchFile is read by kubeadm whenever it writes ConfigFile.
	PatchFile = PatchesDir + "/kubeletconfiguration+merge.yaml"
	// UnitFile and DropInFile are the kubelet's systemd unit.
	UnitFile   = "/etc/systemd/system/kubelet.service"
	DropInFile = "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"
	// ConfigFile is written by kubeadm.
	ConfigFile = "/var/lib/kubelet/config.yaml"
)

// Cgroup is the version of the host's control groups.
type Cgroup string

const (
	// CgroupV1 also stands for hybrid hosts, whose controllers are version 1.
	CgroupV1 Cgroup = "v1"
	// CgroupV2 is one unified hierarchy.
	CgroupV2 Cgroup = "v2"
)

// kubeletConfiguration is shared by all members; see Patch for what is not.
func kubeletConfiguration() map[string]any {
	return map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		// The lease is renewed every quarter of this: four signs of life
		// within the shortest useful grace period.
		"nodeLeaseDurationSeconds": 8,
		// Pods never swap; but a host is not refused for having some.
		"failSwapOn": false,
		"evictionHard": map[string]string{
			"memory.available": "100Mi", "nodefs.available": "5%", "imagefs.available": "5%", "nodefs.inodesFree": "5%",
		},
		"serializeImagePulls":   false,
		"maxParallelImagePulls": 4,
		"rotateCertificates":    true,
	}
}

// Patch renders PatchFile for a host. The driver is the container runtime's:
// the two must agree, and runtimes before containerd 2 cannot be asked.
func Patch(c Cgroup, systemdDriver bool) []byte {
	driver := "cgroupfs"
	if systemdDriver {
		driver = "systemd"
	}
	return fmt.Appendf(nil, "cgroupDriver: %s\nfailCgroupV1: %t\n", driver, c == CgroupV2)
}

// Unit renders UnitFile. The condition keeps systemd from starting a kubelet
// that kubeadm has not configured yet.
func Unit() []byte {
	return []byte(`[Unit]
Description=Kubernetes node agent
After=containerd.service network-online.target
Wants=containerd.service network-online.target
ConditionPathExists=/var/lib/kubelet/config.yaml
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/local/bin/kubelet
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
`)
}

// DropIn renders DropInFile. The HTTP/2 limits notice within 6 s that the API
// behind a connection is gone; the defaults take 45 s, longer than a node may
// be silent.
func DropIn() []byte {
	return []byte(`[Service]
Environment=HTTP2_READ_IDLE_TIMEOUT_SECONDS=4 HTTP2_PING_TIMEOUT_SECONDS=2
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=
ExecStart=/usr/local/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml $KUBELET_KUBEADM_ARGS
`)
}
