// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spine.nhs.uk/controlplane/hack/site"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// The pair of environments/Pulumi.local-pair-*.yaml, by the names that README gives it.
const (
	pairStack   = "local-pair"
	pairZone    = "pair.spine.internal"
	pairVoter   = "10.99.0.11:53"
	eastEdge    = "https://10.97.0.101:8444"
	takeoverFor = 60 * time.Second // from a site's death to the first acknowledgement at the other one
	handoverFor = 30 * time.Second // the longest gap of a planned handing over
	resyncFor   = 20 * time.Minute // a database and its standbys, one after the other, copied under load
)

// pairPlace is where the services of the pair are found, while the suite is at a pair.
var pairPlace *place

// pairSites are the two sites by name.
var pairSites map[string]*site.Site

// pairOfSites has two sites hand over to each other, lose each other, and find each other again, under load.
func pairOfSites() {
	BeforeAll(pairUp, NodeTimeout(60*time.Minute))

	It("hands over as planned, and back, and loses nothing", func(ctx context.Context) {
		gaps := map[string][]float64{}
		for _, to := range []string{"west", "east"} {
			gaps[to] = handOver(ctx, to)
		}
		// Not before: the specs that follow begin where this one did.
		Expect(gaps).To(HaveEach(HaveEach(BeNumerically("<", handoverFor.Seconds()))), "seconds without an acknowledgement, of messages and bookings")
	}, NodeTimeout(25*time.Minute))

	It("serves at exactly one site while the link between them is cut", linkCut, NodeTimeout(20*time.Minute))

	It("serves on while the third place is lost, and says that nobody could take over", voterLost, NodeTimeout(15*time.Minute))

	It("takes over by itself from a site that lost its power, which stays stopped when it comes back", siteLost, NodeTimeout(40*time.Minute))

	It("makes the lost site a standby anew while the manager is killed at each step, and hands back to it", resynced, NodeTimeout(40*time.Minute))

	It("lists what a site acknowledged alone before it was lost", lostAlone, NodeTimeout(50*time.Minute))
}

// pairUp brings the pair up from nothing, as the README says, and has it taken down in the end. A pair that is somebody's
// already is left alone: its addresses are the same.
func pairUp(ctx context.Context) {
	Expect(filepath.Join(home("spine"), "racks", pairStack)).NotTo(BeAnExistingFile(), "there is a pair on this machine: `make down STACK="+pairStack+"` first")
	pairSites = map[string]*site.Site{}
	for _, name := range []string{"east", "west"} {
		s, err := site.Existing(ctx, checkout(), home("spine"), pairStack+"-"+name, pairStack, GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		pairSites[name] = s
	}
	DeferCleanup(pairDown, NodeTimeout(15*time.Minute))
	_, err := pairSites["east"].Run(ctx, "go", "run", "./hack/local", "up", "--stack", pairStack)
	Expect(err).NotTo(HaveOccurred())
	pairPlace = &place{messages: "messages." + pairZone, bookings: "booking." + pairZone, nameServer: pairVoter}
	at("east")
}

func pairDown(ctx context.Context) {
	_, err := pairSites["east"].Run(ctx, "go", "run", "./hack/local", "down", "--stack", pairStack, "--force")
	Expect(err).NotTo(HaveOccurred())
	pairPlace = nil
}

// at makes that site the one that helpers look at.
func at(name string) {
	GinkgoHelper()
	rack = pairSites[name]
	var err error
	kube, err = rack.Kube()
	Expect(err).NotTo(HaveOccurred())
	objects, err = rack.Objects()
	Expect(err).NotTo(HaveOccurred())
}

// policyOf is the site's part in the pair.
func policyOf(ctx context.Context, g Gomega) resilience.FailoverPolicy {
	p := resilience.FailoverPolicy{}
	g.Expect(objects.Get(ctx, client.ObjectKey{Namespace: "spine-system", Name: resilience.FailoverPolicyName}, &p)).To(Succeed())
	return p
}

// canTakeOver waits until the site that stands by could serve now.
func canTakeOver(ctx context.Context, name string, within time.Duration) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		c := takeover(ctx, g, name)
		g.Expect(c.Status).To(Equal(metav1.ConditionTrue), "%s: %s", c.Reason, c.Message)
	}).WithContext(ctx).WithTimeout(within).Should(Succeed())
}

