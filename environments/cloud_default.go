// SPDX-License-Identifier: Apache-2.0

package environments

// Versions that environments have unless they are about to be raised: a file that names
// another one is the first to get it, and this the last.
const (
	// kubernetesVersion is supported by EKS for 14 months from its release there.
	kubernetesVersion = "1.33"
	// databaseVersion is a release of Aurora PostgreSQL with the major of the bare-metal
	// sites' images or the one before.
	databaseVersion = "16.8"
)

// defaults are for whatever the file, the class and the tier leave out.
func (c *Cloud) defaults() Cloud {
	d := Cloud{
		Region:     London,
		Cluster:    CloudCluster{Version: kubernetesVersion, DiskGiB: 100},
		Database:   CloudDatabase{EngineVersion: databaseVersion, AuthoritiesFile: "environments/authorities/databases.pem"},
		Recovery:   Recovery{Deletion: DeletionRefused},
		Finance:    Finance{Anomalies: AnomaliesWatched},
		Deployment: Deployment{Deployers: []string{"spine-deployer"}, Administrators: []string{"spine-break-glass"}},
	}
	// What follows from a name that is missing is missing too, and said once.
	if c.Name != "" {
		d.Edge.Domain = c.Name + ".aws.spine.nhs.uk"
	}
	if c.Owner != "" {
		d.Finance.AlertsTo = []string{c.Owner + "@spine.nhs.uk"}
	}
	if own, _ := c.Accounts(); own != "" {
		d.Deployment.StateBucket = "spine-state-" + own
	}
	if c.Finance.Running == RunningWorkingHours {
		// The evening poll of slots is live's: others are not missed after 19:00.
		d.Finance.Wake, d.Finance.Sleep = defaultWake, defaultSleep
	}
	c.serviceDefaults(&d)
	return d
}
