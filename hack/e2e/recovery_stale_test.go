// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// writesTable is what the checker writes to, in the database postgres of the ledger's cluster.
const writesTable = "spine_e2e_writes"

// stalePrimary takes the ledger's primary away, without ending it, until another instance is the primary, and then lets
// it come back. The manager leaves its host alone: what keeps a stale primary from acknowledging has to hold
// without the fence, too. A checker writes through every instance all the while.
func stalePrimary(ctx context.Context, by client.Client, away func(ctx context.Context, host corev1.Node) (back func(context.Context))) {
	redundant(ctx, 3*time.Minute)
	run := startLoad(ctx, 10*time.Minute)
	run.flowing(ctx)
	primary := primaries(ctx)[0]
	host := corev1.Node{}
	Expect(objects.Get(ctx, client.ObjectKey{Name: primary.Spec.NodeName}, &host)).To(Succeed())
	leftAlone(ctx, by, host.Name)
	writers := writeThroughAll(ctx, primary)
	old := writers[primary.Name]
	Eventually(old.acknowledged).WithContext(ctx).WithTimeout(30*time.Second).ShouldNot(BeEmpty(), "the primary's own acknowledgements")

	struck := time.Now()
	back := away(ctx, host)
	Eventually(func(g Gomega) {
		current := &corev1.PodList{}
		g.Expect(objects.List(ctx, current, client.InNamespace(primary.Namespace),
			client.MatchingLabels{"cnpg.io/cluster": primary.Labels["cnpg.io/cluster"], "cnpg.io/instanceRole": "primary"})).To(Succeed())
		g.Expect(slices.IndexFunc(current.Items, func(p corev1.Pod) bool { return p.Name != primary.Name })).To(BeNumerically(">=", 0))
	}).WithContext(ctx).WithTimeout(90*time.Second).Should(Succeed(), "another primary")
	replaced := time.Since(struck).Round(time.Second)
	back(ctx)
	redundant(ctx, 5*time.Minute) // with the old primary as a standby: it has had every occasion by now
	for _, w := range writers {
		w.stop(ctx)
	}
	kept := sets.New(strings.Fields(query(ctx, "select written from "+writesTable))...)
	run.stop()
	result := run.finish(ctx)

	var first time.Time
	for name, w := range writers {
		if got := w.acknowledged(); name != primary.Name && len(got) > 0 && (first.IsZero() || got[0].at.Before(first)) {
			first = got[0].at
		}
	}
	Expect(first).NotTo(BeZero(), "an acknowledgement by the successor")
	last := slices.MaxFunc(old.acknowledged(), func(a, b acknowledgement) int { return a.begun.Compare(b.begun) })
	AddReportEntry("stale primary", fmt.Sprintf("%s on host %s was replaced after %s: its last write of %d that was acknowledged began %s after the fault, its successor's first was acknowledged %s after it; %s",
		primary.Name, host.Name, replaced, len(old.acknowledged()), last.begun.Sub(struck).Round(time.Millisecond), first.Sub(struck).Round(time.Millisecond), run.summary(result)))
	// What was under way when the host froze is durable on a standby, and may be answered when it goes on.
	Expect(last.begun).To(BeTemporally("<", first), "the stale primary acknowledged what was written after its successor's first")
	for name, w := range writers {
		for _, a := range w.acknowledged() {
			Expect(kept.Has(a.written)).To(BeTrue(), "a write that %s acknowledged is lost", name)
		}
	}
	Expect(result.Findings).To(BeEmpty(), "promises that were broken")
}

// frozen stops every process of the host.
func frozen(ctx context.Context, host corev1.Node) func(context.Context) {
	return rackFault(ctx, []string{"freeze", host.Name}, []string{"thaw", host.Name})
}

// isolated cuts the host's rack off from the other racks.
func isolated(ctx context.Context, host corev1.Node) func(context.Context) {
	own := host.Labels[corev1.LabelTopologyZone]
	nodes := &corev1.NodeList{}
	Expect(objects.List(ctx, nodes)).To(Succeed())
	back := func(context.Context) {}
	for _, n := range nodes.Items {
		if other := n.Labels[corev1.LabelTopologyZone]; other != own {
			back = rackFault(ctx, []string{"partition", own, other}, []string{"heal"})
		}
	}
	return back
}

// rackFault does something to the rack and returns what undoes it, which is also done when the spec fails before.
func rackFault(ctx context.Context, do, undo []string) func(context.Context) {
	GinkgoHelper()
	command := func(ctx context.Context, words []string) {
		_, err := rack.Run(ctx, "rack", append(words, "--rack", rack.Rack)...)
		Expect(err).NotTo(HaveOccurred())
	}
	DeferCleanup(command, undo)
	command(ctx, do)
	return func(ctx context.Context) { command(ctx, undo) }
}

