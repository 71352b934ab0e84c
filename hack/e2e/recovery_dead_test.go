// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	messaging "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// A hospital's system that takes nothing, and who writes to it.
const (
	hospital         = "RXH001"
	hospitalSupplier = "hospital-systems"
	writer           = "LOAD008"
	deadMessages     = 20
)

// deadLetters has a receiver refuse messages for good, puts them back on their way, and sees every one of them arrive.
func deadLetters(ctx context.Context, by, other client.Client) {
	redundant(ctx, 3*time.Minute)
	receiver := newInternalSystem(hospital)
	sent := map[string]bool{}
	for _, id := range sendTo(ctx, hospital, deadMessages) {
		sent[id] = true
	}

	By("refusing them for good")
	buried := map[string]bool{}
	Eventually(func(g Gomega) {
		got, err := receiver.receive(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(receiver.bury(ctx, got, "end-to-end suite: not understood")).To(Succeed())
		for _, m := range got {
			buried[m.ID] = true
		}
		g.Expect(buried).To(Equal(sent))
	}).WithContext(ctx).WithTimeout(time.Minute).Should(Succeed())
	Eventually(func(g Gomega) int64 { return dead(ctx, g) }).WithContext(ctx).WithTimeout(time.Minute).Should(BeNumerically("==", deadMessages))

	By("putting them back, to a receiver that understands them now")
	var mu sync.Mutex
	arrived := map[string]bool{}
	o := dryRun(ctx, by, request{action: resilience.ActionReplayDeadLetters, supplier: func(context.Context) string { return hospitalSupplier }})
	collecting, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer GinkgoRecover()
		defer close(ended)
		receiver.collect(collecting, func(m received) {
			mu.Lock()
			defer mu.Unlock()
			arrived[m.ID] = true
		})
	}()
	defer func() { stop(); <-ended }()
	carryOut(ctx, by, other, o, recoveryFor)
	AddReportEntry("ReplayDeadLetters", trace(o))
	Expect(o.Status.Evidence.Notes).To(ContainElement(ContainSubstring(fmt.Sprintf("%d dead letters", deadMessages))))
	// The operation ends with the messages on their way; they may arrive a moment later.
	Eventually(func(g Gomega) {
		mu.Lock()
		defer mu.Unlock()
		g.Expect(arrived).To(Equal(sent))
	}).WithContext(ctx).WithTimeout(time.Minute).Should(Succeed())
	Eventually(func(g Gomega) int64 { return dead(ctx, g) }).WithContext(ctx).WithTimeout(time.Minute).Should(BeZero())
}

// sendTo sends messages to a mailbox and returns their IDs.
func sendTo(ctx context.Context, recipient string, n int) []string {
	GinkgoHelper()
	var messages []map[string]any
	for i := range n {
		messages = append(messages, map[string]any{
			"requestId": fmt.Sprintf("e2e-%d-%d", time.Now().UnixNano(), i),
			"recipient": recipient, "interaction": "AMBULANCE_REQUEST", "body": []byte("end-to-end suite"),
		})
	}
	var answer struct {
		Results []struct {
			Status string `json:"status"`
			ID     string `json:"id"`
		} `json:"results"`
	}
	Expect(newInternalSystem(writer).post(ctx, "/messages:batchSend", map[string]any{"messages": messages}, &answer)).To(Succeed())
	var ids []string
	for _, r := range answer.Results {
		Expect(r.Status).To(Equal("acknowledged"))
		ids = append(ids, r.ID)
	}
	return ids
}

// dead is how many dead letters of the hospital's supplier the service's status counts.
func dead(ctx context.Context, g Gomega) int64 {
	m := &messaging.MessagingService{}
	g.Expect(objects.Get(ctx, messagingKey, m)).To(Succeed())
	g.Expect(m.Status.Backlog).NotTo(BeNil())
	for _, d := range m.Status.Backlog.DeadLettered {
		if string(d.Supplier) == hospitalSupplier {
			return d.Count
		}
	}
	return 0
}
