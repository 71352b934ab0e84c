// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// OperationSpec is what every kind of operation is asked with. Only dryRun (from true to
// false), planDigest, abort and breakGlass may change after an operation was made.
//
// +kubebuilder:validation:XValidation:rule="self.requestedBy == oldSelf.requestedBy",message="requestedBy cannot change: make another operation"
// +kubebuilder:validation:XValidation:rule="self.reason == oldSelf.reason",message="reason cannot change: make another operation"
// +kubebuilder:validation:XValidation:rule="oldSelf.dryRun || !self.dryRun",message="an operation that runs cannot become a dry run: use abort"
// +kubebuilder:validation:XValidation:rule="oldSelf.dryRun || (has(self.planDigest) == has(oldSelf.planDigest) && (!has(self.planDigest) || self.planDigest == oldSelf.planDigest))",message="planDigest cannot change once the operation runs"
// +kubebuilder:validation:XValidation:rule="!(has(oldSelf.abort) && oldSelf.abort) || (has(self.abort) && self.abort)",message="abort cannot be taken back"
// +kubebuilder:validation:XValidation:rule="self.dryRun || has(self.planDigest)",message="planDigest is required with dryRun false: make a dry run, read its plan, and give the status.plan.digest that you agree to"
type OperationSpec struct {
	// requestedBy is the user name, as the API server knows it, of whoever asks. Admission
	// refuses any other than the caller's.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	RequestedBy string `json:"requestedBy"`
	// reason for the record: what is wrong, with the number of the incident or change.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=500
	Reason string `json:"reason"`
	// dryRun, the default, ends with the plan. The real run is the same operation with dryRun
	// false and the plan's digest.
	// +optional
	// +kubebuilder:default=true
	DryRun *bool `json:"dryRun,omitempty"`
	// planDigest is the plan that the requester has read and agrees to. Another plan is not run.
	// +optional
	// +kubebuilder:validation:MaxLength=71
	// +kubebuilder:validation:Pattern=`^sha256:[a-f0-9]{64}$`
	PlanDigest string `json:"planDigest,omitempty"`
	// abort ends the operation before its next step, or at once during one that is interruptible,
	// until the plan's point of no return.
	// +optional
	Abort bool `json:"abort,omitempty"`
	// breakGlass goes on without the approval or outside the change window that is missing.
	// Safety is not waived. It is recorded, and told as a warning.
	// +optional
	BreakGlass *BreakGlass `json:"breakGlass,omitempty"`
}

// BreakGlass is a person's decision to act without the approval that the rules ask for.
type BreakGlass struct {
	// reason for the record.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=500
	Reason string `json:"reason"`
}

// Phase of an operation.
//
// +kubebuilder:validation:Enum=Planning;Planned;Blocked;AwaitingApproval;Running;Verifying;Succeeded;Failed;Aborted
type Phase string

// Phases. Succeeded, Failed and Aborted are the ends of a real run.
const (
	// PhasePlanning: the real run was asked for and is being planned, or takes its leases.
	PhasePlanning Phase = "Planning"
	// PhasePlanned: the end of a dry run. Nothing blocks, and nothing was changed.
	PhasePlanned Phase = "Planned"
	// PhaseBlocked: blockers say what holds it back. It is planned anew until they are gone, a
	// real run for an hour, or for a day where only the change window is closed.
	PhaseBlocked Phase = "Blocked"
	// PhaseAwaitingApproval: only another person's yes is missing. It waits for a day.
	PhaseAwaitingApproval Phase = "AwaitingApproval"
	// PhaseRunning: the plan is frozen, and its steps are carried out.
	PhaseRunning Phase = "Running"
	// PhaseVerifying: all steps were done; the whole has to be well again within 30 minutes.
	PhaseVerifying Phase = "Verifying"
	// PhaseSucceeded: all is well, and the evidence says so.
	PhaseSucceeded Phase = "Succeeded"
	// PhaseFailed: a step failed or took too long, or the whole did not become well. What was
	// done stays done; blockers name the page that says what to do.
	PhaseFailed Phase = "Failed"
	// PhaseAborted: a person ended it before its next step, or it waited too long to begin.
	PhaseAborted Phase = "Aborted"
)