// leftAlone keeps the manager's hands off hosts until the spec ends: a person is at work on one, by an operation that
// waits for its approval. To cordon the host would move its primary.
func leftAlone(ctx context.Context, by client.Client, host string) {
	GinkgoHelper()
	o := dryRun(ctx, by, request{action: resilience.ActionFenceHost, host: host})
	DeferCleanup(abort, by, o)
	confirm(ctx, by, o, o.Status.Plan.Digest)
	awaitPhase(ctx, by, o, time.Minute, resilience.PhaseAwaitingApproval)
}

// instanceWriter writes through one database instance, on its own host: no network is between the two.
type instanceWriter struct {
	host string
	seen *screen
	cmd  *exec.Cmd
}

// acknowledgement of one write.
type acknowledgement struct {
	written   string
	begun, at time.Time
}

// query runs a statement at the ledger's primary.
func query(ctx context.Context, statement string) string {
	GinkgoHelper()
	current := primaries(ctx)[0]
	out, err := rack.Run(ctx, "kubectl", "-n", current.Namespace, "exec", current.Name, "-c", "postgres", "--", "psql", "-qXAtc", statement)
	Expect(err).NotTo(HaveOccurred())
	return out
}

// writeThroughAll makes the table and starts a writer at each instance of the primary's cluster.
func writeThroughAll(ctx context.Context, primary corev1.Pod) map[string]*instanceWriter {
	GinkgoHelper()
	query(ctx, "create table "+writesTable+" (written numeric)")
	DeferCleanup(query, "drop table "+writesTable)
	writers := map[string]*instanceWriter{}
	for _, p := range podsOf(ctx, primary.Namespace, client.MatchingLabels{"cnpg.io/cluster": primary.Labels["cnpg.io/cluster"]}) {
		w := &instanceWriter{host: p.Spec.NodeName, seen: &screen{}}
		w.cmd = rack.Command(ctx, "rack", "ssh", "--rack", rack.Rack, w.host, fmt.Sprintf(writeScript, p.Name, writesTable))
		w.cmd.Stdout, w.cmd.Stderr = w.seen, GinkgoWriter
		Expect(w.cmd.Start()).To(Succeed())
		DeferCleanup(w.stop)
		writers[p.Name] = w
	}
	return writers
}

// writeScript inserts ten times a second over one session for as long as that lasts, then over the next, in whatever
// container the instance has by then. It prints, in seconds, when each acknowledged insert began, which is also what it
// writes, and when it was acknowledged. A standby refuses all.
const writeScript = `inner=$(cat <<"INNER"
while sleep 0.1; do
  cat <<"SQL" || exit
\set begun ` + "`date +%%s.%%N`" + `
\setenv BEGUN :begun
insert into %[2]s values (:begun);
\if :ERROR
\else
\! echo $BEGUN $(date +%%s.%%N)
\endif
SQL
done | psql -qX
INNER
)
while :; do
  for c in $(ctr -n k8s.io containers ls -q 'labels."io.kubernetes.pod.name"==%[1]s,labels."io.kubernetes.container.name"==postgres'); do
    ctr -n k8s.io tasks exec --exec-id "write-$(date +%%s%%N)" "$c" /bin/sh -c "$inner" 2>/dev/null
  done
  sleep 0.2
done`

// acknowledged are its acknowledgements so far, in their order.
func (w *instanceWriter) acknowledged() []acknowledgement {
	var out []acknowledgement
	for line := range strings.Lines(w.seen.String()) {
		if words := strings.Fields(line); len(words) == 2 && strings.HasSuffix(line, "\n") {
			out = append(out, acknowledgement{words[0], atSeconds(words[0]), atSeconds(words[1])})
		}
	}
	return out
}

// atSeconds reads what date +%s.%N prints.
func atSeconds(text string) time.Time {
	GinkgoHelper()
	whole, part, _ := strings.Cut(text, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	Expect(err).NotTo(HaveOccurred())
	nanoseconds, err := strconv.ParseInt(part, 10, 64)
	Expect(err).NotTo(HaveOccurred())
	return time.Unix(seconds, nanoseconds)
}

// stop ends the writer on its host, and is harmless when it has ended.
func (w *instanceWriter) stop(ctx context.Context) {
	if w.cmd.ProcessState != nil {
		return
	}
	// The brackets keep this command line from matching itself.
	_, err := rack.SSH(ctx, w.host, "pkill -f '["+writesTable[:1]+"]"+writesTable[1:]+"'; true")
	Expect(err).NotTo(HaveOccurred())
	Expect(w.cmd.Process.Kill()).To(Succeed())
	_ = w.cmd.Wait() // killed: that is its error
}
