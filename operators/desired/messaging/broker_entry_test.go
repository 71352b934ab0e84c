// SPDX-License-Identifier: Apache-2.0

package messaging_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

// brokerCommand is what a node's container runs: the shell, its script and name, the volume, and the peers.
func brokerCommand(t *testing.T) []string {
	t.Helper()
	return words(brokerContainer(t)["command"])
}

func words(list any) (out []string) {
	for _, word := range list.([]any) {
		out = append(out, word.(string))
	}
	return out
}

func brokerContainer(t *testing.T) map[string]any {
	t.Helper()
	containers, _, err := unstructured.NestedFieldNoCopy(messaging.BrokerCluster(operatortest.Messaging("spine")).Object,
		"spec", "override", "statefulSet", "spec", "template", "spec", "containers")
	if err != nil {
		t.Fatal(err)
	}
	return containers.([]any)[0].(map[string]any)
}

// A node is ready once it is in a whole cluster with its replicas of the queues; its mark ends with the former.
func TestBrokerStarted(t *testing.T) {
	probe, _, err := unstructured.NestedSlice(brokerContainer(t), "startupProbe", "exec", "command")
	if err != nil {
		t.Fatal(err)
	}
	for answer, want := range map[string]struct{ passes, marked bool }{
		"{true,true}":   {passes: true},
		"{true,false}":  {},
		"{false,true}":  {marked: true},
		"{false,false}": {marked: true},
		"":              {marked: true},
	} {
		volume, bin := t.TempDir(), t.TempDir()
		write(t, filepath.Join(volume, "forming"), "", 0o600)
		write(t, filepath.Join(bin, "rabbitmqctl"), "#!/bin/sh\necho '"+answer+"'\n", 0o700)
		command := words(probe)
		last := &command[len(command)-1]
		*last = strings.ReplaceAll(*last, "/var/lib/rabbitmq/mnesia", volume)
		ask := exec.Command(command[0], command[1:]...)
		ask.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		_, gone := ask.Run(), os.IsNotExist(stat(filepath.Join(volume, "forming")))
		if passed := ask.ProcessState.Success(); passed != want.passes || gone == want.marked {
			t.Errorf("answered %q it passes: %t, the mark is gone: %t; want %+v", answer, passed, gone, want)
		}
	}
}

func stat(path string) error {
	_, err := os.Stat(path)
	return err
}

func TestBrokerPeers(t *testing.T) {
	got, want := brokerCommand(t)[4:], []string{"/var/lib/rabbitmq/mnesia", "spine-broker-server-0.spine-broker-nodes.spine-messaging",
		"spine-broker-server-1.spine-broker-nodes.spine-messaging", "spine-broker-server-2.spine-broker-nodes.spine-messaging"}
	if !slices.Equal(got, want) {
		t.Errorf("the entry is given %v, want %v", got, want)
	}
}

// Only a node that was never in a whole cluster begins anew; one with nothing is forgotten by the peers that run.
func TestBrokerEntry(t *testing.T) {
	const node, self, running, stopped = "rabbit@spine-broker-server-0", "127.0.0.79", "127.0.0.77", "127.0.0.78"
	for _, host := range []string{self, running} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "25672"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	forgotten := "-q -t 20 -n rabbit@" + running + " forget_cluster_node rabbit@" + self + "\n"
	for name, c := range map[string]struct {
		before, after []string
		asked         string
	}{
		"a new volume":                    {nil, []string{"forming"}, forgotten},
		"a new volume, made by mkfs":      {[]string{"lost+found"}, []string{"forming", "lost+found"}, forgotten},
		"never in a whole cluster":        {[]string{"forming", "lost+found", node, node + "-plugins-expand"}, []string{"forming", "lost+found"}, forgotten},
		"restarted before it had data":    {[]string{"forming"}, []string{"forming"}, forgotten},
		"it was in a whole cluster":       {[]string{node}, []string{node}, ""},
		"of a version before these marks": {[]string{node, node + ".pid"}, []string{node, node + ".pid"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			volume, bin := t.TempDir(), t.TempDir()
			for _, entry := range c.before {
				write(t, filepath.Join(volume, entry), "", 0o600)
			}
			write(t, filepath.Join(bin, "rabbitmq-server"), "#!/bin/sh\necho started\n", 0o700)
			// It fails, as for a node that no peer knows: that keeps nothing from starting.
			write(t, filepath.Join(bin, "rabbitmqctl"), "#!/bin/sh\necho \"$@\" >>"+bin+"/asked\nexit 69\n", 0o700)
			command := append(brokerCommand(t)[:4], volume, running, stopped, self)
			start := exec.Command(command[0], command[1:]...)
			start.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "RABBITMQ_NODENAME=rabbit@"+self)
			if out, err := start.CombinedOutput(); err != nil || string(out) != "started\n" {
				t.Fatalf("it prints %q and ends with %v", out, err)
			}
			entries, err := os.ReadDir(volume)
			if err != nil {
				t.Fatal(err)
			}
			var after []string
			for _, e := range entries {
				after = append(after, e.Name())
			}
			if !slices.Equal(after, c.after) {
				t.Errorf("the volume holds %v, want %v", after, c.after)
			}
			if asked, _ := os.ReadFile(filepath.Join(bin, "asked")); string(asked) != c.asked {
				t.Errorf("peers were asked %q, want %q", strings.TrimSpace(string(asked)), strings.TrimSpace(c.asked))
			}
		})
	}
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}
