// SPDX-License-Identifier: Apache-2.0

package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// statusReport is what `status -o json` writes: all that the screen shows. Fields are only
// ever added.
type statusReport struct {
	// At is when it was read.
	At metav1.Time `json:"at"`
	// Well says that no site has a problem.
	Well  bool         `json:"well"`
	Sites []siteStatus `json:"sites"`
}

// siteStatus is one cluster.
type siteStatus struct {
	Context string `json:"context"`
	Server  string `json:"server,omitempty"`
	// Answers says that the API server did; nothing else is known where it did not.
	Answers bool `json:"answers"`
	// Hosts are null when they could not be read.
	Hosts      []hostStatus    `json:"hosts"`
	Services   []serviceStatus `json:"services"`
	Operations []operationLine `json:"operations"`
	// Pair is the site's part in a pair of sites; absent where there is one site.
	Pair     *pairStatus `json:"pair,omitempty"`
	Problems []problem   `json:"problems"`

	// failed is why the site could not be read at all.
	failed error
}

type hostStatus struct {
	Name  string `json:"name"`
	Rack  string `json:"rack,omitempty"`
	Ready bool   `json:"ready"`
	// State in words: "Ready", "NOT READY", with what else is the matter.
	State string `json:"state"`
	// Since is when Ready last changed.
	Since *metav1.Time `json:"since,omitempty"`
}

type serviceStatus struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Ready     bool   `json:"ready"`
	// State in words: "ready", "asleep", "falling asleep", "waking", "NOT READY", "UNKNOWN",
	// "being deleted".
	State      string `json:"state"`
	Redundancy string `json:"redundancy,omitempty"`
	// AtRisk is what the loss of one more disk could lose: messages, or words.
	AtRisk string `json:"atRisk,omitempty"`
	// Backlog of messages or events; nil when nobody has counted it.
	Backlog *int64 `json:"backlog,omitempty"`
	// OpenIssues of a booking service.
	OpenIssues *int64       `json:"openIssues,omitempty"`
	Oldest     *metav1.Time `json:"oldest,omitempty"`
	// Sleep is the phase of a service that can sleep.
	Sleep common.SleepPhase `json:"sleep,omitempty"`
}

func (s serviceStatus) name() string { return s.Namespace + "/" + s.Name }

type operationLine struct {
	Namespace   string      `json:"namespace"`
	Name        string      `json:"name"`
	Action      string      `json:"action"`
	Target      string      `json:"target"`
	Phase       string      `json:"phase"`
	DryRun      bool        `json:"dryRun"`
	Step        string      `json:"step,omitempty"`
	RequestedBy string      `json:"requestedBy"`
	Created     metav1.Time `json:"created"`
}

// problem is something that is not well.
type problem struct {
	// Reason in one word.
	Reason string `json:"reason"`
	// Object that it is about, e.g. "spine-messaging/spine" or "host b".
	Object  string       `json:"object"`
	Message string       `json:"message"`
	Since   *metav1.Time `json:"since,omitempty"`
	// Page is the command that shows what to do; empty when there is no page.
	Page string `json:"page,omitempty"`
}
