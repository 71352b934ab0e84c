// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Action of a ServiceRecovery.
//
// +kubebuilder:validation:Enum=RestartRolling;RebuildBroker;RebuildReplica;ReplayDeadLetters;QuarantineSupplier;ReleaseSupplier;ScaleOut;CompareSites;ResyncStandby;RestoreDatabase;DrainHost;ReturnHost;FenceHost
type Action string

// Actions on a service, and on a host.
const (
	// ActionRestartRolling restarts a part's members one after the other.
	ActionRestartRolling Action = "RestartRolling"
	// ActionRebuildBroker throws the broker's members and volumes away and dispatches again from the ledger.
	ActionRebuildBroker Action = "RebuildBroker"
	// ActionRebuildReplica throws one standby of the database away and copies it anew, or one member
	// of the broker, which begins anew and gets its replicas of the queues from the others.
	ActionRebuildReplica Action = "RebuildReplica"
	// ActionReplayDeadLetters puts a supplier's dead letters back on their way.
	ActionReplayDeadLetters Action = "ReplayDeadLetters"
	// ActionQuarantineSupplier stops deliveries to a supplier; messages for it are kept.
	ActionQuarantineSupplier Action = "QuarantineSupplier"
	// ActionReleaseSupplier starts them again.
	ActionReleaseSupplier Action = "ReleaseSupplier"
	// ActionScaleOut runs more replicas of the service's own program than its specification says.
	ActionScaleOut Action = "ScaleOut"
	// ActionCompareSites lists what the service's database at a site that lost its vote holds, and the one of the site that
	// serves does not. It changes nothing.
	ActionCompareSites Action = "CompareSites"
	// ActionResyncStandby throws the service's database at a site that does not serve away, and copies the other site's.
	ActionResyncStandby Action = "ResyncStandby"
	// ActionRestoreDatabase has the service go on with its database as it was at a time, and with
	// all that was accepted since: every message, or every referral in its latest state. A booking
	// that comes back to a slot which was given to another patient since becomes an appointment slot
	// issue.
	ActionRestoreDatabase Action = "RestoreDatabase"
	// ActionDrainHost moves everything off a host, for planned work.
	ActionDrainHost Action = "DrainHost"
	// ActionReturnHost takes a host back into service.
	ActionReturnHost Action = "ReturnHost"
	// ActionFenceHost switches a host off by its BMC and releases its pods and volumes.
	ActionFenceHost Action = "FenceHost"
)

// OnHost says that the action is on a host rather than on a service.
func (a Action) OnHost() bool {
	return a == ActionDrainHost || a == ActionReturnHost || a == ActionFenceHost
}

// ServiceRef names a service in the operation's own namespace.
type ServiceRef struct {
	// kind: MessagingService or BookingService.
	// +kubebuilder:validation:Enum=MessagingService;BookingService
	Kind string `json:"kind"`
	// name of the service.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
}

// Part of a service.
//
// +kubebuilder:validation:Enum=Database;Broker;Gateway;Service
type Part string

// Parts of services.
const (
	PartDatabase Part = "Database"
	PartBroker   Part = "Broker"
	PartGateway  Part = "Gateway"
	PartService  Part = "Service"
)

