// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// servicesHeading begins the part of the README that needs messaging and booking on the site.
const servicesHeading = "## Use the services"

// ranElsewhere are commands that the suite, or `.ci/run` around it, runs by itself.
var ranElsewhere = map[string]bool{
	"make up": true, "make test": true, "make down": true, `eval "$(make -s env)"`: true,
}

// documented tries what the README tells people to type, in its order, but for the services. A command that is new
// there is tried as well, without anybody having to think of it.
func documented() {
	It("does what the README says", func(ctx context.Context) {
		commands, _ := readme()
		Expect(len(commands)).To(BeNumerically(">", 10), "commands found in the README")
		typed(ctx, commands)
		allWell(ctx, "a", "b", "c")
	}, NodeTimeout(15*time.Minute))
}

// servicesDocumented is documented, on a site with services.
func servicesDocumented() {
	It("does what the README says of the services", func(ctx context.Context) {
		commands := servicesCommands()
		Expect(len(commands)).To(BeNumerically(">", 6), "commands found under "+servicesHeading)
		typed(ctx, commands[:rollsFrom(commands)])
	}, NodeTimeout(10*time.Minute))
}

func servicesCommands() []string {
	_, commands := readme()
	return commands
}

// rollsFrom is where the commands begin by which new images are rolled: rollEverything types those, under load.
func rollsFrom(commands []string) int {
	GinkgoHelper()
	first := slices.IndexFunc(commands, func(c string) bool { return strings.HasPrefix(c, "make images") })
	Expect(first).To(BeNumerically(">", 0), "the README does not say how to roll new images")
	return first
}

// assignment matches a line that only sets variables of the shell, for the lines after it.
var assignment = regexp.MustCompile(`^\w+=\S+( \w+=\S+)*$`)

// typed runs commands as their reader would, on the suite's own stack, addresses and files.
func typed(ctx context.Context, commands []string) {
	GinkgoHelper()
	edge, err := rack.Address(101)
	Expect(err).NotTo(HaveOccurred())
	folder := GinkgoT().TempDir()
	secrets := filepath.Join(folder, "secrets.json")
	// Without services nobody reads these; the next spec's config is a new one.
	Expect(os.WriteFile(secrets, []byte(`{"sharedKey": "a-shared-key", "passwords": {}}`), 0o600)).To(Succeed())
	here := strings.NewReplacer("10.90.0.", strings.TrimSuffix(edge, "101"), "/tmp/run", folder, "secrets.json", secrets, "matrix.html", filepath.Join(folder, "matrix.html"))
	variables := ""
	for _, command := range commands {
		if assignment.MatchString(command) {
			variables += here.Replace(command) + "\n"
			continue
		}
		if ranElsewhere[command] {
			continue
		}
		By(command)
		_, err := rack.Run(ctx, "bash", "-euo", "pipefail", "-c", variables+strict+forSuite(here.Replace(command)))
		Expect(err).NotTo(HaveOccurred())
	}
}

// strict has curl fail when the answer is no success, as a reader sees at once.
const strict = `curl() { command curl --fail-with-body "$@"; }` + "\n"

// forSuite adds to a command which stack is meant, and the answer to what it would ask a person.
func forSuite(command string) string {
	words := strings.Fields(command)
	switch words[0] {
	case "make":
		return command + " STACK=" + rack.Name
	case "pulumi":
		command += " --non-interactive --stack " + rack.Name
		if words[1] == "cancel" || words[1] == "up" || words[1] == "refresh" {
			command += " --yes"
		}
		if words[1] != "cancel" {
			command += " --config-file " + rack.ConfigFile
		}
	case "stackdiff":
		if words[1] == "matrix" {
			// The other environments are not of this suite: they are said not to be there.
			return command + " || [ $? = 2 ]"
		}
		command = strings.Replace(command, "-s local", "-s "+rack.Name, 1) + " --config-file " + rack.ConfigFile
	}
	return command
}

// readme returns the commands of the README: those that a site needs no services for, and those of the section about them.
func readme() (site, services []string) {
	GinkgoHelper()
	text, err := os.ReadFile(filepath.Join(rack.Root, "README.md"))
	Expect(err).NotTo(HaveOccurred())
	before, after, found := strings.Cut(string(text), "\n"+servicesHeading+"\n")
	Expect(found).To(BeTrue(), "the README has no section "+servicesHeading)
	section, rest, _ := strings.Cut(after, "\n## ")
	return append(shellCommands(before), shellCommands(rest)...), shellCommands(section)
}

// shellCommands returns the commands in the ```sh blocks of a page, without their comments.
func shellCommands(page string) []string {
	var out []string
	inside, begun := false, ""
	for line := range strings.Lines(page) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "```") {
			inside = line == "```sh"
			continue
		}
		if !inside {
			continue
		}
		if part, goesOn := strings.CutSuffix(line, `\`); goesOn {
			begun += part
			continue
		}
		command, _, _ := strings.Cut(begun+line, "  #")
		begun = ""
		if command = strings.TrimSpace(command); command != "" && !strings.HasPrefix(command, "#") {
			out = append(out, command)
		}
	}
	return out
}
