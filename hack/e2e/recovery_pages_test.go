// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"io/fs"
	"regexp"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/runbooks"
)

// asReader adds to each kubectl who asks, and takes as an answer what kubectl spine exits with where something is wrong.
const asReader = `kubectl() { command kubectl "$@" --as=` + reader + ` || [ "$1 $?" = "spine 2" ]; }` + "\n"

var (
	// pageLine is a command on a page, with the spaces of its list item.
	pageLine = regexp.MustCompile(`^ {4,}(kubectl .*)$`)
	// changing are plain commands that change something: tried as a dry run on the server, by the administrator.
	changing = regexp.MustCompile(`^kubectl( -n \S+)? (annotate|taint|delete|label|cordon|uncordon|scale|patch|apply) `)
	// operating are the plugin's commands that change something: other specs carry those out.
	operating = regexp.MustCompile(`^kubectl spine (recover|approve|abort|failover) `)
	// ofPair are commands about a second site, which this one does not have.
	ofPair = regexp.MustCompile(`<other>|failover|ResyncStandby|CompareSites`)
)

// pages types what the runbooks tell a responder to type: what only looks as it stands, what changes something as a dry
// run.
func pages(ctx context.Context, by client.Client) {
	list := &resilience.ServiceRecoveryList{}
	Expect(by.List(ctx, list, client.InNamespace(messagingKey.Namespace))).To(Succeed())
	if len(list.Items) == 0 {
		list.Items = append(list.Items, *dryRun(ctx, by, request{action: resilience.ActionRestartRolling, part: resilience.PartGateway}))
	}
	messagingWords := []string{"<ns>", messagingKey.Namespace, "<name>", messagingKey.Name, "<kind>", "messagingservice", "<host>", "b", "<operation>", list.Items[0].Name}
	bookingWords := append([]string{"<ns>", bookingKey.Namespace, "<name>", bookingKey.Name}, messagingWords[4:]...)

	names, err := fs.Glob(runbooks.FS, "*.md")
	Expect(err).NotTo(HaveOccurred())
	tried := 0
	folder := GinkgoT().TempDir()
	for _, name := range names {
		text, err := runbooks.FS.ReadFile(name)
		Expect(err).NotTo(HaveOccurred())
		words := messagingWords
		if strings.Contains(string(text), "<name>-service") {
			words = bookingWords
		}
		for line := range strings.Lines(string(text)) {
			m := pageLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
			if m == nil || operating.MatchString(m[1]) || ofPair.MatchString(m[1]) {
				continue
			}
			command := strings.NewReplacer(words...).Replace(m[1])
			By(name + ": " + command)
			Expect(command).NotTo(MatchRegexp(`<[a-z ]+>`), "%s: nobody knows what this stands for", name)
			script := "cd " + folder + "\n"
			if changing.MatchString(command) {
				command += " --dry-run=server"
			} else {
				script += asReader
			}
			answers(ctx, "bash", "-euo", "pipefail", "-c", script+command)
			tried++
		}
	}
	Expect(tried).To(BeNumerically(">", 60), "commands found on the pages")
}

// answers runs a command that may be repeated, until the API answers it: a busy site may need longer than a command waits.
func answers(ctx context.Context, name string, args ...string) (out string) {
	GinkgoHelper()
	Eventually(func() error {
		var err error
		out, err = rack.Run(ctx, name, args...)
		return err
	}).WithContext(ctx).WithTimeout(time.Minute).WithPolling(time.Second).Should(Succeed())
	return out
}

// onCall recovers a service by the plugin, as a responder does at a terminal without a mouse.
func onCall(ctx context.Context) {
	redundant(ctx, 3*time.Minute)
	out := answers(ctx, "bash", "-c", asReader+"kubectl spine status")
	Expect(out).To(And(ContainSubstring(messagingKey.Name), ContainSubstring(bookingKey.Name)))

	By("a plan that changes nothing, run later by its name")
	plugin := func(args ...string) []string { return append(append([]string{"spine"}, args...), "--as", responder) }
	plan := []string{"recover", "RestartRolling", messagingKey.Name, "-n", messagingKey.Namespace, "--part", "Gateway", "--reason", "end-to-end suite: by the plugin"}
	out = answers(ctx, "kubectl", plugin(append(plan, "--dry-run")...)...)
	name := regexp.MustCompile(`OPERATION +(\S+)`).FindStringSubmatch(out)
	Expect(name).NotTo(BeNil(), out)
	out, err := rack.Run(ctx, "kubectl", plugin("recover", name[1], "--yes")...)
	Expect(err).NotTo(HaveOccurred())
	Expect(out).To(ContainSubstring("Succeeded"))
	Expect(answers(ctx, "kubectl", plugin("watch", name[1])...)).To(ContainSubstring("Succeeded"))
	AddReportEntry("kubectl spine evidence", answers(ctx, "kubectl", plugin("evidence", name[1])...))
}
