// SPDX-License-Identifier: Apache-2.0

package environments

// Documents are what is attached to referrals.
type Documents struct {
	// lockDays is how long each version can be deleted by nobody of the environment's
	// own roles, 1 to 3650. Default: the class's.
	LockDays int `json:"lockDays"`
}

// Deployment says who changes the environment, and where its state is kept: what
// `Bootstrap a new account` in README.md of this folder makes.
type Deployment struct {
	// deployers are the names of roles of the account that may take the deployment role
	// on, 1 to 10. Default [spine-deployer].
	Deployers []string `json:"deployers"`
	// administrators are the names of further roles of the account that administer the
	// cluster, at most 9. Default [spine-break-glass].
	Administrators []string `json:"administrators"`
	// stateBucket is the bucket with the stack's state. Default: "spine-state-" and the
	// account's number.
	StateBucket string `json:"stateBucket"`
	// stateKey is the identifier of the KMS key of the state's secrets: a UUID.
	StateKey string `json:"stateKey"`
}

// Recovery says how data and service come back.
type Recovery struct {
	// pointInTimeDays is how far back the database can be taken to any moment, 35: the
	// most that AWS offers, and what the rules ask. Default: the tier's.
	PointInTimeDays int `json:"pointInTimeDays"`
	// vault is OtherAccount for backups with a locked copy in backupAccount, daily for 35
	// days, weekly for 90, monthly for 2,555; or None where everything can be made
	// again. Default: the tier's.
	Vault Vault `json:"vault"`
	// lockAfterDays is when the vaults' lock becomes final, so that nobody at all can
	// delete a backup before its time, 3 to 30; for OtherAccount only. Omit it for a lock
	// that two people can lift. Default: the class's.
	LockAfterDays int `json:"lockAfterDays"`
	// deletion is Refused, or Allowed for the one update before an environment is
	// destroyed: it takes AWS's own protection off what holds data. The rules ask for a
	// waiver with it. Default Refused.
	Deletion Deletion `json:"deletion"`
	// hours is how long recovery may take after the loss of the environment, 1 to 168.
	// Default: the tier's.
	Hours int `json:"hours"`
	// standby is None, PilotLight (machines are started when needed) or WarmStandby (a
	// small copy runs). It is said of the environment that takes over; its data comes from
	// the copies of backups in backupAccount either way. Default: the class's.
	Standby Standby `json:"standby"`
}

// Vault is where copies of backups are kept.
type Vault string

// Where copies of backups are kept.
const (
	VaultOtherAccount Vault = "OtherAccount"
	VaultNone         Vault = "None"
)

// Deletion is whether AWS may delete what holds data.
type Deletion string

// Whether AWS may delete what holds data.
const (
	DeletionRefused Deletion = "Refused"
	DeletionAllowed Deletion = "Allowed"
)

// Standby is how ready an environment is to take over from another one.
type Standby string

// How ready an environment is to take over from another one.
const (
	StandbyNone       Standby = "None"
	StandbyPilotLight Standby = "PilotLight"
	StandbyWarm       Standby = "WarmStandby"
)

// Logs are the environment's logs.
type Logs struct {
	// retentionDays is how long they are kept, 365 to 3653: one of the lengths that
	// CloudWatch offers. Default: the class's.
	RetentionDays int `json:"retentionDays"`
}

// Finance watches and limits what the environment costs.
type Finance struct {
	// monthlyBudgetUSD is what it may cost a month in US dollars, as AWS bills it, 1 to
	// 1000000. Default: the class's.
	MonthlyBudgetUSD int `json:"monthlyBudgetUSD"`
	// alertsTo are the mail addresses that are told, 1 to 10. Default: the owner's.
	AlertsTo []string `json:"alertsTo"`
	// anomalies is Watched, or ByPayer where the account that pays watches unusual cost of
	// all accounts in one place. Default Watched.
	Anomalies Anomalies `json:"anomalies"`
	// running is Always, or WorkingHours for an environment that sleeps at night and at
	// weekends. Default: the class's.
	Running Running `json:"running"`
	// wake is the time of day at which it wakes on working days, such as "07:00", in
	// Europe/London; for WorkingHours only. Default 07:00.
	Wake string `json:"wake"`
	// sleep is the time of day at which it goes to sleep, such as "19:00", in
	// Europe/London; for WorkingHours only. Default 19:00.
	Sleep string `json:"sleep"`
}

// Anomalies is who watches for unusual cost.
type Anomalies string

// Who watches for unusual cost.
const (
	AnomaliesWatched Anomalies = "Watched"
	AnomaliesByPayer Anomalies = "ByPayer"
)

// Running is when an environment runs.
type Running string

// When an environment runs.
const (
	RunningAlways       Running = "Always"
	RunningWorkingHours Running = workingHours
)
