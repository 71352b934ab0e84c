// SPDX-License-Identifier: Apache-2.0

package environments

// Operations are the rules of recovery operations. The manager gets them as they
// stand here, and validates them again.
type Operations struct {
	// approval says which actions another person has to agree to.
	Approval OperationApproval `json:"approval"`
	// maxApprovalAge is how old an approval may be when its operation begins, 1m to
	// 24h. Default 24h.
	MaxApprovalAge string `json:"maxApprovalAge"`
	// changeWindow is when disruptive operations may begin, at most 16 spans; omit it
	// for any time.
	ChangeWindow []ChangeWindow `json:"changeWindow"`
	// coolDown is how long a target rests after an operation, 1s to 1h. Default 2m.
	CoolDown string `json:"coolDown"`
}

// OperationApproval says which actions another person has to agree to.
type OperationApproval struct {
	// actions that need it when a person asks for them, of a ServiceRecovery or a Failover; [] for
	// none. Default [RebuildBroker, RebuildReplica, ResyncStandby,
	// RestoreDatabase, FenceHost, PlannedFailover, UnplannedFailover].
	Actions []string `json:"actions"`
}

// ChangeWindow is a span of time on some days of the week.
type ChangeWindow struct {
	// days on which it begins, 1 to 7: Monday to Sunday.
	Days []string `json:"days"`
	// from is the time of day at which it begins, such as "22:00".
	From string `json:"from"`
	// to is the time of day at which it ends; not after from: on the next day.
	To string `json:"to"`
	// timeZone is the IANA name of its times' zone. Default Europe/London.
	TimeZone string `json:"timeZone"`
}

func (o *Operations) setDefaults() {
	if o.Approval.Actions == nil {
		o.Approval.Actions = []string{"RebuildBroker", "RebuildReplica", "ResyncStandby", "RestoreDatabase", "FenceHost", "PlannedFailover", "UnplannedFailover"}
	}
	text(&o.MaxApprovalAge, "24h")
	text(&o.CoolDown, "2m")
	for i := range o.ChangeWindow {
		text(&o.ChangeWindow[i].TimeZone, "Europe/London")
	}
}
