// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
	"spine.nhs.uk/controlplane/infra/provider/remote"
)

const (
	// binariesDir has one folder per version, so that an upgrade can fetch the
	// next one beforehand and switch in one instant.
	binariesDir = "/opt/spine/kubernetes"
	kubeadmDir  = "/etc/spine/kubeadm"
)

// binary is the path of a tool of some version on a host.
func binary(version, tool string) string {
	return fmt.Sprintf("%s/%s/usr/local/bin/%s", binariesDir, version, tool)
}

// fetchScript downloads the binaries unless they are there. Nothing that runs
// is touched. It fails when they are not of the version that is asked for.
func fetchScript(version string, b ClusterBinaries) string {
	trust := ""
	if ca := b.caFile(); ca != "" {
		// Without the file the system's own trust decides.
		trust = fmt.Sprintf(`$([ -e %[1]s ] && echo --cacert %[1]s)`, remote.Quote(ca))
	}
	return fmt.Sprintf(`# fetch the Kubernetes binaries
set -eu
dir=%[1]s/%[2]s
[ "$(cat "$dir/.digest" 2>/dev/null)" = %[4]s ] && exit 0
mkdir -p %[1]s
rm -rf %[1]s/.fetch.*
tmp=$(mktemp -d %[1]s/.fetch.XXXXXX)
trap 'rm -rf "$tmp"' EXIT
curl --fail --location --silent --show-error --retry 3 --connect-timeout 10 --max-time 300 %[5]s -o "$tmp/archive" %[3]s
sum=sha256:$(sha256sum <"$tmp/archive" | cut -d' ' -f1)
[ "$sum" = %[4]s ] || { echo "%[3]s has digest $sum, expected %[4]s: push the images again" >&2; exit 1; }
mkdir "$tmp/root"
tar -xzf "$tmp/archive" -C "$tmp/root" --no-same-owner
version=$("$tmp/root/usr/local/bin/kubeadm" version -o short)
[ "$version" = %[2]s ] || { echo "the binaries are $version, kubernetesVersion asks for %[2]s: give the binaries of that version" >&2; exit 1; }
echo %[4]s >"$tmp/root/.digest"
chmod 755 "$tmp/root"
rm -rf "$dir"
mv "$tmp/root" "$dir"
`, binariesDir, version, remote.Quote(b.URL), b.Digest, trust)
}

// fetch downloads the binaries to every host that is asked for, all at once.
func (s *session) fetch(ctx context.Context) error {
	return s.each(ctx, func(v *hostView) error {
		if v.Probe.Resolved != s.args.Endpoint.Address {
			return fmt.Errorf("host %s (%s): %s resolves to %q, expected %s: add it to the host's hostEntries",
				v.Host.Name, v.Host.Address, s.args.Endpoint.Name, v.Probe.Resolved, s.args.Endpoint.Address)
		}
		_, err := v.Conn.Run(ctx, fetchScript(s.args.KubernetesVersion, s.args.Binaries))
		return err
	})
}

// each runs do for all reached hosts that are asked for, at once, and returns
// all errors.
func (s *session) each(ctx context.Context, do func(*hostView) error) error {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for _, v := range s.hosts {
		if v.Former || !v.reached() {
			continue
		}
		wg.Go(func() {
			if err := do(v); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// place makes a host ready for kubeadm: our record, the kubelet's unit, the
// links to the binaries. A host that was reset since the binaries were fetched
// has lost them, and fetches them again.
func (s *session) place(ctx context.Context, v *hostView) error {
	if _, err := v.Conn.Run(ctx, fetchScript(s.args.KubernetesVersion, s.args.Binaries)); err != nil {
		return err
	}
	if _, err := v.Conn.Run(ctx, fmt.Sprintf(`# record the cluster on the host
set -eu
mkdir -p /etc/spine
[ -e %[1]s ] || printf '{"cluster":"%[2]s","phase":"%[3]s","role":"%[4]s"}\n' >%[1]s
`, markerFile, s.args.Name, phaseJoining, v.Host.Role)); err != nil {
		return err
	}
	files := map[string][]byte{
		kubeadm.UnitFile:   kubeadm.Unit(),
		kubeadm.DropInFile: kubeadm.DropIn(),
		kubeadm.PatchFile:  kubeadm.Patch(v.Probe.Cgroup, v.Probe.SystemdDriver),
	}
	if v.Host.Role == RoleControlPlane {
		files[kubeadm.AuditPolicyFile()] = kubeadm.AuditPolicy()
	}
	for path, content := range files {
		if err := v.Conn.Upload(ctx, path, content, 0o644); err != nil {
			return err
		}
	}
	_, err := v.Conn.Run(ctx, "# link the Kubernetes binaries\nset -eu\n"+linkBinaries(s.args.KubernetesVersion)+
		"systemctl daemon-reload\nsystemctl enable --quiet kubelet\n")
	return err
}

// linkBinaries switches the tools of a host to a version.
func linkBinaries(version string) string {
	script := ""
	for _, tool := range []string{"kubeadm", "kubectl", "kubelet"} {
		script += fmt.Sprintf("ln -sfn %s /usr/local/bin/.%[2]s.new && mv -T /usr/local/bin/.%[2]s.new /usr/local/bin/%[2]s\n", binary(version, tool), tool)
	}
	return script
}

// record is shell that writes the marker of a complete member, with the digest
// of the kubelet's configuration as it is now.
func (s *session) record(v *hostView) string {
	configuration := ""
	if v.Host.Role == RoleControlPlane {
		configuration = s.args.configuration()
	}
	return fmt.Sprintf(`sum=$(sha256sum </var/lib/kubelet/config.yaml | cut -d' ' -f1)
printf '{"cluster":"%[2]s","phase":"%[3]s","role":"%[4]s","configuration":"%[5]s","kubelet":"sha256:%%s"}\n' "$sum" >%[1]s.new
mv %[1]s.new %[1]s
`, markerFile, s.args.Name, phaseMember, v.Host.Role, configuration)
}

// node is what package kubeadm wants to know of a host.
func (s *session) node(v *hostView) kubeadm.Node {
	return kubeadm.Node{
		Name: v.Host.Name, Address: v.Host.Address, Cgroup: v.Probe.Cgroup,
		Schedulable: v.Host.Role == RoleWorker || s.args.schedulable(),
	}
}
