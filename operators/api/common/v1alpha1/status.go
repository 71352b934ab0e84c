// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// RolloutStatus is where the service's own program stands between two images.
type RolloutStatus struct {
	// currentImage is the image that the Deployment asks for. Empty before the first one.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	CurrentImage string `json:"currentImage,omitempty"`
	// lastGoodImage is the newest image with which every replica was available and the deep
	// probe passed. A failed change goes back to it. Empty until there was one.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	LastGoodImage string `json:"lastGoodImage,omitempty"`
	// rejectedImage is the image that a change was rolled back from. It is not tried again
	// until the specification asks for another one. Empty when nothing was rolled back.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	RejectedImage string `json:"rejectedImage,omitempty"`
	// startedAt is when the change in progress began. Absent when there is none.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`
	// probePassedTime is when the deep probe last passed through every ready replica with
	// currentImage, since startedAt. Absent when it has not, or when no change is in progress.
	// Probes through replicas with another image do not count.
	// +optional
	ProbePassedTime *metav1.Time `json:"probePassedTime,omitempty"`
	// probeFailures is how many probes through replicas with currentImage have failed in a
	// row, since startedAt.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ProbeFailures int32 `json:"probeFailures,omitempty"`
}

// ProbeStatus is what the deep probe has seen.
type ProbeStatus struct {
	// lastTime is when the last probe ended. Absent before the first one.
	// +optional
	LastTime *metav1.Time `json:"lastTime,omitempty"`
	// lastSuccessTime is when a probe last passed. Absent when none has.
	// +optional
	LastSuccessTime *metav1.Time `json:"lastSuccessTime,omitempty"`
	// consecutiveFailures is how many probes have failed since the last success.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ConsecutiveFailures int32 `json:"consecutiveFailures,omitempty"`
	// failedStage is the stage of the path at which the last probe failed. Empty when it passed.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	FailedStage string `json:"failedStage,omitempty"`
	// failedReplica is the pod through which the last probe failed, where a probe at the service's
	// own address got through at the same time. Empty when none failed, or that one did too.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	FailedReplica string `json:"failedReplica,omitempty"`
	// milliseconds that the last probe took.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Milliseconds int64 `json:"milliseconds,omitempty"`
}

// Address is one place where clients reach the service.
type Address struct {
	// name of the interface: mesh, bulk, api.
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// address is host:port.
	// +kubebuilder:validation:MaxLength=300
	Address string `json:"address"`
}

// Redundancy counts members that are well against members that should be.
type Redundancy struct {
	// summary for people, e.g. "3/3 db, 2/3 broker, 2/2 gateway".
	// +optional
	// +kubebuilder:validation:MaxLength=100
	Summary string `json:"summary,omitempty"`
	// database instances that are ready. Absent when it is not known.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	Database *int32 `json:"database,omitempty"`
	// broker replicas that are ready. Absent when it is not known or there is no broker.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	Broker *int32 `json:"broker,omitempty"`
	// workload replicas of the service's own program that are available. Absent when it is
	// not known.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=50
	Workload *int32 `json:"workload,omitempty"`
	// astray instances of the database are ready and do not receive what its primary writes, by the
	// primary's own word. They are not counted: rebuild them (RebuildReplica).
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MaxLength=253
	Astray []string `json:"astray,omitempty"`
}