// Ended says that nothing more will happen to an operation in this phase.
func (p Phase) Ended() bool {
	return p == PhaseSucceeded || p == PhaseFailed || p == PhaseAborted
}

// OperationStatus is what every kind of operation records.
type OperationStatus struct {
	// observedGeneration is the generation that was last looked at.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// phase of the operation.
	// +optional
	Phase Phase `json:"phase,omitempty"`
	// message explains the phase in a sentence.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
	// plan as it was last made; frozen when the first step begins.
	// +optional
	Plan *Plan `json:"plan,omitempty"`
	// blockers that hold the operation back now. Each reason has a page in runbooks/.
	// +optional
	// +listType=map
	// +listMapKey=reason
	// +kubebuilder:validation:MaxItems=20
	Blockers []Blocker `json:"blockers,omitempty"`
	// steps as they were carried out, in the plan's order. Empty before the first begins.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Steps []StepStatus `json:"steps,omitempty"`
	// leases that it holds or may hold: recorded before they are taken, cleared when they are
	// given back.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=253
	Leases []string `json:"leases,omitempty"`
	// fencingToken grows with each operation on the same resource; each act carries it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	FencingToken int64 `json:"fencingToken,omitempty"`
	// approval that was used: its name, and who gave it.
	// +optional
	// +kubebuilder:validation:MaxLength=510
	Approval string `json:"approval,omitempty"`
	// evidence of what happened.
	// +optional
	Evidence *Evidence `json:"evidence,omitempty"`
	// askedAt is when the real run was first looked at. It has to begin within a day.
	// +optional
	AskedAt *metav1.Time `json:"askedAt,omitempty"`
	// startedAt is when the real run began.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`
	// endedAt is when it ended.
	// +optional
	EndedAt *metav1.Time `json:"endedAt,omitempty"`
}

// Plan is what an operation will do. Its digest covers all of it but expectedSeconds and
// predictedLoss, and the inputs that it was made from.
type Plan struct {
	// digest of the plan: sha256:HEX.
	// +kubebuilder:validation:MaxLength=71
	// +kubebuilder:validation:Pattern=`^sha256:[a-f0-9]{64}$`
	Digest string `json:"digest"`
	// summary in a sentence.
	// +kubebuilder:validation:MaxLength=1024
	Summary string `json:"summary"`
	// steps in order.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Steps []PlannedStep `json:"steps"`
	// inputs that the plan was made from and that change it, in words, e.g. "image: ...".
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=500
	Inputs []string `json:"inputs,omitempty"`
	// pointOfNoReturn is the step from which on the operation is not aborted. Empty: it can
	// be aborted between any two steps.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	PointOfNoReturn string `json:"pointOfNoReturn,omitempty"`
	// expectedSeconds that the whole takes.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ExpectedSeconds int32 `json:"expectedSeconds,omitempty"`
	// predictedLoss of acknowledged work.
	PredictedLoss Loss `json:"predictedLoss"`
	// disruptive says that it takes something away from clients or from redundancy for a while:
	// it waits for the change window, and until its target has rested from the last operation.
	// +optional
	Disruptive bool `json:"disruptive,omitempty"`
	// needsApproval says that another person has to agree to this digest.
	// +optional
	NeedsApproval bool `json:"needsApproval,omitempty"`
	// madeAt is when the plan was made.
	MadeAt metav1.Time `json:"madeAt"`
}

