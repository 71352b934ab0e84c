// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"fmt"
	"strings"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// settle repairs what is not a matter of membership: files and units that were
// changed by hand, labels and taints of nodes.
func (s *session) settle(ctx context.Context) error {
	if err := s.each(ctx, func(v *hostView) error { return s.repair(ctx, v) }); err != nil {
		return err
	}
	script := s.nodeScript()
	if script == "" {
		return nil
	}
	s.touched = true
	_, err := s.speaker.Conn.Run(ctx, "# set labels and taints of nodes\nset -eu\n"+
		kubectl(s.speaker.Host.Address, s.args.settings().EndpointPort)+script)
	return err
}

// repair restores the kubelet's files and unit on one host.
func (s *session) repair(ctx context.Context, v *hostView) error {
	if !s.isMember(v) {
		return nil
	}
	script := ""
	for path, content := range map[string][]byte{kubeadm.UnitFile: kubeadm.Unit(), kubeadm.DropInFile: kubeadm.DropIn()} {
		if v.Probe.file(path) == asConfigured {
			continue
		}
		s.progress("%s: restoring %s", v.Host.Name, path)
		if err := v.Conn.Upload(ctx, path, content, 0o644); err != nil {
			return err
		}
		script = "systemctl daemon-reload\nsystemctl restart kubelet\n"
	}
	if v.Probe.file(kubeadm.ConfigFile) != asConfigured {
		s.progress("%s: restoring %s", v.Host.Name, kubeadm.ConfigFile)
		config, err := kubeadm.Upgrade(s.args.settings(), s.node(v))
		if err != nil {
			return err
		}
		for path, content := range map[string][]byte{
			kubeadmDir + "/upgrade.yaml": config,
			kubeadm.PatchFile:            kubeadm.Patch(v.Probe.Cgroup, v.Probe.SystemdDriver),
		} {
			if err := v.Conn.Upload(ctx, path, content, 0o600); err != nil {
				return err
			}
		}
		// Only the digest is noted anew: what else the record says still holds.
		script = fmt.Sprintf("kubeadm upgrade node phase kubelet-config --config %s/upgrade.yaml\n%ssystemctl restart kubelet\n", kubeadmDir, recordKubelet)
	}
	if v.Probe.Kubelet != kubeletRunning {
		s.progress("%s: enabling and starting the kubelet", v.Host.Name)
		script += "systemctl daemon-reload\nsystemctl unmask --quiet kubelet\nsystemctl enable --now --quiet kubelet\n"
	}
	if script == "" {
		return nil
	}
	_, err := v.Conn.Run(ctx, "# repair the kubelet\nset -eu\n"+script)
	return err
}

// nodeScript is shell that brings labels and taints of nodes to what is asked
// for, and lets workloads back in where an update broke off; empty when there
// is nothing to do.
func (s *session) nodeScript() string {
	var b strings.Builder
	desired := s.args.desiredMembers()
	for _, h := range s.args.Hosts {
		n, ok := s.nodes[h.Name]
		if !ok {
			continue
		}
		want := desired[h.Name]
		for _, label := range []string{zoneLabel, regionLabel} {
			if n.Labels[label] != want.Labels[label] {
				fmt.Fprintf(&b, "k label --overwrite node %s %s=%s\n", h.Name, label, remote.Quote(want.Labels[label]))
			}
		}
		switch {
		case want.Schedulable && n.Tainted:
			fmt.Fprintf(&b, "k taint node %s %s-\n", h.Name, kubeadm.ControlPlaneTaint)
		case !want.Schedulable && !n.Tainted:
			fmt.Fprintf(&b, "k taint --overwrite node %s %s=:NoSchedule\n", h.Name, kubeadm.ControlPlaneTaint)
		}
		if n.Drained {
			fmt.Fprintf(&b, "k uncordon %s\nk annotate node %s %s-\n", h.Name, h.Name, drainedAnnotation)
		}
	}
	return b.String()
}
