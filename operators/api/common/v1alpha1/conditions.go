// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Types of conditions. Each has one writer: the status phase of the service's controller.
const (
	// ConditionReady is True while the service does its work for clients.
	ConditionReady = "Ready"
	// ConditionProgressing is True while the operator is bringing the service to its specification.
	ConditionProgressing = "Progressing"
	// ConditionStalled is True when the operator cannot go on without a person.
	ConditionStalled = "Stalled"
	// ConditionDatabase is True while PostgreSQL has a primary that accepts durable writes.
	ConditionDatabase = "Database"
	// ConditionBroker is True while RabbitMQ has a quorum.
	ConditionBroker = "Broker"
	// ConditionGateway is True while at least one message gateway serves.
	ConditionGateway = "Gateway"
	// ConditionService is True while at least one booking service serves.
	ConditionService = "Service"
	// ConditionRedundancy is True while every part has all its members. False is an incident
	// even when clients see nothing.
	ConditionRedundancy = "Redundancy"
	// ConditionBacklog is True while acknowledged work is processed in time.
	ConditionBacklog = "Backlog"
	// ConditionBackup is True while an earlier state of the database can be had back from the
	// object store, and what is written now gets there. There is none without spec.database.backup.
	ConditionBackup = "Backup"
	// ConditionDeepProbe is True while a synthetic request gets through the whole path.
	ConditionDeepProbe = "DeepProbe"
)

// Reasons that need nobody.
const (
	// ReasonAsSpecified: the part is as the specification says.
	ReasonAsSpecified = "AsSpecified"
	// ReasonStarting: the part is being made for the first time.
	ReasonStarting = "Starting"
	// ReasonChanging: a change that the specification asked for is under way.
	ReasonChanging = "Changing"
	// ReasonNotStalled: nothing needs a person.
	ReasonNotStalled = "NotStalled"
	// ReasonDeleting: the service is being deleted.
	ReasonDeleting = "Deleting"
	// ReasonProbePassed: the last deep probe got through the whole path.
	ReasonProbePassed = "ProbePassed"
	// ReasonProbePending: no deep probe has run yet.
	ReasonProbePending = "ProbePending"
)

// Reasons for which a person may have to act. Each has a page of that name in runbooks/.
const (
	// ReasonDatabaseUnavailable: PostgreSQL has no primary that accepts durable writes.
	ReasonDatabaseUnavailable = "DatabaseUnavailable"
	// ReasonBrokerUnavailable: RabbitMQ has no quorum; messages are kept in the ledger meanwhile.
	ReasonBrokerUnavailable = "BrokerUnavailable"
	// ReasonGatewayUnavailable: no message gateway serves.
	ReasonGatewayUnavailable = "GatewayUnavailable"
	// ReasonServiceUnavailable: no booking service serves.
	ReasonServiceUnavailable = "ServiceUnavailable"
	// ReasonMembersMissing: a part has fewer members than it should, so the next loss may be felt.
	ReasonMembersMissing = "MembersMissing"
	// ReasonStateUnknown: the operator cannot tell how the part is, so it changes nothing.
	ReasonStateUnknown = "StateUnknown"
	// ReasonBacklogOverdue: acknowledged work has waited longer than it should.
	ReasonBacklogOverdue = "BacklogOverdue"
	// ReasonDeadLetters: messages that no retry could deliver wait for a person.
	ReasonDeadLetters = "DeadLetters"
	// ReasonSupplierStopped: deliveries to a supplier are stopped by its kill switch.
	ReasonSupplierStopped = "SupplierStopped"
	// ReasonProbeFailed: deep probes failed often enough in a row to count as an outage.
	ReasonProbeFailed = "ProbeFailed"
	// ReasonQuorumAtRisk: a change waits, because one more member down would cost a quorum.
	ReasonQuorumAtRisk = "QuorumAtRisk"
	// ReasonRolledBack: a new image failed the deep probe or did not become available, and the
	// last good one was restored.
	ReasonRolledBack = "RolledBack"
	// ReasonNoWayBack: a new image failed and there is no last good one to restore.
	ReasonNoWayBack = "NoWayBack"
	// ReasonOwnedByAnother: an object with the name of a child belongs to somebody else.
	ReasonOwnedByAnother = "OwnedByAnother"
	// ReasonChildRefused: the API server refused a child as invalid or forbidden.
	ReasonChildRefused = "ChildRefused"
	// ReasonEngineMissing: the custom resources of an engine's operator are not installed.
	ReasonEngineMissing = "EngineMissing"
	// ReasonUnprocessedWork: the deletion waits, because acknowledged work would go with it.
	ReasonUnprocessedWork = "UnprocessedWork"
	// ReasonRunElsewhere: the part is an engine that somebody else runs. Of its members nothing is
	// known here, and nothing is done to them; the deep probe says whether it serves.
	ReasonRunElsewhere = "RunElsewhere"
	// ReasonPortTaken: another Service already uses this port of the edge address.
	ReasonPortTaken = "PortTaken"
	// ReasonBackupFailing: what the database writes, or the nightly copy of it, does not get to
	// the object store.
	ReasonBackupFailing = "BackupFailing"
)

// RunbookReasons lists the reasons that have a page in runbooks/.
func RunbookReasons() []string {
	return []string{
		ReasonDatabaseUnavailable, ReasonBrokerUnavailable, ReasonGatewayUnavailable, ReasonServiceUnavailable,
		ReasonMembersMissing, ReasonStateUnknown, ReasonBacklogOverdue, ReasonDeadLetters, ReasonSupplierStopped,
		ReasonProbeFailed, ReasonQuorumAtRisk, ReasonRolledBack, ReasonNoWayBack, ReasonOwnedByAnother,
		ReasonChildRefused, ReasonEngineMissing, ReasonUnprocessedWork, ReasonRunElsewhere, ReasonPortTaken, ReasonBackupFailing, ReasonAsleep,
		ReasonStandbyNotReady, ReasonPeerUnreachable, ReasonReplicationBehind, ReasonServingAlone, ReasonWitnessSilent, ReasonVoteLost,
	}
}
