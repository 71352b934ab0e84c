// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Reasons of blockers. Each has a page of that name in runbooks/.
const (
	// ReasonQuorumAtRisk: a member is missing or changing already.
	ReasonQuorumAtRisk = "QuorumAtRisk"
	// ReasonStateUnknown: what the plan rests on could not be read.
	ReasonStateUnknown = "StateUnknown"
	// ReasonTargetNotFound: the service, host, instance or supplier does not exist.
	ReasonTargetNotFound = "TargetNotFound"
	// ReasonNotApplicable: the action makes no sense for the target as it is.
	ReasonNotApplicable = "NotApplicable"
	// ReasonRunElsewhere: the action is on members of an engine that somebody else runs.
	ReasonRunElsewhere = "RunElsewhere"
	// ReasonAsleep: the service is to be asleep, so there is nothing of it to act on.
	ReasonAsleep = "Asleep"
	// ReasonOtherOperation: another operation holds the lease of the target.
	ReasonOtherOperation = "OtherOperation"
	// ReasonCoolingDown: an operation on the target ended too short a time ago.
	ReasonCoolingDown = "CoolingDown"
	// ReasonWindowClosed: the change window is closed.
	ReasonWindowClosed = "WindowClosed"
	// ReasonPlanChanged: the plan is not the one that was agreed to.
	ReasonPlanChanged = "PlanChanged"
	// ReasonApprovalMissing: nobody else has approved this plan.
	ReasonApprovalMissing = "ApprovalMissing"
	// ReasonApprovalExpired: the approval of this plan has run out.
	ReasonApprovalExpired = "ApprovalExpired"
	// ReasonWorkAtRisk: acknowledged, unprocessed work would be lost.
	ReasonWorkAtRisk = "WorkAtRisk"
	// ReasonHostUnmanaged: the host has no BMC in the inventory, or it does not answer.
	ReasonHostUnmanaged = "HostUnmanaged"
	// ReasonManyHostsDown: several hosts are silent at once, so nothing is fenced.
	ReasonManyHostsDown = "ManyHostsDown"
	// ReasonStepFailed: a step failed or took too long.
	ReasonStepFailed = "StepFailed"
	// ReasonStepUncertain: it is not known whether a step that must not be repeated was carried out.
	ReasonStepUncertain = "StepUncertain"
	// ReasonLossOverLimit: a failover would lose more acknowledged work than it may.
	ReasonLossOverLimit = "LossOverLimit"
	// ReasonLossUnknown: nobody can tell what a failover would lose.
	ReasonLossUnknown = "LossUnknown"
	// ReasonSourceServing: the other site may still acknowledge, and does not answer.
	ReasonSourceServing = "SourceServing"
	// ReasonWitnessSilent: the witness does not answer, so no site may take over.
	ReasonWitnessSilent = "WitnessSilent"
	// ReasonStandbyNotReady: the site that is to serve lacks something that it needs for it.
	ReasonStandbyNotReady = "StandbyNotReady"
)

// RunbookReasons lists the reasons that have a page in runbooks/.
func RunbookReasons() []string {
	return []string{
		ReasonQuorumAtRisk, ReasonStateUnknown, ReasonTargetNotFound, ReasonNotApplicable, ReasonRunElsewhere, ReasonAsleep, ReasonOtherOperation,
		ReasonCoolingDown, ReasonWindowClosed, ReasonPlanChanged, ReasonApprovalMissing, ReasonApprovalExpired,
		ReasonWorkAtRisk, ReasonHostUnmanaged, ReasonManyHostsDown, ReasonStepFailed, ReasonStepUncertain,
		ReasonLossOverLimit, ReasonLossUnknown, ReasonSourceServing, ReasonWitnessSilent, ReasonStandbyNotReady,
	}
}
