// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"spine.nhs.uk/controlplane/hack/rights"
	"spine.nhs.uk/controlplane/operators/manifests"
)

const managerUser = "system:serviceaccount:spine-system:spine-manager"

// toldAgain is why events may be patched.
const toldAgain = "an event that was told five minutes ago, by the same replica, is counted rather than made again"

// seldom are rights for what not every run of the specs brings about, each with why it is held.
var seldom = map[string]string{
	"patch events in spine-messaging": toldAgain, "patch events in spine-booking": toldAgain, "patch events in spine-system": toldAgain,
	"delete servicerecoveries.resilience.spine.nhs.uk in spine-system": "a dry run of the manager's own is thrown away when the host came back while it was planned",
}

// managersRights compares what the manager may do with what the API servers' audit logs say that it did since the site
// came up. It comes after every recovery: what no service and no recovery has needed by then, it should not hold.
func managersRights(ctx context.Context) {
	roles, err := manifests.FS.ReadFile("rbac/role.yaml")
	Expect(err).NotTo(HaveOccurred())
	held, err := rights.Held(roles, "spine-manager")
	Expect(err).NotTo(HaveOccurred())
	var used, refused []rights.Right
	for _, host := range []string{"a", "b", "c"} {
		// Each API server keeps its own. The rest of the log stays where it is.
		out, err := rack.Command(ctx, "rack", "ssh", "--rack", rack.Rack, host,
			`cat /var/log/kubernetes/audit*.log | grep -F '"username":"`+managerUser+`"' || true`).Output()
		Expect(err).NotTo(HaveOccurred())
		log, err := rights.Read(out, managerUser)
		Expect(err).NotTo(HaveOccurred(), "host %s", host)
		used, refused = append(used, log.Used...), append(refused, log.Refused...)
	}
	Expect(used).NotTo(BeEmpty(), "requests of the manager in the audit logs")
	AddReportEntry("the manager's rights", fmt.Sprintf("%d held, %d kinds of requests seen", len(held), len(used)))
	Expect(refused).To(BeEmpty(), "requests that the manager had no right to")
	var unused []string
	for _, r := range rights.Unused(held, used) {
		if seldom[r.String()] == "" {
			unused = append(unused, r.String())
		}
	}
	Expect(unused).To(BeEmpty(), "rights that the manager holds and never used")
	for right := range seldom {
		Expect(slices.ContainsFunc(held, func(r rights.Right) bool { return r.String() == right })).To(BeTrue(), "no longer held, so no exception: %s", right)
	}
}
