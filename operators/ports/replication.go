// SPDX-License-Identifier: Apache-2.0

package ports

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// ReplicationStatus is how the other site's database follows, as a program's /statusz says
// it. What is not known is nil.
type ReplicationStatus struct {
	// Streaming says that it receives what is written as it is written.
	Streaming bool `json:"streaming"`
	// BehindBytes of the log are known to be missing there.
	BehindBytes *int64 `json:"behindBytes"`
	// BehindSeconds is a ceiling: nothing that was written longer ago is missing there.
	BehindSeconds *int64 `json:"behindSeconds"`
	// At is when that was so.
	At time.Time `json:"at"`
}

// Site is the same as a service's status has it.
func (r *ReplicationStatus) Site() *common.SiteReplication {
	return &common.SiteReplication{
		Streaming: r.Streaming, BehindBytes: r.BehindBytes, BehindSeconds: r.BehindSeconds, ObservedTime: metav1.NewTime(r.At),
	}
}
