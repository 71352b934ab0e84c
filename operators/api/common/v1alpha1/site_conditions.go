// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Conditions of a pair of sites.
const (
	// ConditionTakeover is True while the other site could serve now: of a FailoverPolicy, and
	// copied to its services. Absent where there is one site only.
	ConditionTakeover = "Takeover"
	// ConditionVoted is True while this site knows whom the witness has on record.
	ConditionVoted = "Voted"
)

// Reasons of them that need nobody.
const (
	// ReasonTakeoverReady: the standby has all that it needs, and all that was acknowledged.
	ReasonTakeoverReady = "TakeoverReady"
	// ReasonVoteRead: the witness answered.
	ReasonVoteRead = "VoteRead"
	// ReasonStandingBy: the service is not to serve at this site now.
	ReasonStandingBy = "StandingBy"
)

// Reasons of them for which a person may have to act. Each has a page of that name in runbooks/.
const (
	// ReasonStandbyNotReady: the standby lacks something that it needs to serve.
	ReasonStandbyNotReady = "StandbyNotReady"
	// ReasonPeerUnreachable: the other site's state cannot be read.
	ReasonPeerUnreachable = "PeerUnreachable"
	// ReasonReplicationBehind: the standby does not have all that was acknowledged.
	ReasonReplicationBehind = "ReplicationBehind"
	// ReasonServingAlone: a service that waits for both sites acknowledges without the other one.
	ReasonServingAlone = "ServingAlone"
	// ReasonWitnessSilent: the witness does not answer.
	ReasonWitnessSilent = "WitnessSilent"
	// ReasonVoteLost: this site was active, another is now, and what only this one holds has to
	// be looked at before it follows.
	ReasonVoteLost = "VoteLost"
)
