// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"encoding/base64"
	"maps"
	"os/exec"
	"strings"
	"testing"
)

func TestParseObservation(t *testing.T) {
	block := renderHostEntries(map[string]string{"api": "10.90.0.100"})
	out := strings.Join([]string{
		"fact\tosRelease\t" + base64.StdEncoding.EncodeToString([]byte("NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n# c\nID=debian\n")),
		"fact\tkernel\t6.1.0", "fact\tarchitecture\tx86_64", "fact\tcpus\t2", "fact\tmemoryMiB\t3900", "fact\tdiskGiB\t40", "fact\tmachineId\tabc", "fact\tcgroupVersion\thybrid",
		"etchosts\t-\t" + base64.StdEncoding.EncodeToString([]byte("127.0.0.1 localhost\n"+block)),
		"package\tcontainerd\t1.6.20", "package\tkeepalived\t",
		"file\t/a\tff", "file\t/b\t",
		"unit\tssh.service\tenabled, active",
		"sysctl\tnet.ipv4.ip_local_port_range\t1024  65000",
		"module\toverlay\tloaded",
	}, "\n")
	got, err := parseObservation(out + "\n")
	if err != nil {
		t.Fatal(err)
	}
	facts := Facts{OSRelease: "Debian GNU/Linux 12 (bookworm)", Kernel: "6.1.0", Architecture: "x86_64", CPUs: 2, MemoryMiB: 3900, DiskGiB: 40, MachineID: "abc", CgroupVersion: "hybrid"}
	if got.facts != facts {
		t.Errorf("facts %+v, want %+v", got.facts, facts)
	}
	for name, test := range map[string]struct{ got, want map[string]string }{
		"packages": {got.packages, map[string]string{"containerd": "1.6.20", "keepalived": ""}},
		"files":    {got.files, map[string]string{"/a": "sha256:ff", "/b": fileMissing, hostsFile: contentDigest(block)}},
		"units":    {got.units, map[string]string{"ssh.service": unitRunning}},
		"sysctls":  {got.sysctls, map[string]string{"net.ipv4.ip_local_port_range": "1024 65000"}},
		"modules":  {got.modules, map[string]string{"overlay": modLoaded}},
	} {
		if !maps.Equal(test.got, test.want) {
			t.Errorf("%s: got %v, want %v", name, test.got, test.want)
		}
	}
	for _, bad := range []string{"", "fact\tcpus\ttwo", "fact only", "other\ta\tb", "etchosts\t-\t%%"} {
		if _, err := parseObservation(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// Scripts are read by dash; a syntax error would show on a real host only.
func TestScriptsAreValidShell(t *testing.T) {
	in := goodArgs()
	spec := desired(in)
	a := &applier{in: in, spec: spec}
	state := predicted(in, HostState{})
	scripts := map[string]string{
		"observe":   observeScript(spec.items(state)),
		"preflight": preflightScript(in.Registry),
		"undo":      undoScript(spec.items(state), "127.0.0.1 localhost\n"),
		"cleanup":   cleanupScript,
	}
	for _, step := range recordScripts(t, a) {
		scripts["step "+step.What] = step.Script
	}
	if len(scripts) < 9 {
		t.Errorf("only %d scripts seen", len(scripts))
	}
	for name, script := range scripts {
		cmd := exec.Command("sh", "-n")
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s\n%s", name, err, out, script)
		}
	}
}

func FuzzParseObservation(f *testing.F) {
	f.Add("fact\tcpus\t2\nunit\ta\tb")
	f.Add("etchosts\t-\tMTI3LjAuMC4xIGEK\nfile\t/a\t\n")
	f.Fuzz(func(t *testing.T, out string) {
		o, err := parseObservation(out)
		if err == nil && o.files[hostsFile] == "" {
			t.Error("/etc/hosts has no state")
		}
	})
}

func FuzzParseOSRelease(f *testing.F) {
	f.Add("ID=debian\nVERSION_ID=\"12\"\n")
	f.Add("A='\nB=\"\n=x\n#C=d")
	f.Fuzz(func(t *testing.T, content string) {
		for key := range parseOSRelease(content) {
			if strings.ContainsAny(key, "=\n") {
				t.Errorf("key %q", key)
			}
		}
	})
}
