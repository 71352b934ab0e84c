// SPDX-License-Identifier: Apache-2.0

//go:build e2e

// Package e2e tries the whole system on a virtual rack of its own: real machines, real Kubernetes, real faults.
// Specs that take long carry the label "slow".
package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spine.nhs.uk/controlplane/hack/site"
)

var (
	rack    *site.Site
	kube    kubernetes.Interface
	objects client.Client // the same API, with the kinds of our own
	machine snapshot      // what stood on this machine before the suite
	// machineSysctl is what bridge-nf-call-iptables was then; empty when another rack was up, as it is 0 while any is.
	machineSysctl string
)

func TestEndToEnd(t *testing.T) {
	RegisterFailHandler(Fail)
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyTimeout(2 * time.Minute)
	SetDefaultEventuallyPollingInterval(500 * time.Millisecond)
	RunSpecs(t, "End to end")
	if firstFailure != "" {
		t.Log("first failure: " + firstFailure)
	}
}

// firstFailure is what failed first, and why, in a few lines: what fails after it is often no more than what it left.
var firstFailure string

var _ = ReportAfterEach(func(r SpecReport) {
	if !r.Failed() || firstFailure != "" {
		return
	}
	why := []rune(oneLine(r.Failure.Message))
	firstFailure = fmt.Sprintf("%s (%s): %s", r.FullText(), filepath.Base(r.Failure.Location.String()), string(why[:min(len(why), 800)]))
})

// One site serves all specs, in this order: each leaves it whole for the next.
var _ = Describe("A site", Ordered, ContinueOnFailure, func() {
	BeforeAll(siteUp, NodeTimeout(40*time.Minute))
	AfterAll(siteDown, NodeTimeout(10*time.Minute))

	Describe("that `make up` brought up", broughtUp)
	Describe("whose README is followed", documented)
	Describe("whose config is wrong", badInput)
	Describe("with a host changed by hand", Ordered, changedByHand)
	Describe("that loses a host", hostLoss)
	Describe("whose members change", Ordered, membersExchanged)
	Describe("that is upgraded", upgraded)
	Describe("whose update is killed", updateKilled)
	Describe("that carries messages and bookings", services)
	Describe("that is taken down", Ordered, takenDown)
})

// Two sites are a rack of their own, and too much for one machine beside the site above: one comes up when the other
// one is gone.
var _ = Describe("Two sites", Ordered, ContinueOnFailure, Label("pair", "slow"), pairOfSites)

// home is the user's folder of that name under ~/.local/share.
func home(name string) string {
	GinkgoHelper()
	userHome, err := os.UserHomeDir()
	Expect(err).NotTo(HaveOccurred())
	return filepath.Join(userHome, ".local/share", name)
}

func checkout() string {
	GinkgoHelper()
	root, err := filepath.Abs("../..")
	Expect(err).NotTo(HaveOccurred())
	return root
}

// siteUp brings the site up from nothing.
func siteUp(ctx context.Context) {
	var err error
	rack, err = site.New(ctx, checkout(), home("spine-e2e"), "e2e", GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())

	By("clearing away what an interrupted run left")
	Expect(rack.Discard(ctx)).To(Succeed())
	machine = takeSnapshot()
	if !anyRackUp() {
		machineSysctl = sysctl("net/bridge/bridge-nf-call-iptables")
	}

	By("bringing the site up from nothing")
	Expect(rack.Up(ctx)).To(Succeed())
	kube, err = rack.Kube()
	Expect(err).NotTo(HaveOccurred())
}

func siteDown(ctx context.Context) {
	if rack == nil {
		return
	}
	if kube == nil { // it did not even come up; failed specs have collected their own
		collect(ctx)
	}
	Expect(rack.Discard(ctx)).To(Succeed())
}

var _ = AfterEach(func(ctx context.Context) {
	if CurrentSpecReport().Failed() {
		collect(ctx)
	}
})

// collect puts into the report what a person would look at first.
func collect(ctx context.Context) {
	for _, args := range [][]string{
		{"rack", "status", "--rack", rack.Rack},
		{"kubectl", "get", "nodes", "-o", "wide", "--request-timeout=5s"},
		{"kubectl", "get", "pods", "-A", "-o", "wide", "--request-timeout=5s"},
		{"kubectl", "get", "events", "-A", "--sort-by=.lastTimestamp", "--request-timeout=5s"},
	} {
		out, err := rack.Run(ctx, args[0], args[1:]...)
		if err != nil {
			out += err.Error()
		}
		AddReportEntry(args[0]+" "+args[1], out)
	}
}

// allNodesReady waits until exactly these hosts are Ready nodes and every pod is well.
func allWell(ctx context.Context, hosts ...string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		for _, h := range hosts {
			status, err := site.NodeReady(ctx, kube, h)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(status).To(Equal("True"), "node "+h)
		}
		unwell, err := site.UnwellPods(ctx, kube)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(unwell).To(BeEmpty())
	}).WithContext(ctx).WithTimeout(4 * time.Minute).Should(Succeed())
}

// unchanged expects that plain pulumi finds nothing to do.
func unchanged(ctx context.Context) {
	GinkgoHelper()
	_, err := rack.Pulumi(ctx, "preview", "--expect-no-changes")
	Expect(err).NotTo(HaveOccurred())
}

// state is what the stack's state holds, word for word.
func state(ctx context.Context) string {
	GinkgoHelper()
	out, err := rack.Command(ctx, "pulumi", "stack", "export", "--stack", rack.Name).Output()
	Expect(err).NotTo(HaveOccurred())
	return string(out)
}