// handOver moves the services to a site, as planned, under load, by the plugin. It returns the longest time without an
// acknowledgement of messages and of bookings, in seconds.
func handOver(ctx context.Context, to string) []float64 {
	canTakeOver(ctx, to, 5*time.Minute)
	run := startLoad(ctx, 5*time.Minute)
	run.flowing(ctx)
	out, err := rack.Run(ctx, "kubectl", "spine", "failover", "Planned", "--yes", "--reason", "CHG0012345: the end-to-end suite")
	Expect(err).NotTo(HaveOccurred())
	AddReportEntry("planned to "+to, out)
	redundant(ctx, 5*time.Minute)
	run.stop()
	kept(ctx, run)
	return run.gaps()
}

// linkCut takes the link away under load: whoever holds the vote serves on alone, and the other one not at all.
func linkCut(ctx context.Context) {
	canTakeOver(ctx, "west", 5*time.Minute)
	run := startLoad(ctx, 8*time.Minute)
	run.flowing(ctx)
	active := watchActive(ctx)
	heal := rackFault(ctx, []string{"partition", "east", "west"}, []string{"heal"})
	Eventually(func(g Gomega) {
		g.Expect(takeover(ctx, g, "west").Status).NotTo(Equal(metav1.ConditionTrue), "nobody could take over what does not reach it")
	}).WithContext(ctx).WithTimeout(2 * time.Minute).Should(Succeed())
	run.flowsOn(ctx)
	heal(ctx)
	canTakeOver(ctx, "west", 10*time.Minute)
	run.stop()
	Expect(active()).NotTo(ContainElement(ContainSubstring(",")), "sites that were active at once")
	at("east")
	kept(ctx, run)
}

// voterLost takes the third place's power.
func voterLost(ctx context.Context) {
	canTakeOver(ctx, "west", 5*time.Minute)
	run := startLoad(ctx, 8*time.Minute)
	run.flowing(ctx)
	Expect(rack.PowerOff(ctx, "t1")).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(rack.PowerOn(ctx, "t1")).To(Succeed()) })
	Eventually(func(g Gomega) {
		c := takeover(ctx, g, "west")
		g.Expect(c.Status).NotTo(Equal(metav1.ConditionTrue))
		g.Expect(c.Reason).To(Equal(common.ReasonWitnessSilent), c.Message)
	}).WithContext(ctx).WithTimeout(2 * time.Minute).Should(Succeed())
	run.flowsOn(ctx)
	Expect(rack.PowerOn(ctx, "t1")).To(Succeed())
	canTakeOver(ctx, "west", 5*time.Minute)
	run.stop()
	at("east")
	kept(ctx, run)
}

// siteLost cuts the power of every host of the site that serves.
func siteLost(ctx context.Context) {
	canTakeOver(ctx, "west", 5*time.Minute)
	rested(ctx)
	run := startLoad(ctx, 6*time.Minute)
	run.flowing(ctx)
	powered := eastLosesPower(ctx)
	struck := time.Now()
	run.flowsOn(ctx)
	AddReportEntry("taken over", fmt.Sprintf("acknowledged again by %s after the loss", time.Since(struck).Round(time.Second)))
	redundant(ctx, 5*time.Minute)
	run.stop()
	kept(ctx, run)

	By("giving the lost site its power back: it acknowledges nothing, and says what it needs")
	stale, ended := loadAt(ctx, eastEdge)
	powered(ctx)
	eastLostVote(ctx)
	ended()
	Expect(stale.acknowledged()).To(BeZero(), "messages that the lost site acknowledged: %s", stale)
	// Last: what follows needs the lost site as it is now, however long that took.
	Expect(run.gaps()).To(HaveEach(BeNumerically("<", takeoverFor.Seconds())), "seconds without an acknowledgement: messages, bookings")
}

// eastLosesPower cuts the power of every host of east, until the spec ends or it is given back.
func eastLosesPower(ctx context.Context) (giveBack func(context.Context)) {
	GinkgoHelper()
	hosts := []string{"e1", "e2", "e3"}
	giveBack = func(ctx context.Context) {
		for _, h := range hosts {
			Expect(rack.PowerOn(ctx, h)).To(Succeed())
		}
	}
	DeferCleanup(giveBack)
	for _, h := range hosts {
		Expect(rack.PowerOff(ctx, h)).To(Succeed())
	}
	return giveBack
}

