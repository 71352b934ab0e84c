// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"spine.nhs.uk/controlplane/runbooks"
)

// example values for what stands in angle brackets on the pages.
var example = map[string]string{
	"ns": "spine-messaging", "name": "spine", "booking": "ers", "host": "b", "supplier": "example-pharmacy", "instance": "spine-db-2",
	"operation": "restart-rolling-spine-x7k2p", "digest": digest, "incident": "INC0012345: memory grows", "who agreed": "the duty manager, Carol", "failover": "unplanned-b-x7k2p", "other": "site-a",
}

var (
	inCode = regexp.MustCompile("`(kubectl spine [^`]*)`")
	onLine = regexp.MustCompile(`^ {4,}(kubectl spine .*)$`)
	angled = regexp.MustCompile(`<([a-z ]+)>`)
)

// commands on a page that begin with kubectl spine, and angled names that have no value.
func commands(page string) (out, unknown []string) {
	for line := range strings.SplitSeq(page, "\n") {
		var found []string
		if m := onLine.FindStringSubmatch(line); m != nil {
			found = append(found, m[1])
		}
		for _, m := range inCode.FindAllStringSubmatch(line, -1) {
			found = append(found, m[1])
		}
		for _, f := range found {
			out = append(out, angled.ReplaceAllStringFunc(f, func(name string) string {
				value, ok := example[strings.Trim(name, "<>")]
				if !ok {
					unknown = append(unknown, name)
				}
				return value
			}))
		}
	}
	return out, unknown
}

// words splits a command line as a shell does, quotes and a comment considered.
func words(line string) []string {
	var out []string
	var word strings.Builder
	quote, open := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, open = r, true
		case r == ' ':
			if open || word.Len() > 0 {
				out = append(out, word.String())
			}
			word.Reset()
			open = false
		case r == '#' && !open && word.Len() == 0:
			return out
		default:
			word.WriteRune(r)
		}
	}
	if open || word.Len() > 0 {
		out = append(out, word.String())
	}
	return out
}

var errConnected = errors.New("the command line was understood")

// understand gives a command line to the real command tree, up to the first call of a site.
func understand(line string) error {
	args := words(line)
	if len(args) < 2 || args[0] != "kubectl" || args[1] != "spine" {
		return fmt.Errorf("%s: not a command of the plugin", line)
	}
	var out bytes.Buffer
	a := &app{in: strings.NewReader(""), out: &out, err: &out, terminal: true, now: time.Now, flags: genericclioptions.NewConfigFlags(true)}
	a.connect = func(string) (*site, error) { return nil, errConnected }
	root := a.root()
	root.SetArgs(args[2:])
	err := root.ExecuteContext(context.Background())
	if errors.Is(err, errConnected) {
		return nil
	}
	return err
}

func TestEveryCommandOnEveryPageIsUnderstood(t *testing.T) {
	pages, err := fs.Glob(runbooks.FS, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, p := range pages {
		text, err := runbooks.FS.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		texts[p] = string(text)
	}
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	texts["the repository's README.md"] = regexp.MustCompile(`(?m)^kubectl spine`).ReplaceAllString(string(readme), "    kubectl spine")
	n := 0
	for name, text := range texts {
		found, unknown := commands(text)
		for _, u := range unknown {
			t.Errorf("%s: nobody knows what %s stands for: explain it in this test, or use another name", name, u)
		}
		for _, line := range found {
			if line == "kubectl spine recover" || line == "kubectl spine explain REASON" || line == "kubectl spine abort" {
				continue // named in a sentence
			}
			n++
			if err := understand(line); err != nil {
				t.Errorf("%s: %s: %v", name, line, err)
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d commands were found: the pages are written in another way than this test reads", n)
	}
}

// The test above must find what it is for.
func TestMistakesOnPagesAreFound(t *testing.T) {
	for _, line := range []string{
		"kubectl spine recoverr RestartRolling spine", "kubectl spine recover RestartRolling spine --part Gateway",
		"kubectl spine recover RebuildBroker spine --part Gateway --reason 'INC0012345: x'", "kubectl spine explain NoSuchReason",
		"kubectl spine watch", "kubectl spine status --all", "kubectl spine approve x --digest sha256:12", "kubectl get pods",
	} {
		if understand(line) == nil {
			t.Errorf("understood: %s", line)
		}
	}
	if _, unknown := commands("    kubectl spine watch <thing>"); len(unknown) != 1 {
		t.Error("an unknown name in angle brackets was not found")
	}
}

// The help is a page too.
func TestEveryExampleOfTheHelpIsUnderstood(t *testing.T) {
	root := newWorldApp().root()
	for _, c := range root.Commands() {
		if c.Name() == "completion" || c.Name() == "help" {
			continue
		}
		if c.Example == "" || c.Long == "" {
			t.Errorf("%s has no example or no description", c.Name())
		}
		for line := range strings.SplitSeq(strings.ReplaceAll(c.Example, "\\\n", " "), "\n") {
			if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if err := understand(line); err != nil {
				t.Errorf("%s: %s: %v", c.Name(), line, err)
			}
		}
	}
}

func newWorldApp() *app {
	return &app{in: strings.NewReader(""), out: &bytes.Buffer{}, err: &bytes.Buffer{}, now: time.Now, flags: genericclioptions.NewConfigFlags(true)}
}
