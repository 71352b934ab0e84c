// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"fmt"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// drainedAnnotation marks a node that was cordoned by an update, so that an
// update that broke off lets workloads back in, and a node that a person
// cordoned stays so.
const drainedAnnotation = "spine.nhs.uk/drained-for-update"

// updateMember brings one member to the asked version and configuration.
func (s *session) updateMember(ctx context.Context, st step) error {
	v := s.view(st.Name, st.MachineID)
	if v == nil || !v.reached() {
		return fmt.Errorf("update of host %s: %s", st.Name, fault(v))
	}
	config, err := kubeadm.Upgrade(s.args.settings(), s.node(v))
	if err != nil {
		return err
	}
	whole, err := s.initConfig(v)
	if err != nil {
		return err
	}
	for path, content := range map[string][]byte{
		kubeadmDir + "/upgrade.yaml": config,
		kubeadmDir + "/cluster.yaml": whole,
		kubeadm.PatchFile:            kubeadm.Patch(v.Probe.Cgroup, v.Probe.SystemdDriver),
		kubeadm.AuditPolicyFile():    kubeadm.AuditPolicy(),
	} {
		if err := v.Conn.Upload(ctx, path, content, 0o600); err != nil {
			return err
		}
	}
	node := s.nodes[st.Name]
	if v.Probe.oldestVersion(node.KubeletVersion) != s.args.KubernetesVersion {
		if err := s.upgrade(ctx, v, node); err != nil {
			return err
		}
	}
	if v.Host.Role != RoleControlPlane || v.Probe.Marker.Configuration == s.args.configuration() {
		return nil
	}
	s.progress("%s: changing the control plane's configuration", st.Name)
	return s.runUnit(ctx, v, "spine-kubeadm-configure", "set -eu\n"+kubectl(v.Host.Address, s.args.settings().EndpointPort)+
		fmt.Sprintf(`kubeadm init phase upload-config all --config %[1]s/cluster.yaml
kubeadm init phase etcd local --config %[1]s/cluster.yaml
kubeadm init phase control-plane all --config %[1]s/cluster.yaml
sleep 3 # the kubelet notices changed manifests within this time; before it, the old ones still answer
%[2]s%[3]srm -f %[1]s/cluster.yaml %[1]s/upgrade.yaml
`, kubeadmDir, waitHealthy, s.record(v)))
}

// upgrade takes one member to the asked version. The control plane goes first,
// on the first member for the whole cluster; then the kubelet, with the pods
// moved away for it.
func (s *session) upgrade(ctx context.Context, v *hostView, node nodeView) error {
	port := s.args.settings().EndpointPort
	version := s.args.KubernetesVersion
	s.progress("%s: upgrading to %s", v.Host.Name, version)
	// A worker has no administrator's kubeconfig: its own says all that it may know.
	script := fmt.Sprintf(`set -eu
%[1]s upgrade node --config %[2]s/upgrade.yaml
`, binary(version, "kubeadm"), kubeadmDir)
	if v.Host.Role == RoleControlPlane {
		script = "set -eu\n" + kubectl(v.Host.Address, port) + fmt.Sprintf(`now=$(k -n kube-system get configmap kubeadm-config -o jsonpath='{.data.ClusterConfiguration}' | sed -n 's/^kubernetesVersion: //p')
if [ "$now" = %[3]s ]; then
	%[1]s upgrade node --config %[2]s/upgrade.yaml
else
	%[1]s upgrade apply --yes --config %[2]s/upgrade.yaml
fi
%[4]s`, binary(version, "kubeadm"), kubeadmDir, version, waitHealthy)
	}
	if err := s.runUnit(ctx, v, "spine-kubeadm-upgrade", script); err != nil {
		return err
	}
	// The speaker's API may be the one that was just restarted; it answers again.
	k := kubectl(s.speaker.Host.Address, port)
	if len(s.nodes) > 1 && node.KubeletVersion != version {
		if _, err := s.speaker.Conn.Run(ctx, "# announce the drain\n"+k+fmt.Sprintf("k annotate --overwrite node %s %s=%s\n", remote.Quote(v.Host.Name), drainedAnnotation, version)); err != nil {
			return err
		}
		if err := s.drain(ctx, s.speaker, v.Host.Name); err != nil {
			return err
		}
	}
	s.progress("%s: restarting the kubelet as %s", v.Host.Name, version)
	record := s.record(v)
	if v.Host.Role == RoleControlPlane {
		// The configuration is not changed yet: keep what the record says of it.
		record = recordKubelet
	}
	if err := s.runUnit(ctx, v, "spine-kubelet-restart", "set -eu\n"+linkBinaries(version)+
		"systemctl daemon-reload\nsystemctl enable --quiet kubelet\nsystemctl restart kubelet\n"+record); err != nil {
		return err
	}
	return s.awaitNode(ctx, v.Host.Name, version, node.Ready)
}

// recordKubelet is shell that notes the digest of the kubelet's configuration
// and leaves the rest of the marker as it is.
const recordKubelet = `sum=$(sha256sum </var/lib/kubelet/config.yaml | cut -d' ' -f1)
sed 's/"kubelet":"[^"]*"/"kubelet":"sha256:'"$sum"'"/' ` + markerFile + ` >` + markerFile + `.new
mv ` + markerFile + `.new ` + markerFile + "\n"

// waitHealthy is shell that waits up to 3 min until this host's API server and
// etcd answer; it needs the function k.
const waitHealthy = `n=0
until k get --raw /readyz >/dev/null 2>&1; do
	n=$((n + 1))
	[ $n -lt 180 ] || { echo "the API server did not get ready within 3 min: see crictl or journalctl -u kubelet on the host" >&2; exit 1; }
	sleep 1
done
`

// awaitNode waits up to 3 min until the node runs the version, is Ready if it
// was before, and lets workloads in again.
func (s *session) awaitNode(ctx context.Context, name, version string, ready bool) error {
	condition := ""
	if ready {
		condition = "True"
	}
	_, err := s.speaker.Conn.Run(ctx, fmt.Sprintf(`# wait for node %[1]s
%[2]sn=0
while :; do
	v=$(k get node %[1]s -o jsonpath='{.status.nodeInfo.kubeletVersion}' 2>/dev/null)
	r=$(k get node %[1]s -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null)
	[ "$v" = %[3]s ] && { [ -z "%[4]s" ] || [ "$r" = "%[4]s" ]; } && break
	n=$((n + 1))
	[ $n -lt 180 ] || { echo "node %[1]s has version '$v' and Ready '$r' after 3 min: see journalctl -u kubelet on the host" >&2; exit 1; }
	sleep 1
done
if [ -n "$(k get node %[1]s -o jsonpath='{.metadata.annotations.spine\.nhs\.uk/drained-for-update}')" ]; then
	k uncordon %[1]s && k annotate node %[1]s %[5]s-
fi
`, name, kubectl(s.speaker.Host.Address, s.args.settings().EndpointPort), version, condition, drainedAnnotation))
	return err
}