// eastLostVote waits until east is back, has stopped, and says that it is not the one that serves.
func eastLostVote(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		c := takeover(ctx, g, "east")
		g.Expect(c.Status).To(Equal(metav1.ConditionFalse))
		g.Expect(c.Reason).To(Equal(common.ReasonVoteLost), c.Message)
		g.Expect(policyOf(ctx, g).Status.Role).To(Equal(common.SiteQuiesced))
	}).WithContext(ctx).WithTimeout(15 * time.Minute).Should(Succeed())
}

// resynced copies the databases of the site that serves to the one that lost its vote, under load.
func resynced(ctx context.Context) {
	Expect(takeover(ctx, Default, "east").Reason).To(Equal(common.ReasonVoteLost))
	by, other := people(ctx)
	at("west")
	run := startLoad(ctx, 30*time.Minute)
	run.flowing(ctx)
	for _, booking := range []bool{false, true} {
		at("east")
		o := dryRun(ctx, by, request{booking: booking, action: resilience.ActionResyncStandby})
		disturbed(ctx, by, other, o, resyncFor)
		AddReportEntry(string(o.Spec.Action)+" "+o.Spec.Service.Name, trace(o))
		Expect(o.Status.Evidence.MeasuredLoss).To(HaveValue(Equal(resilience.Loss{})))
	}
	run.flowsOn(ctx)
	run.stop()
	at("west")
	kept(ctx, run)
	Expect(handOver(ctx, "east")).To(HaveEach(BeNumerically("<", handoverFor.Seconds())), "seconds without an acknowledgement, of messages and bookings")
}

// loadAt sends messages to one site's own address, whoever serves, until it is ended.
func loadAt(ctx context.Context, url string) (*screen, func()) {
	GinkgoHelper()
	cmd := rack.Command(ctx, "load", "messages", "--url", url, "--clients", filepath.Join(rack.Home, "clients"), "--rate", "20",
		"--duration", "20m", "--progress", "2s", "--record", filepath.Join(GinkgoT().TempDir(), "messages"))
	seen := &screen{}
	cmd.Stdout, cmd.Stderr = seen, seen
	Expect(cmd.Start()).To(Succeed())
	return seen, func() {
		Expect(cmd.Process.Signal(os.Interrupt)).To(Succeed())
		Expect(cmd.Wait()).To(Succeed(), seen.String())
	}
}

// rested waits until the present site may take over by itself again after what went before.
func rested(ctx context.Context) {
	GinkgoHelper()
	p := policyOf(ctx, Default)
	if p.Status.MovedAt == nil {
		return
	}
	const ending = 2 * time.Minute // it begins with the end of the failover, which comes after the vote
	rest := p.Spec.Automatic.CoolDown.Duration + ending
	Eventually(time.Now).WithContext(ctx).WithTimeout(rest).Should(BeTemporally(">", p.Status.MovedAt.Add(rest)), "the cool-down")
}

// takeover is the site's condition of that name.
func takeover(ctx context.Context, g Gomega, name string) metav1.Condition {
	at(name)
	p := policyOf(ctx, g)
	c := meta.FindStatusCondition(p.Status.Conditions, common.ConditionTakeover)
	g.Expect(c).NotTo(BeNil(), "condition Takeover")
	return *c
}

// kept ends the load and expects that no promise was broken, by what the present site's databases hold.
func kept(ctx context.Context, run *loadRun) {
	GinkgoHelper()
	result := run.finish(ctx)
	AddReportEntry("load", fmt.Sprintf("%v s without an acknowledgement; %s", run.gaps(), run.summary(result)))
	Expect(result.Findings).To(BeEmpty(), "promises that were broken")
}

// watchActive looks at both sites' roles until it is asked for what it saw: the active sites of each look, joined.
func watchActive(ctx context.Context) func() []string {
	watching, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	seen := []string{}
	clients := map[string]client.Client{}
	for name, s := range pairSites {
		c, err := s.Objects()
		Expect(err).NotTo(HaveOccurred())
		clients[name] = c
	}
	go func() {
		defer close(ended)
		for watching.Err() == nil {
			var active []string
			for name, c := range clients {
				p := resilience.FailoverPolicy{}
				err := c.Get(watching, client.ObjectKey{Namespace: "spine-system", Name: resilience.FailoverPolicyName}, &p)
				if err == nil && p.Status.Role == common.SiteActive {
					active = append(active, name)
				}
			}
			seen = append(seen, strings.Join(active, ","))
			select {
			case <-watching.Done():
			case <-time.After(time.Second):
			}
		}
	}()
	return func() []string { stop(); <-ended; return seen }
}
