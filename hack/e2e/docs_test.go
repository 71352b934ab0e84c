// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// ranElsewhere are commands that the suite, or `.ci/run` around it, runs by itself.
var ranElsewhere = map[string]bool{
	"make up": true, "make test": true, "make down": true, `eval "$(make -s env)"`: true,
}

// documented tries what the README tells people to type, in its order. A command that is new there is tried as well,
// without anybody having to think of it.
func documented() {
	It("does what the README says", func(ctx context.Context) {
		commands := shellCommands(filepath.Join(rack.Root, "README.md"))
		Expect(len(commands)).To(BeNumerically(">", 10), "commands found in the README")
		for _, command := range commands {
			if ranElsewhere[command] {
				continue
			}
			By(command)
			Expect(tryCommand(ctx, command)).To(Succeed())
		}
		allWell(ctx, "a", "b", "c")
	}, NodeTimeout(15*time.Minute))
}

// tryCommand runs a line as its reader would, on the suite's own stack. What would ask or wait for a person gets the
// flag or the empty input that answers it.
func tryCommand(ctx context.Context, command string) error {
	if args, ok := strings.CutPrefix(command, "pulumi "); ok {
		words := strings.Fields(args)
		if words[0] == "up" || words[0] == "refresh" {
			words = append(words, "--yes")
		}
		if words[0] == "cancel" {
			_, err := rack.Run(ctx, "pulumi", "cancel", "--yes", "--stack", rack.Name)
			return err
		}
		_, err := rack.Pulumi(ctx, words...)
		return err
	}
	if strings.HasPrefix(command, "make ") {
		command += " STACK=" + rack.Name
	}
	_, err := rack.Run(ctx, "bash", "-euo", "pipefail", "-c", command)
	return err
}

// shellCommands returns the lines of a page's ```sh blocks, without their comments.
func shellCommands(page string) []string {
	GinkgoHelper()
	f, err := os.Open(page)
	Expect(err).NotTo(HaveOccurred())
	defer f.Close()
	var out []string
	inside := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh"
		case inside:
			command, _, _ := strings.Cut(line, "  #")
			if command = strings.TrimSpace(command); command != "" && !strings.HasPrefix(command, "#") {
				out = append(out, command)
			}
		}
	}
	return out
}