// ServiceRecoverySpec is one action on one service or host.
//
// +kubebuilder:validation:XValidation:rule="self.action == oldSelf.action && has(self.service) == has(oldSelf.service) && (!has(self.service) || self.service == oldSelf.service) && has(self.host) == has(oldSelf.host) && (!has(self.host) || self.host == oldSelf.host) && has(self.part) == has(oldSelf.part) && (!has(self.part) || self.part == oldSelf.part) && has(self.instance) == has(oldSelf.instance) && (!has(self.instance) || self.instance == oldSelf.instance) && has(self.supplier) == has(oldSelf.supplier) && (!has(self.supplier) || self.supplier == oldSelf.supplier) && has(self.replicas) == has(oldSelf.replicas) && (!has(self.replicas) || self.replicas == oldSelf.replicas) && has(self.acceptUnknownLoss) == has(oldSelf.acceptUnknownLoss) && (!has(self.acceptUnknownLoss) || self.acceptUnknownLoss == oldSelf.acceptUnknownLoss) && has(self.restoreTo) == has(oldSelf.restoreTo) && (!has(self.restoreTo) || self.restoreTo == oldSelf.restoreTo)",message="what an operation does cannot change: make another one"
// +kubebuilder:validation:XValidation:rule="(self.action in ['DrainHost', 'ReturnHost', 'FenceHost']) == has(self.host)",message="host is required for DrainHost, ReturnHost and FenceHost, and for no other action"
// +kubebuilder:validation:XValidation:rule="(self.action in ['DrainHost', 'ReturnHost', 'FenceHost']) != has(self.service)",message="service is required for this action (a host's actions take none)"
// +kubebuilder:validation:XValidation:rule="(self.action == 'RestartRolling') == has(self.part)",message="part is required for RestartRolling, and for no other action"
// +kubebuilder:validation:XValidation:rule="(self.action == 'RebuildReplica') == has(self.instance)",message="instance is required for RebuildReplica, and for no other action"
// +kubebuilder:validation:XValidation:rule="(self.action in ['ReplayDeadLetters', 'QuarantineSupplier', 'ReleaseSupplier']) == has(self.supplier)",message="supplier is required for ReplayDeadLetters, QuarantineSupplier and ReleaseSupplier, and for no other action"
// +kubebuilder:validation:XValidation:rule="(self.action == 'ScaleOut') == has(self.replicas)",message="replicas is required for ScaleOut, and for no other action"
// +kubebuilder:validation:XValidation:rule="(self.action == 'RestoreDatabase') == has(self.restoreTo)",message="restoreTo is required for RestoreDatabase, and for no other action"
// +kubebuilder:validation:XValidation:rule="self.action == 'ResyncStandby' || !has(self.acceptUnknownLoss)",message="acceptUnknownLoss is for ResyncStandby, and for no other action"
// +kubebuilder:validation:XValidation:rule="!has(self.service) || self.service.kind == 'MessagingService' || !(self.action in ['RebuildBroker', 'ReplayDeadLetters', 'QuarantineSupplier', 'ReleaseSupplier'])",message="this action is on a MessagingService: a BookingService has no broker and no suppliers"
// +kubebuilder:validation:XValidation:rule="!has(self.part) || !has(self.service) || (self.service.kind == 'MessagingService' ? self.part in ['Database', 'Broker', 'Gateway'] : self.part in ['Database', 'Service'])",message="part must be Database, Broker or Gateway of a MessagingService, Database or Service of a BookingService"
type ServiceRecoverySpec struct {
	OperationSpec `json:",inline"`
	// action to take.
	Action Action `json:"action"`
	// service that it is on, for the actions on services.
	// +optional
	Service *ServiceRef `json:"service,omitempty"`
	// host that it is on, by the name of its node, for the actions on hosts.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Host string `json:"host,omitempty"`
	// part that RestartRolling restarts.
	// +optional
	Part Part `json:"part,omitempty"`
	// instance of the database, or member of the broker, that RebuildReplica throws away, by the name
	// of its pod.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Instance string `json:"instance,omitempty"`
	// supplier, by its name in the service's specification.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Supplier string `json:"supplier,omitempty"`
	// replicas that ScaleOut runs from now on, instead of the specification's number: more
	// than that number, or exactly it to end the scaling. 2 to 20.
	// +optional
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=20
	Replicas int32 `json:"replicas,omitempty"`
	// restoreTo is the time whose state of the database RestoreDatabase brings back, RFC 3339: after
	// the first copy in the object store, and three minutes before now at the latest. What the
	// programs have written since is carried over.
	// +optional
	RestoreTo *metav1.Time `json:"restoreTo,omitempty"`
	// acceptUnknownLoss lets ResyncStandby throw a database away that may hold acknowledged work
	// which nobody else has.
	// +optional
	AcceptUnknownLoss *AcceptUnknownLoss `json:"acceptUnknownLoss,omitempty"`
}

// ServiceRecovery is one recovery action on one service (in that service's namespace) or
// on one host (in spine-system): planned, approved where that is asked for, carried out
// step by step, and proven.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=recovery,categories=spine
// +kubebuilder:printcolumn:name="Action",type=string,JSONPath=`.spec.action`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Dry run",type=boolean,JSONPath=`.spec.dryRun`
// +kubebuilder:printcolumn:name="By",type=string,JSONPath=`.spec.requestedBy`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ServiceRecovery struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what was asked for.
	Spec ServiceRecoverySpec `json:"spec"`
	// status is what became of it.
	// +optional
	Status OperationStatus `json:"status,omitzero"`
}

// ServiceRecoveryList holds ServiceRecoveries.
//
// +kubebuilder:object:root=true
type ServiceRecoveryList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// items of the list.
	Items []ServiceRecovery `json:"items"`
}
