// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"fmt"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// approvalOf is what an approval has to be of.
type approvalOf struct {
	// kind and name of the operation, and when it was made: an approval of an older operation
	// of the same name is none.
	kind, name string
	created    time.Time
	// requester and digest that the approval must name.
	requester, digest string
	// maxAge of the approval.
	maxAge time.Duration
}

// approved finds an approval that holds now, or says what is missing. Admission has seen to
// it that an approver is who they say; the rest is checked here again.
func approved(all []api.Approval, of approvalOf, now time.Time) (*api.Approval, *api.Blocker) {
	var stale *api.Approval
	for i := range all {
		s := &all[i].Spec
		if s.Operation.Kind != of.kind || s.Operation.Name != of.name || s.PlanDigest != of.digest ||
			s.Requester != of.requester || s.Approver == of.requester || s.Approver == "" ||
			all[i].CreationTimestamp.Time.Before(of.created) || !all[i].DeletionTimestamp.IsZero() {
			continue
		}
		if now.Before(s.ExpiresAt.Time) && now.Sub(all[i].CreationTimestamp.Time) <= of.maxAge {
			return &all[i], nil
		}
		stale = &all[i]
	}
	if stale != nil {
		return nil, &api.Blocker{Reason: api.ReasonApprovalExpired, Waivable: true, Message: fmt.Sprintf(
			"the approval %s by %s has run out: somebody other than %s has to approve plan %s again",
			stale.Name, stale.Spec.Approver, of.requester, of.digest)}
	}
	return nil, &api.Blocker{Reason: api.ReasonApprovalMissing, Waivable: true, Message: fmt.Sprintf(
		"somebody other than %s has to approve plan %s of %s", of.requester, of.digest, of.name)}
}
