// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"fmt"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
	"spine.nhs.uk/controlplane/infra/provider/quorum"
	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// drainTimeout is how long pods may take to leave a host, in seconds. Longer
// means that a disruption budget holds them, which people have to look at.
const drainTimeout = 240

// remove takes a member away: drained, out of etcd, reset, its node deleted,
// in this order, so that what is left at any point still works. A host that
// cannot be reached is not reset, and its pods are given up with its node.
func (s *session) remove(ctx context.Context, st step) error {
	v := s.view(st.Name, st.MachineID)
	helper, err := s.helper(ctx, st)
	if err != nil {
		return err
	}
	node, hasNode := s.nodes[st.Name]
	hasNode = hasNode && (node.MachineID == st.MachineID || st.MachineID == "" || node.MachineID == "")
	alive := v != nil && v.reached()
	if helper != nil && hasNode && alive && s.isMember(v) && node.Ready {
		if err := s.drain(ctx, helper, st.Name); err != nil {
			return err
		}
	}
	if helper != nil && st.Role == RoleControlPlane {
		if err := s.leaveEtcd(ctx, helper, st, hasNode); err != nil {
			return err
		}
	}
	if alive {
		s.progress("%s: resetting the host", st.Name)
		if err := s.reset(ctx, v); err != nil {
			return err
		}
	} else {
		s.warn("host %s is taken out of the cluster but not reset, as %s", st.Name, fault(v))
	}
	if helper == nil || !hasNode {
		return nil
	}
	_, err = helper.Conn.Run(ctx, "# delete a node\n"+kubectl(helper.Host.Address, s.args.settings().EndpointPort)+
		"k delete node --ignore-not-found --wait=false "+remote.Quote(st.Name)+"\n")
	return err
}

// leaveEtcd removes the member of st from etcd, if it is in there.
func (s *session) leaveEtcd(ctx context.Context, helper *hostView, st step, hasNode bool) error {
	heir := ""
	for _, e := range s.etcd {
		if e.Name == helper.Host.Name {
			heir = e.ID
		}
	}
	for _, e := range s.etcd {
		if s.etcdName(e) != st.Name {
			continue
		}
		// The name may by now be that of the machine's successor, whose own
		// member must stay: that one has a node, and st's machine has not.
		if v := s.view(st.Name, st.MachineID); !hasNode && v != nil && v.Host.Address != e.address() {
			continue
		}
		s.progress("%s: removing its etcd member", st.Name)
		if err := removeEtcd(ctx, helper.Conn, e, heir); err != nil {
			return err
		}
	}
	return nil
}

// helper is a healthy control plane other than the one that leaves. It is nil
// when there is no cluster to leave.
func (s *session) helper(ctx context.Context, leaving step) (*hostView, error) {
	if s.speaker == nil {
		return nil, nil
	}
	for _, v := range s.hosts {
		if !v.reached() || !s.isMember(v) || v.Probe.Marker.Role != RoleControlPlane {
			continue
		}
		if v.Host.Name == leaving.Name && v.Probe.MachineID == leaving.MachineID {
			continue
		}
		for _, e := range s.etcd {
			if e.Name != v.Host.Name || e.Learner || e.Health != quorum.Healthy {
				continue
			}
			if _, err := listNodes(ctx, v.Conn, v.Host.Address, s.args.settings().EndpointPort); err == nil {
				return v, nil
			}
		}
	}
	return nil, fmt.Errorf("%s of host %s: no other control plane has a healthy API and etcd to do it by: bring one back first", leaving.Action, leaving.Name)
}

// drain moves the pods of a node to others.
func (s *session) drain(ctx context.Context, helper *hostView, name string) error {
	s.progress("%s: draining", name)
	_, err := helper.Conn.Run(ctx, fmt.Sprintf(`# drain %[1]s
%[2]sk drain %[1]s --request-timeout=%[3]ds --ignore-daemonsets --delete-emptydir-data --timeout=%[3]ds
`, name, kubectl(helper.Host.Address, s.args.settings().EndpointPort), drainTimeout))
	if err != nil {
		return fmt.Errorf("host %s: its pods could not be moved away within %d s: look for a PodDisruptionBudget that holds them or for lack of room, then run again: %w", name, drainTimeout, err)
	}
	return nil
}

// reset brings a host back to what it was before it joined.
func (s *session) reset(ctx context.Context, v *hostView) error {
	config, err := kubeadm.Reset()
	if err != nil {
		return err
	}
	const file = kubeadmDir + "/reset.yaml"
	if err := v.Conn.Upload(ctx, file, config, 0o600); err != nil {
		return err
	}
	return s.runUnit(ctx, v, "spine-kubeadm-reset", resetScript(file))
}

// resetScript undoes what kubeadm, the pod network and this provider made.
// Data that workloads keep on the host is not ours and stays, and so does the
// audit log, which outlives what it tells of. Our record goes last: until then
// the host is known as one that is being reset.
func resetScript(config string) string {
	return fmt.Sprintf(`set -u
systemctl disable --quiet --now kubelet 2>/dev/null
if [ -x /usr/local/bin/kubeadm ] && systemctl --quiet is-active containerd; then
	timeout 180 kubeadm reset --config %[1]s || echo "kubeadm reset did not end well; cleaning up regardless"
fi
awk '$2 ~ "^/var/lib/kubelet/" {print $2}' /proc/mounts | sort -r | xargs -r -n1 umount -l
find /var/lib/kubelet /var/lib/etcd -mindepth 1 -delete 2>/dev/null
find /var/lib/kubelet /var/lib/etcd -mindepth 1 -maxdepth 1 -print -quit 2>/dev/null | grep . >&2 && { echo "the folders above could not be emptied" >&2; exit 1; }
rm -rf /etc/kubernetes /etc/cni/net.d/* /var/lib/cni /var/log/pods /var/log/containers
for link in kube-bridge kube-dummy-if kube-ipvs0; do ip link delete "$link" 2>/dev/null; done
ip route flush proto 17 2>/dev/null
for family in ip ip6; do nft delete table "$family" kube-proxy 2>/dev/null; done
for tables in iptables ip6tables iptables-legacy ip6tables-legacy; do
	command -v $tables-save >/dev/null || continue
	rules=$($tables-save 2>/dev/null) || continue
	case $rules in *KUBE-* | *kube-*) printf '%%s\n' "$rules" | grep -v -e KUBE- -e kube-router -e kube-bridge | $tables-restore 2>/dev/null;; esac
done
if command -v ipset >/dev/null; then
	ipset list -n 2>/dev/null | grep -E '^(inet6:)?(KUBE|kube)-' | xargs -r -n1 ipset destroy 2>/dev/null
fi
find /sys/fs/cgroup -depth -type d -path '*/kubepods*' -exec rmdir {} + 2>/dev/null
rm -rf %[2]s %[3]s /etc/systemd/system/kubelet.service %[4]s
rm -f /usr/local/bin/kubeadm /usr/local/bin/kubectl /usr/local/bin/kubelet
systemctl daemon-reload
systemctl reset-failed kubelet 2>/dev/null
rmdir /opt/spine 2>/dev/null
rm -f %[5]s
exit 0
`, config, "/etc/systemd/system/kubelet.service.d", kubeadmDir, binariesDir, markerFile)
}
