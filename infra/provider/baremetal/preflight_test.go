// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	p "github.com/pulumi/pulumi-go-provider"

	"spine.nhs.uk/controlplane/infra/provider/remote"
	"spine.nhs.uk/controlplane/infra/provider/remote/remotetest"
)

// answer is what a healthy host prints; extra lines come last and win.
func answer(machineID string, extra ...string) *remotetest.Host {
	return &remotetest.Host{Rules: []remotetest.Rule{{Do: func(string) (remote.Result, error) {
		now := time.Now()
		lines := []string{
			"fact\tosRelease\t" + base64.StdEncoding.EncodeToString([]byte("ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"")),
			"fact\tkernel\t6.1.0-13-amd64", "fact\tarchitecture\tx86_64", "fact\tcpus\t2", "fact\tmemoryMiB\t4096", "fact\tdiskGiB\t20",
			"fact\tmachineId\t" + machineID, "fact\tcgroupVersion\tv2", "fact\tuid\t0",
			fmt.Sprintf("fact\tclock\t%d.%09d", now.Unix(), now.Nanosecond()),
		}
		return remote.Result{Stdout: strings.Join(append(lines, extra...), "\n") + "\n"}, nil
	}}}}
}

// preflightOf checks hosts a, b, c, d... that the fake knows.
func preflightOf(t *testing.T, hosts map[string]*remotetest.Host, change func(map[string]any)) (p.InvokeResponse, error) {
	t.Helper()
	var list []any
	for i, name := range []string{"a", "b", "c", "d", "e", "f", "g"}[:len(hosts)] {
		list = append(list, map[string]any{"name": name, "address": fmt.Sprintf("10.90.0.%d", 11+i), "ssh": map[string]any{"hostKey": testHostKey},
			"requirements": map[string]any{"memoryMiB": 4096}})
	}
	in := map[string]any{"hosts": list, "cluster": "local", "registry": map[string]any{"host": "10.90.0.1:5000"}}
	if change != nil {
		change(in)
	}
	return hostServer(t, remotetest.New(hosts)).Invoke(p.InvokeRequest{Token: "spine:baremetal:preflight", Args: properties(in)})
}

func TestPreflightReturnsFacts(t *testing.T) {
	mark := "fact\tcluster\t" + base64.StdEncoding.EncodeToString([]byte(`{"cluster":"local","phase":"member"}`))
	resp, err := preflightOf(t, map[string]*remotetest.Host{"a": answer("id-a"), "b": answer("id-b", mark)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Return.Get("facts").AsMap().Get("b").AsMap().Get("machineId"); got.AsString() != "id-b" {
		t.Errorf("got %v", resp.Return)
	}
}

// One error lists every problem of every host, sorted.
func TestPreflightListsEveryProblem(t *testing.T) {
	foreign := "fact\tcluster\t" + base64.StdEncoding.EncodeToString([]byte(`{"cluster":"other"}`))
	hosts := map[string]*remotetest.Host{
		"a": {DialError: &remote.UnreachableError{Host: "a", Address: "10.90.0.11", Err: errors.New("connection refused")}},
		"b": answer("id-b", "fact\tmemoryMiB\t2048", "fact\tclock\t100.5", foreign),
		"c": answer("id-c", "fact\tmissing\tcurl, of package curl", "fact\tregistry\tcurl: (60) SSL certificate problem", "fact\tkernel\t4.19.0"),
		"d": answer("id-c"),
		"e": {DialError: &remote.AuthError{Host: "e", Address: "10.90.0.15", Err: errors.New("the passphrase does not open the key")}},
		"f": answer("id-f"),
		"g": {Rules: []remotetest.Rule{{Result: remote.Result{ExitCode: 1, Stderr: "sudo: a password is required"}}}},
	}
	_, err := preflightOf(t, hosts, func(in map[string]any) {
		in["hosts"].([]any)[5].(map[string]any)["ssh"] = map[string]any{"hostKey": "rubbish"}
	})
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		"nothing was changed; 11 problems:",
		"host a (10.90.0.11): cannot be reached over SSH: connection refused",
		"host b (10.90.0.12): is a member of cluster \"other\" already",
		"host b (10.90.0.12): its clock is off by ",
		"host b (10.90.0.12): memory is 2048 MiB, requirements.memoryMiB asks for 4096: add memory or lower the requirement",
		"host c (10.90.0.13) and d (10.90.0.14): one machine (machine ID id-c)",
		"host c (10.90.0.13): cannot use the registry 10.90.0.1:5000: curl: (60) SSL certificate problem",
		"host c (10.90.0.13): lacks curl, of package curl: install it",
		"host c (10.90.0.13): runs kernel 4.19.0: 5.10 or newer is needed",
		"host e (10.90.0.15): SSH authentication failed: the passphrase does not open the key",
		"host f (10.90.0.16): ssh.hostKey: \"rubbish\" is not a public key",
		"host g (10.90.0.17): cannot run the checks as user root: sudo: a password is required",
	}
	rest := err.Error()
	for _, line := range want {
		_, after, found := strings.Cut(rest, line)
		if !found {
			t.Fatalf("no %q, or not in order, in\n%s", line, err)
		}
		rest = after
	}
}

func TestPreflightRefusesVersionsThatKubeadmRefuses(t *testing.T) {
	mark := "fact\tcluster\t" + base64.StdEncoding.EncodeToString([]byte(`{"cluster":"local","phase":"member"}`))
	for version, want := range map[string]string{
		"v1.36.3": "", "v1.37.0": "",
		"v1.36.1": "host a (10.90.0.11): kubernetes.version: downgrade from v1.36.2 to v1.36.1",
		"v1.38.0": "host a (10.90.0.11): kubernetes.version: upgrade from v1.36.2 to v1.38.0 skips a minor version: go to v1.37.x first",
	} {
		hosts := map[string]*remotetest.Host{"a": answer("id-a", mark, "fact\truns\tv1.36.2"), "b": answer("id-b")}
		_, err := preflightOf(t, hosts, func(in map[string]any) { in["version"] = version })
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", version, err, want)
		}
	}
}

func TestClockSkew(t *testing.T) {
	at := func(s float64) time.Time { return time.Unix(0, int64(s*1e9)) }
	tests := []struct{ clock, asked, answered, want float64 }{
		{10, 9, 11, 0}, {8, 9, 11, 1}, {20, 9, 11, 9},
	}
	for _, test := range tests {
		if got := clockSkew(at(test.clock), at(test.asked), at(test.answered)); got.Seconds() != test.want {
			t.Errorf("%+v: got %s", test, got)
		}
	}
}

func TestOlderKernel(t *testing.T) {
	for release, want := range map[string]bool{"6.1.0-13-amd64": false, "5.10.0": false, "5.9.1": true, "4.19": true, "rubbish": false, "10.0": false} {
		if got := olderKernel(release, oldestKernel); got != want {
			t.Errorf("%s: got %v", release, got)
		}
	}
}

func FuzzParsePreflight(f *testing.F) {
	f.Add("fact\tclock\t1700000000.123456789\nfact\tuid\t0")
	f.Add("fact\tclock\t-1.-5\nfact\tcluster\tQQ==")
	f.Fuzz(func(t *testing.T, out string) {
		if r, err := parsePreflight(out); err == nil {
			r.problems(PreflightHost{}, PreflightArgs{Registry: &Registry{}, Cluster: ptr("c")}, time.Now(), time.Now())
		}
	})
}
