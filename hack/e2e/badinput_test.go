// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"spine.nhs.uk/controlplane/hack/site"
)

// Each of these is refused by `pulumi up` with one clear error that names what is wrong, and changes nothing.
func badInput() {
	DescribeTable("is refused:", func(ctx context.Context, change func(site.Environment), named ...string) {
		before := state(ctx)
		Expect(rack.Configure(change)).To(Succeed())
		DeferCleanup(func() { Expect(rack.Configure(func(site.Environment) {})).To(Succeed()) })

		out, err := rack.Pulumi(ctx, "up", "--yes")
		Expect(err).To(HaveOccurred())
		for _, n := range named {
			Expect(out).To(ContainSubstring(n))
		}

		Expect(state(ctx)).To(Equal(before), "the stack's state")
	},
		Entry("host keys that are not the pinned ones, two hosts at once", func(e site.Environment) {
			const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUN1d0hNRW4wXrNBGuHqtDrEYZrXpqTQRr5mP1RZT8z"
			e.Host("a")["hostKey"] = other
			e.Host("c")["hostKey"] = other
		}, "host a", "host c", "host key"),
		Entry("an unreachable host", func(e site.Environment) {
			address, err := rack.Address(77)
			Expect(err).NotTo(HaveOccurred())
			e.Add("x", address, "r1")
			e.Host("x")["hostKey"] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUN1d0hNRW4wXrNBGuHqtDrEYZrXpqTQRr5mP1RZT8z"
		}, "host x", "reach"),
		Entry("more memory asked for than two hosts have", func(e site.Environment) {
			for _, h := range []string{"b", "c"} {
				e.Host(h)["requirements"] = map[string]any{"memoryMiB": 1 << 20}
			}
		}, "host b", "host c", "memory"),
		Entry("two hosts with one address", func(e site.Environment) {
			e.Host("b")["address"] = e.Host("a")["address"]
		}, "hosts[1].address"),
		Entry("unknown keys and a wrong type, all at once", func(e site.Environment) {
			e["kubernets"] = map[string]any{}
			e.Host("a")["adress"] = "x"
			e.Host("b")["role"] = 3
		}, "kubernets", "adress", "hosts[1].role"),
		Entry("a Kubernetes version two minors on", func(e site.Environment) {
			e["kubernetes"].(map[string]any)["version"] = "v1.38.0"
		}, "host a", "host b", "host c", "to v1.38.0 skips a minor", "v1.37.x first"),
		Entry("a Kubernetes version behind the running one", func(e site.Environment) {
			e["kubernetes"].(map[string]any)["version"] = "v1.35.4"
		}, "v1.35.4", "newer"),
		Entry("so few control planes that quorum would be lost", func(e site.Environment) {
			e.Remove("b")
			e.Remove("c")
		}, "quorum"),
	)

	It("is refused: an SSH key whose passphrase is wrong", func(ctx context.Context) {
		key := filepath.Join(rack.Home, "racks", rack.Name, "id_ed25519")
		locked := filepath.Join(GinkgoT().TempDir(), "locked")
		content, err := os.ReadFile(key)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(locked, content, 0o600)).To(Succeed())
		_, err = rack.Run(ctx, "ssh-keygen", "-q", "-p", "-f", locked, "-P", "", "-N", "right")
		Expect(err).NotTo(HaveOccurred())
		cmd := rack.Command(ctx, "pulumi", "preview", "--stack", rack.Name, "--config-file", rack.ConfigFile, "--non-interactive")
		cmd.Env = append(cmd.Env, "SPINE_SSH_IDENTITY_FILE="+locked, "SPINE_SSH_PASSPHRASE=a-wrong-secret")
		out, err := cmd.CombinedOutput()
		Expect(err).To(HaveOccurred())
		Expect(string(out)).To(ContainSubstring("passphrase"))
		Expect(string(out)).NotTo(ContainSubstring("a-wrong-secret"))
	})
}
