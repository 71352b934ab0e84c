// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/runbooks"
)

func TestExplain(t *testing.T) {
	w := newWorld()
	page, err := runbooks.Page("QuorumAtRisk")
	if err != nil {
		t.Fatal(err)
	}
	if out, _, code := w.run("explain", "quorumatrisk"); code != exitWell || out != page {
		t.Errorf("exit code %d: %s", code, out)
	}
	out, _, _ := w.run("explain")
	for _, reason := range allReasons() {
		if !strings.Contains(out, "\n"+reason+" ") && !strings.HasPrefix(out, reason+" ") {
			t.Errorf("%s is not listed", reason)
		}
	}
	if _, errs, code := w.run("explain", "QuorumAtRsk"); code != exitError || !strings.Contains(errs, "did you mean QuorumAtRisk?") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// Every action of the API is one that can be asked for.
func TestEveryActionIsKnown(t *testing.T) {
	text, err := os.ReadFile("../../manifests/crds/resilience.spine.nhs.uk_servicerecoveries.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "action to take.")
	_, rest, _ = strings.Cut(rest, "enum:\n")
	for line := range strings.SplitSeq(rest, "\n") {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "- ")
		if !ok {
			break
		}
		if !slices.Contains(actionNames(), name) {
			t.Errorf("recover does not know %s", name)
		}
	}
	if len(actions) < 10 || !api.Action(actions[len(actions)-1].name).OnHost() {
		t.Errorf("got %v", actionNames())
	}
}

func TestCompletion(t *testing.T) {
	w := newWorld(append(wellSite(), operation("restart-x", api.ActionRestartRolling))...)
	for line, want := range map[string]string{
		"recover Restart":                              "RestartRolling\trestart a part's members one after the other\n",
		"recover DrainHost ":                           "a\nb\nc\n",
		"recover QuarantineSupplier spine --supplier ": "example-pharmacy\nexample-gp\n",
		"recover RebuildBroker sp":                     "spine\tMessagingService in spine-messaging\n",
		"recover RestartRolling spine --part G":        "Gateway\n",
		"watch ":                                       "restart-x\tRunning on spine\n",
		"explain QuorumA":                              "QuorumAtRisk\n",
		"status --contexts site-a,":                    "site-a,site-b\n",
		"status --context ":                            "site-a\nsite-b\n",
		"evidence restart-x -o ":                       "markdown\njson\nyaml\n",
	} {
		args := arguments(append([]string{"/usr/bin/kubectl_complete-spine"}, strings.Split(line, " ")...))
		out, _, code := w.run(args...)
		if code != exitWell || !strings.Contains(out, want) || !strings.HasSuffix(out, ":4\n") {
			t.Errorf("%q: exit code %d: %q, want %q", line, code, out, want)
		}
	}
	if got := arguments([]string{"/usr/bin/kubectl-spine", "status"}); !slices.Equal(got, []string{"status"}) {
		t.Errorf("got %v", got)
	}
}

func TestHelp(t *testing.T) {
	out, _, code := newWorld().run("--help")
	if code != exitWell || !strings.Contains(out, "kubectl spine [command]") || !strings.Contains(out, "2  something is wrong") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if strings.Contains(out, "--client-key") {
		t.Error("kubectl's own flags are in the way")
	}
	if _, errs, code := newWorld().run("stauts"); code != exitError || !strings.Contains(errs, `unknown command "stauts"`) || !strings.Contains(errs, "status") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// Without a kubeconfig the error says what to set, and a context's typo is found in it.
func TestKubeconfig(t *testing.T) {
	dir := t.TempDir()
	file := dir + "/config"
	text := "apiVersion: v1\nkind: Config\ncontexts: [{name: site-a, context: {cluster: a}}]\nclusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	missing, bad := dir+"/none", dir+"/bad"
	if err := os.WriteFile(bad, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ kubeconfig, context, says string }{
		"no file":    {missing, "", "no cluster is configured"},
		"bad file":   {bad, "", "the kubeconfig cannot be read"},
		"typo":       {file, "site-b", `there is no context "site-b": did you mean site-a?`},
		"no current": {file, "", "no cluster is configured"},
		"good":       {file, "site-a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", test.kubeconfig)
			a := &app{flags: genericclioptions.NewConfigFlags(true)}
			s, err := a.dial(test.context)
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v", err)
			}
			if err == nil && (s.name != "site-a" || s.server != "https://127.0.0.1:1") {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	for _, test := range []struct {
		name string
		want []string
	}{
		{"DrainHots", []string{"DrainHost"}}, {"drain", []string{"DrainHost"}}, {"Fence", []string{"FenceHost"}}, {"", nil}, {"zzz", nil},
	} {
		if got := nearest(test.name, actionNames()); !slices.Equal(got, test.want) {
			t.Errorf("%q: got %v, want %v", test.name, got, test.want)
		}
	}
}

// Whatever is typed, no more names are offered than a person reads.
func FuzzNearest(f *testing.F) {
	f.Add("RestartRoling")
	f.Fuzz(func(t *testing.T, name string) {
		if got := nearest(name, actionNames()); len(got) > 3 {
			t.Errorf("%q: %v", name, got)
		}
	})
}

func FuzzWrap(f *testing.F) {
	f.Add("a sentence of several words", 10)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if width < 1 || width > 200 || !utf8.ValidString(text) {
			return
		}
		lines := wrap(text, width)
		for _, l := range lines {
			if len([]rune(l)) > width {
				t.Errorf("%q is longer than %d", l, width)
			}
		}
		if got, want := strings.Join(strings.Fields(strings.Join(lines, "")), ""), strings.Join(strings.Fields(text), ""); got != want {
			t.Errorf("%q became %q", want, got)
		}
	})
}
