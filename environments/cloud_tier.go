// SPDX-License-Identifier: Apache-2.0

package environments

// Tier is a promise of availability and recovery, as NHS England publishes them for
// its services.
type Tier string

// The tiers.
const (
	// TierPlatinum is 24x365, 99.9 %, recovered in 2 hours.
	TierPlatinum Tier = "platinum"
	// TierGold is 99.9 %, recovered in 4 hours; e-RS is operated 24x365.
	TierGold Tier = "gold"
	// TierSilver is 99.5 %.
	TierSilver Tier = "silver"
	// TierBronze is 98 %.
	TierBronze Tier = "bronze"
)

// serving says whether the tier is enough for patients.
func (t Tier) serving() bool { return t == TierPlatinum || t == TierGold }

var tierOrder = []Tier{TierPlatinum, TierGold, TierSilver, TierBronze}

// pointInTime is the longest that Aurora offers, and what the rule database-backups asks
// of every environment: the test of a restore needs something to restore.
const pointInTime = 35

// tiers set what a promise takes. Every environment is spread over three zones, so that
// what is tested is what live runs; tiers differ in what keeps running when one is lost.
var tiers = map[Tier]Cloud{
	TierPlatinum: {
		Network:  CloudNetwork{EgressZones: zoneCount},
		Database: CloudDatabase{Instances: zoneCount},
		Recovery: Recovery{PointInTimeDays: pointInTime, Vault: VaultOtherAccount, Hours: 2},
	},
	TierGold: {
		Network:  CloudNetwork{EgressZones: zoneCount},
		Database: CloudDatabase{Instances: zoneCount},
		Recovery: Recovery{PointInTimeDays: pointInTime, Vault: VaultOtherAccount, Hours: 4},
	},
	TierSilver: {
		// 99.5 % allows 3.6 hours a month: the loss of the zone with the way out may be
		// waited for or mended by hand, the loss of the database's writer may not.
		Network:  CloudNetwork{EgressZones: 1},
		Database: CloudDatabase{Instances: 2},
		// No recovery time is published for silver and bronze: these are ours.
		Recovery: Recovery{PointInTimeDays: pointInTime, Vault: VaultNone, Hours: 24},
	},
	TierBronze: {
		// 98 % allows 14 hours a month: storage is in three zones in any case, and a new
		// member starts in minutes.
		Network:  CloudNetwork{EgressZones: 1},
		Database: CloudDatabase{Instances: 1},
		Recovery: Recovery{PointInTimeDays: pointInTime, Vault: VaultNone, Hours: 72},
	},
}

// zoneCount is how many availability zones eu-west-2 has, all of which are used.
const zoneCount = 3
