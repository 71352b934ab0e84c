// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messaging "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

// silentFor is how long the object store stays silent at most, in which others have to take the primaries' places.
const silentFor = 3 * time.Minute

// deletePrimariesStoreSilent deletes them while the object store takes connections and answers nothing, and has it answer
// again once others have taken their places.
func deletePrimariesStoreSilent(ctx context.Context) {
	archived(ctx, 5*time.Minute)
	before := primaries(ctx)
	store := objectStore()
	DeferCleanup(store.Signal, syscall.SIGCONT)
	Expect(store.Signal(syscall.SIGSTOP)).To(Succeed())
	struck := time.Now()
	deletePrimaries(ctx)
	Eventually(func(g Gomega) {
		for _, old := range before {
			now := &corev1.PodList{}
			g.Expect(objects.List(ctx, now, client.InNamespace(old.Namespace), client.MatchingLabels{"cnpg.io/instanceRole": "primary"})).To(Succeed())
			g.Expect(now.Items).To(HaveLen(1), old.Namespace)
			g.Expect(now.Items[0].Name).NotTo(Equal(old.Name))
		}
		m, b := &messaging.MessagingService{}, &booking.BookingService{}
		g.Expect(objects.Get(ctx, messagingKey, m)).To(Succeed())
		g.Expect(objects.Get(ctx, bookingKey, b)).To(Succeed())
		g.Expect(meta.IsStatusConditionTrue(m.Status.Conditions, common.ConditionDeepProbe)).To(BeTrue(), "messages get through")
		g.Expect(meta.IsStatusConditionTrue(b.Status.Conditions, common.ConditionDeepProbe)).To(BeTrue(), "bookings get through")
	}).WithContext(ctx).WithTimeout(silentFor).WithPolling(time.Second).Should(Succeed())
	AddReportEntry("served again, with the store silent", time.Since(struck).Round(time.Second).String())
	Expect(store.Signal(syscall.SIGCONT)).To(Succeed())
}

// objectStore is the process of the rack's object store.
func objectStore() *os.Process {
	GinkgoHelper()
	folder := filepath.Join(rack.Home, "racks", rack.Rack) + "/"
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	Expect(err).NotTo(HaveOccurred())
	for _, path := range found {
		content, _ := os.ReadFile(path) // it may have ended
		words := strings.Split(string(content), "\x00")
		if filepath.Base(words[0]) != "objectstore" || !strings.Contains(string(content), folder) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		Expect(err).NotTo(HaveOccurred())
		process, err := os.FindProcess(pid)
		Expect(err).NotTo(HaveOccurred())
		return process
	}
	Fail("no object store of " + folder)
	return nil
}
