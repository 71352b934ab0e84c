// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"spine.nhs.uk/controlplane/hack/site"
)

// screen is what a command has printed so far.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = GinkgoWriter.Write(p)
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func updateKilled() {
	It("is finished by the next `pulumi up`, wherever kill -9 hit", func(ctx context.Context) {
		_, err := rack.Pulumi(ctx, "destroy", "--yes")
		Expect(err).NotTo(HaveOccurred())

		// Each run gets further than the one before it.
		for _, point := range []string{
			"Host e2e-a creating",        // while hosts are prepared
			"a: [wait-control-plane]",    // inside kubeadm init
			"b: [etcd] Announced",        // inside the first join
			"c: [kubelet-start]",         // inside the second
			"Manifests e2e-dns creating", // while add-ons come up
		} {
			By("killing it at: " + point)
			cmd := rack.Command(ctx, "pulumi", "up", "--yes", "--stack", rack.Name, "--config-file", rack.ConfigFile, "--non-interactive")
			seen := &screen{}
			cmd.Stdout, cmd.Stderr = seen, seen
			Expect(cmd.Start()).To(Succeed())
			Eventually(seen.String).WithContext(ctx).WithTimeout(3 * time.Minute).WithPolling(50 * time.Millisecond).Should(ContainSubstring(point))
			Expect(cmd.Process.Kill()).To(Succeed())
			_ = cmd.Wait() // killed: that is its error
			_, err := rack.Run(ctx, "pulumi", "cancel", rack.Name, "--yes")
			Expect(err).NotTo(HaveOccurred())
		}

		By("letting it finish")
		_, err = rack.Pulumi(ctx, "up", "--yes")
		Expect(err).NotTo(HaveOccurred())
		Expect(rack.WriteKubeconfig(ctx)).To(Succeed())
		kube, err = rack.Kube()
		Expect(err).NotTo(HaveOccurred())
		allWell(ctx, "a", "b", "c")
		Expect(strings.Count(etcdMembers(ctx), "started")).To(Equal(3))
		// Pulumi keeps a note of what was being made when it was killed until it is told that nothing was lost.
		_, err = rack.Pulumi(ctx, "refresh", "--yes", "--clear-pending-creates", "--expect-no-changes")
		Expect(err).NotTo(HaveOccurred())
		unchanged(ctx)

		var exported struct {
			Deployment struct {
				Pending []any `json:"pending_operations"`
			} `json:"deployment"`
		}
		Expect(json.Unmarshal([]byte(state(ctx)), &exported)).To(Succeed())
		Expect(exported.Deployment.Pending).To(BeEmpty(), "operations that the state believes to be under way")
		Expect(site.NodeReady(ctx, kube, "d")).To(Equal("Absent"))
	})
}