// PlannedStep is one step of a plan.
type PlannedStep struct {
	// name of the step, unique in the plan, e.g. "restart-broker-2".
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// summary of what it will do, in a sentence.
	// +kubebuilder:validation:MaxLength=500
	Summary string `json:"summary"`
	// touches names what it changes, as "Kind namespace/name".
	// +optional
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=300
	Touches []string `json:"touches,omitempty"`
	// destructive steps take something away that does not come back by itself.
	// +optional
	Destructive bool `json:"destructive,omitempty"`
	// repeatable steps may be carried out again when it is not known whether they were.
	// +optional
	Repeatable bool `json:"repeatable,omitempty"`
	// interruptible steps may be left as they are, half done: an abort does not wait for their end.
	// +optional
	Interruptible bool `json:"interruptible,omitempty"`
	// expectedSeconds that it takes.
	// +kubebuilder:validation:Minimum=0
	ExpectedSeconds int32 `json:"expectedSeconds"`
	// timeoutSeconds after which it has failed.
	// +kubebuilder:validation:Minimum=1
	TimeoutSeconds int32 `json:"timeoutSeconds"`
}

// Loss of acknowledged work.
type Loss struct {
	// messages that would be or were lost. -1: nobody can tell.
	// +kubebuilder:validation:Minimum=-1
	Messages int64 `json:"messages"`
	// seconds of acknowledged work that would be or were lost. -1: nobody can tell.
	// +kubebuilder:validation:Minimum=-1
	Seconds int64 `json:"seconds"`
}

// Blocker is why an operation does not go on.
type Blocker struct {
	// reason in one word, which has a page in runbooks/.
	// +kubebuilder:validation:MaxLength=63
	Reason string `json:"reason"`
	// message for people: what is wrong, what was expected, what to do.
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message"`
	// waivable by breakGlass: an approval or a change window, never safety.
	// +optional
	Waivable bool `json:"waivable,omitempty"`
}

// StepState of a step.
//
// +kubebuilder:validation:Enum=Pending;Running;Succeeded;Failed
type StepState string

// States of a step.
const (
	StepPending   StepState = "Pending"
	StepRunning   StepState = "Running"
	StepSucceeded StepState = "Succeeded"
	StepFailed    StepState = "Failed"
)

// StepStatus is one step as it was carried out.
type StepStatus struct {
	// name of the planned step.
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// state of the step. Running is recorded before its act.
	State StepState `json:"state"`
	// acts counts how often its act was begun.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Acts int32 `json:"acts,omitempty"`
	// acted says that its act returned. While it is false in a step that is Running, the act
	// was cut off, or failed, and it is not known whether it took effect.
	// +optional
	Acted bool `json:"acted,omitempty"`
	// memo is what the step has to know to go on after a restart of the operator.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Memo string `json:"memo,omitempty"`
	// message: what it waits for, what it did, or why it failed.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
	// waitingSince is when something began to hold its act back. Absent when nothing does.
	// +optional
	WaitingSince *metav1.Time `json:"waitingSince,omitempty"`
	// startedAt is when its act was first begun.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`
	// endedAt is when it ended.
	// +optional
	EndedAt *metav1.Time `json:"endedAt,omitempty"`
}

// Evidence of what an operation met and did.
type Evidence struct {
	// predictedLoss of the plan that was run, measuredLoss afterwards.
	PredictedLoss Loss `json:"predictedLoss"`
	// +optional
	MeasuredLoss *Loss `json:"measuredLoss,omitempty"`
	// backlogBefore: acknowledged, unprocessed messages or events when the plan was made.
	// +optional
	// +kubebuilder:validation:Minimum=0
	BacklogBefore *int64 `json:"backlogBefore,omitempty"`
	// backlogAfter: the same when the operation ended.
	// +optional
	// +kubebuilder:validation:Minimum=0
	BacklogAfter *int64 `json:"backlogAfter,omitempty"`
	// recoverySeconds from the first step until the deep probe was green and the backlog drained.
	// +optional
	// +kubebuilder:validation:Minimum=0
	RecoverySeconds *int64 `json:"recoverySeconds,omitempty"`
	// notes, one sentence each, e.g. "14 messages of supplier X were put back".
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=500
	Notes []string `json:"notes,omitempty"`
}
