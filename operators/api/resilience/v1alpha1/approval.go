// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// OperationRef names an operation in the approval's own namespace.
type OperationRef struct {
	// kind: ServiceRecovery or Failover.
	// +kubebuilder:validation:Enum=ServiceRecovery;Failover
	Kind string `json:"kind"`
	// name of the operation.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// ApprovalSpec is one person's yes. It cannot change.
//
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="an approval cannot change: delete it and give another one"
// +kubebuilder:validation:XValidation:rule="self.approver != self.requester",message="an operation is approved by another person than its requester"
type ApprovalSpec struct {
	// operation that is approved.
	Operation OperationRef `json:"operation"`
	// planDigest that was read: the operation's status.plan.digest.
	// +kubebuilder:validation:MaxLength=71
	// +kubebuilder:validation:Pattern=`^sha256:[a-f0-9]{64}$`
	PlanDigest string `json:"planDigest"`
	// approver is the user name, as the API server knows it, of whoever approves. Admission
	// refuses any other than the caller's.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Approver string `json:"approver"`
	// requester is the operation's requestedBy, whom the approver has to be different from.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Requester string `json:"requester"`
	// expiresAt ends the approval: at most 24 hours after it was given. An operation that
	// has begun by then is carried out to the end.
	ExpiresAt metav1.Time `json:"expiresAt"`
	// reason for the record.
	// +optional
	// +kubebuilder:validation:MaxLength=500
	Reason string `json:"reason,omitempty"`
}

// Approval is one person's yes to exactly one plan of one operation, until a time.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:categories=spine
// +kubebuilder:printcolumn:name="Operation",type=string,JSONPath=`.spec.operation.name`
// +kubebuilder:printcolumn:name="Approver",type=string,JSONPath=`.spec.approver`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.spec.expiresAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Approval struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the yes.
	Spec ApprovalSpec `json:"spec"`
}

// ApprovalList holds Approvals.
//
// +kubebuilder:object:root=true
type ApprovalList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// items of the list.
	Items []Approval `json:"items"`
}
