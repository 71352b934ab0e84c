// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
	"spine.nhs.uk/controlplane/infra/provider/quorum"
)

const probeOutput = `machine=489d462a345244c88222c1e593457317
cgroup=v1
link=/opt/spine/kubernetes/v1.36.3/usr/local/bin/kubelet
server=v1.36.2
kubelet=enabled, active
marker=eyJjbHVzdGVyIjoibG9jYWwiLCJwaGFzZSI6Im1lbWJlciIsInJvbGUiOiJDb250cm9sUGxhbmUifQ==
traces=yes
file=/etc/systemd/system/kubelet.service sha256:11
unit=spine-kubeadm-join
resolved=10.90.0.100
`

func TestParseMemberProbe(t *testing.T) {
	got, err := parseMemberProbe(probeOutput)
	if err != nil {
		t.Fatal(err)
	}
	want := memberProbe{
		MachineID: "489d462a345244c88222c1e593457317", Cgroup: kubeadm.CgroupV1,
		KubeletVersion: "v1.36.3", ServerVersion: "v1.36.2", Kubelet: "enabled, active",
		Marker: &marker{Cluster: "local", Phase: phaseMember, Role: RoleControlPlane}, Traces: true,
		Files: map[string]string{kubeadm.UnitFile: "sha256:11"}, Resolved: "10.90.0.100", Units: []string{"spine-kubeadm-join"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v\nexpected %+v", got, want)
	}
	if v := got.oldestVersion("v1.36.3"); v != "v1.36.2" {
		t.Errorf("oldest version %s: a server left behind by a broken upgrade was missed", v)
	}
	for line, want := range map[string]string{
		"":                    "machine-id",
		"hello":               "unexpected line",
		"machine=a\nx=y":      "unexpected line",
		"marker=bm90IGpzb24=": "not what was written there",
		"marker=%":            "illegal base64",
	} {
		if _, err := parseMemberProbe(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, expected %q", line, err, want)
		}
	}
}

func TestParseEtcdMembers(t *testing.T) {
	got, err := parseEtcdMembers(`curl: (22) error{"header":{"member_id":"1"},"members":[` +
		`{"ID":"10276657743932975437","name":"a","peerURLs":["https://10.90.0.11:2380"],"clientURLs":["https://10.90.0.11:2379"]},` +
		`{"ID":"2","peerURLs":["https://10.90.0.12:2380"],"isLearner":true}]}`)
	want := []etcdMember{
		{ID: "10276657743932975437", Name: "a", PeerURL: "https://10.90.0.11:2380", ClientURL: "https://10.90.0.11:2379", Health: quorum.Unknown},
		{ID: "2", PeerURL: "https://10.90.0.12:2380", Learner: true, Health: quorum.Unknown},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, %v\nexpected %+v", got, err, want)
	}
	if a := got[1].address(); a != "10.90.0.12" {
		t.Errorf("address of a member that never started: %q", a)
	}
	for _, bad := range []string{"", "{}", `{"members":[]}`, `{"members":[{"name":"a"}]}`, `{"members":[{"ID":1}]}`} {
		if _, err := parseEtcdMembers(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestParseNodes(t *testing.T) {
	got, err := parseNodes(`{"kind":"List","items":[{"metadata":{"name":"a","labels":{"node-role.kubernetes.io/control-plane":""},"annotations":{"spine.nhs.uk/drained-for-update":"v1.36.3"}},
		"spec":{"taints":[{"key":"node-role.kubernetes.io/control-plane","effect":"NoSchedule"}]},
		"status":{"conditions":[{"type":"MemoryPressure","status":"False"},{"type":"Ready","status":"True"}],"nodeInfo":{"machineID":"m","kubeletVersion":"v1.36.3"}}}]}`)
	want := nodeView{Name: "a", MachineID: "m", KubeletVersion: "v1.36.3", ControlPlane: true, Ready: true, Tainted: true, Drained: true,
		Labels: map[string]string{kubeadm.ControlPlaneTaint: ""}}
	if err != nil || !reflect.DeepEqual(got["a"], want) {
		t.Errorf("read %+v, %v\nexpected %+v", got["a"], err, want)
	}
	for _, bad := range []string{"", "{}", `{"kind":"Status"}`} {
		if _, err := parseNodes(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestKubeconfig(t *testing.T) {
	const server = "https://10.90.0.100:6443"
	moved, err := retarget(testAdmin, server)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for name, c := range map[string]struct {
		kubeconfig, ca string
		now            time.Time
		want           bool
	}{
		"good":              {moved, testCA, now, true},
		"other server":      {testAdmin, testCA, now, false},
		"other authority":   {moved, "other", now, false},
		"about to run out":  {moved, testCA, now.Add(330 * 24 * time.Hour), false},
		"not a kubeconfig":  {"x", testCA, now, false},
		"no kubeconfig yet": {"", testCA, now, false},
	} {
		if got := kubeconfigGood(c.kubeconfig, server, c.ca, c.now); got != c.want {
			t.Errorf("%s: %t, expected %t", name, got, c.want)
		}
	}
	for _, bad := range []string{"", "clusters: []", "clusters: [1]", "clusters: [{cluster: 1}]", "\t"} {
		if _, err := retarget(bad, server); err == nil {
			t.Errorf("%q was accepted as kubeconfig", bad)
		}
	}
}

func TestCAHash(t *testing.T) {
	if h, err := caHash(testCA); err != nil || len(h) != len("sha256:")+64 {
		t.Errorf("hash %q, %v", h, err)
	}
	for _, bad := range []string{"", "%", base64.StdEncoding.EncodeToString([]byte("no PEM"))} {
		if _, err := caHash(bad); err == nil {
			t.Errorf("%q was accepted as certificate", bad)
		}
	}
}

func FuzzParseMemberProbe(f *testing.F) {
	f.Add(probeOutput)
	f.Add("machine=a\ncgroup=v2\nlink=/opt/spine/kubernetes/\n")
	f.Add("file=\nmarker=e30=\n")
	f.Fuzz(func(t *testing.T, out string) {
		if p, err := parseMemberProbe(out); err == nil && (p.MachineID == "" || p.Cgroup == "") {
			t.Errorf("%q was accepted without a machine-id", out)
		}
	})
}

func FuzzParseEtcdMembers(f *testing.F) {
	f.Add(`{"header":{},"members":[{"ID":"1","peerURLs":["https://a:2380"]}]}`)
	f.Add(`{"header"{"header"`)
	f.Fuzz(func(t *testing.T, out string) {
		members, err := parseEtcdMembers(out)
		for _, m := range members {
			if err != nil || m.ID == "" || m.Health != quorum.Unknown {
				t.Errorf("%q: %+v, %v", out, m, err)
			}
			_ = m.address()
		}
	})
}

func FuzzParseNodes(f *testing.F) {
	f.Add(`{"kind":"List","items":[{}]}`)
	f.Fuzz(func(t *testing.T, out string) {
		if nodes, err := parseNodes(out); err != nil && nodes != nil {
			t.Errorf("%q: nodes and an error", out)
		}
	})
}

func FuzzRetarget(f *testing.F) {
	f.Add("clusters:\n- cluster:\n    server: x\n")
	f.Fuzz(func(t *testing.T, in string) {
		if out, err := retarget(in, "https://x"); err == nil && !strings.Contains(out, "https://x") {
			t.Errorf("%q became %q", in, out)
		}
	})
}
