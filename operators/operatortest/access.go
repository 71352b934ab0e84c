// SPDX-License-Identifier: Apache-2.0

package operatortest

import (
	"strings"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
)

// Access is whom a database of two sites lets in, by lines of pg_hba.conf and pg_ident.conf, but for whom it refuses: that
// would be a test's own superuser, too.
func Access(name, owner string) (access, idents []string) {
	cluster := database.Cluster(database.Args{
		Name: "spine-db", Database: name, Owner: owner, Profile: database.ProfileLedger,
		Pair: database.NewPair(Site(common.RoleActive), common.SiteOrder{Role: common.SiteActive, Epoch: 1}, false),
	})
	settings := cluster.Object["spec"].(map[string]any)["postgresql"].(map[string]any)
	for _, line := range settings["pg_hba"].([]any) {
		if line := line.(string); !strings.HasSuffix(line, " reject") {
			access = append(access, line)
		}
	}
	for _, line := range settings["pg_ident"].([]any) {
		idents = append(idents, line.(string))
	}
	return access, idents
}
