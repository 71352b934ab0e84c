// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"spine.nhs.uk/controlplane/hack/rights"
	"spine.nhs.uk/controlplane/operators/manifests"
)

const managerUser = "system:serviceaccount:spine-system:spine-manager"

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
		out, err := rack.Command(ctx, "rack", "ssh", "--rack", rack.Name, host,
			`cat /var/log/kubernetes/audit*.log | grep -F '"username":"`+managerUser+`"' || true`).Output()
		Expect(err).NotTo(HaveOccurred())
		log, err := rights.Read(out, managerUser)
		Expect(err).NotTo(HaveOccurred(), "host %s", host)
		used, refused = append(used, log.Used...), append(refused, log.Refused...)
	}
	Expect(used).NotTo(BeEmpty(), "requests of the manager in the audit logs")
	AddReportEntry("the manager's rights", fmt.Sprintf("%d held, %d kinds of requests seen", len(held), len(used)))
	Expect(refused).To(BeEmpty(), "requests that the manager had no right to")
	Expect(rights.Unused(held, used)).To(BeEmpty(), "rights that the manager holds and never used")
}
