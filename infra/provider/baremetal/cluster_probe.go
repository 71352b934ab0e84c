// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// markerFile is a host's own record of the cluster it belongs to. It is
// written before the first change and removed after the last one, so that a
// host on which a step broke off can be told from a stranger.
const markerFile = "/etc/spine/cluster.json"

// Phases of a marker.
const (
	phaseJoining = "joining" // init or join has begun
	phaseMember  = "member"  // and has ended well
)

// marker is the content of markerFile.
type marker struct {
	Cluster string `json:"cluster"`
	Phase   string `json:"phase"`
	Role    string `json:"role"`
	// Configuration is the digest that the control plane runs with.
	Configuration string `json:"configuration,omitempty"`
	// Kubelet is the digest of kubeadm.ConfigFile as kubeadm wrote it.
	Kubelet string `json:"kubelet,omitempty"`
}

// memberProbe is what one host says about itself.
type memberProbe struct {
	MachineID     string
	Cgroup        kubeadm.Cgroup
	SystemdDriver bool
	// KubeletVersion is the version that the kubelet's link points to, empty without one.
	KubeletVersion string
	// ServerVersion is the tag of the API server's image, empty without one.
	ServerVersion string
	Kubelet       string // the unit: "enabled, active"
	Marker        *marker
	// Traces says that there are files of some cluster, ours or not.
	Traces bool
	// Files holds digests of memberFiles; absent ones are missing.
	Files map[string]string
	// Resolved is what the endpoint's name resolves to.
	Resolved string
	// Units are steps of ours that still run, begun by a provisioner that died.
	Units []string
}

// memberProbeScript prints "key=value" lines, one fact each.
func memberProbeScript(endpoint string) string {
	return fmt.Sprintf(`# look at the host
printf 'machine=%%s\n' "$(cat /etc/machine-id)"
if [ "$(stat -fc %%T /sys/fs/cgroup)" = cgroup2fs ]; then echo cgroup=v2; else echo cgroup=v1; fi
if grep -Eqs '^[[:space:]]*SystemdCgroup[[:space:]]*=[[:space:]]*true' /etc/containerd/config.toml; then echo driver=systemd; fi
if [ -L /usr/local/bin/kubelet ]; then printf 'link=%%s\n' "$(readlink /usr/local/bin/kubelet)"; fi
sed -n 's#.*image: .*/kube-apiserver:\(v[0-9.]*\).*#server=\1#p' /etc/kubernetes/manifests/kube-apiserver.yaml 2>/dev/null
printf 'kubelet=%%s, %%s\n' "$(systemctl is-enabled kubelet 2>/dev/null)" "$(systemctl is-active kubelet 2>/dev/null)"
if [ -e %[1]s ]; then printf 'marker=%%s\n' "$(base64 -w0 %[1]s)"; fi
for f in /etc/kubernetes/kubelet.conf /etc/kubernetes/admin.conf /etc/kubernetes/manifests/*.yaml /var/lib/etcd/member; do
	if [ -e "$f" ]; then echo traces=yes; break; fi
done
for f in %[2]s; do
	if [ -e "$f" ]; then printf 'file=%%s sha256:%%s\n' "$f" "$(sha256sum <"$f" | cut -d' ' -f1)"; fi
done
systemctl list-units --plain --no-legend --state=active,activating 'spine-kube*' | sed -n 's/^\(spine-[a-z-]*\)\.service .*/unit=\1/p'
printf 'resolved=%%s\n' "$(getent ahostsv4 %[3]s | sed -n '1s/ .*//p')"
`, markerFile, strings.Join(memberFiles, " "), remote.Quote(endpoint))
}

// parseMemberProbe reads what memberProbeScript printed. Unknown keys are an error: they
// mean that the script's output was mixed with something else.
func parseMemberProbe(out string) (memberProbe, error) {
	p := memberProbe{Files: map[string]string{}}
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\r\n")
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return memberProbe{}, fmt.Errorf("unexpected line %.80q where key=value belongs", line)
		}
		switch key {
		case "machine":
			p.MachineID = value
		case "cgroup":
			p.Cgroup = kubeadm.Cgroup(value)
		case "driver":
			p.SystemdDriver = value == "systemd"
		case "link":
			p.KubeletVersion = linkVersion(value)
		case "server":
			p.ServerVersion = value
		case "kubelet":
			p.Kubelet = kubeletUnit(value)
		case "marker":
			m, err := parseMarker(value)
			if err != nil {
				return memberProbe{}, err
			}
			p.Marker = m
		case "traces":
			p.Traces = true
		case "file":
			path, sum, _ := strings.Cut(value, " ")
			p.Files[path] = sum
		case "unit":
			p.Units = append(p.Units, value)
		case "resolved":
			p.Resolved = value
		default:
			return memberProbe{}, fmt.Errorf("unexpected line %.80q", line)
		}
	}
	if p.MachineID == "" || p.Cgroup == "" {
		return memberProbe{}, fmt.Errorf("the host did not say its machine-id or cgroup version")
	}
	return p, nil
}

// linkVersion takes the version out of "/opt/spine/kubernetes/v1.36.3/...".
func linkVersion(link string) string {
	rest, ok := strings.CutPrefix(link, binariesDir+"/")
	if !ok {
		return ""
	}
	version, _, _ := strings.Cut(rest, "/")
	return version
}

// kubeletUnit names the states that systemctl leaves empty.
func kubeletUnit(value string) string {
	enabled, active, _ := strings.Cut(value, ", ")
	if enabled == "" {
		enabled = "missing"
	}
	return enabled + ", " + active
}

func parseMarker(encoded string) (*marker, error) {
	b, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", markerFile, err)
	}
	var m marker
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("%s is not what was written there: %w; remove it after checking that the host is in no cluster", markerFile, err)
	}
	return &m, nil
}

// file says how one of memberFiles differs from what was configured.
func (p memberProbe) file(path string) string {
	var want string
	switch path {
	case kubeadm.UnitFile:
		want = contentDigest(string(kubeadm.Unit()))
	case kubeadm.DropInFile:
		want = contentDigest(string(kubeadm.DropIn()))
	case kubeadm.ConfigFile:
		if p.Marker != nil {
			want = p.Marker.Kubelet
		}
	}
	switch got, ok := p.Files[path]; {
	case !ok:
		return "missing"
	case got != want:
		return "changed"
	default:
		return asConfigured
	}
}
