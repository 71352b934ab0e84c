// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// StalledError is what no retry mends: a person has to change something. It is reported
// as the Stalled condition and looked at again only slowly.
type StalledError struct {
	// Reason of the condition, one of the common reasons.
	Reason string
	// Message for people: what is wrong, what was expected, what to do.
	Message string
}

func (e *StalledError) Error() string { return e.Message }

// Stalled makes a StalledError.
func Stalled(reason, format string, args ...any) error {
	return &StalledError{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// AsStalled returns the StalledError within err, or nil.
func AsStalled(err error) *StalledError {
	var s *StalledError
	if errors.As(err, &s) {
		return s
	}
	return nil
}

// explain turns answers of the API server that no retry mends into a StalledError.
func explain(err error, what string) error {
	switch {
	case err == nil:
		return nil
	case meta.IsNoMatchError(err):
		return Stalled(common.ReasonEngineMissing, "%s cannot be made: the cluster does not know its kind; install the operator that brings it", what)
	case apierrors.IsInvalid(err), apierrors.IsForbidden(err) && !isTerminating(err), apierrors.IsBadRequest(err):
		return Stalled(common.ReasonChildRefused, "the API server refuses %s: %v", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// isTerminating: a namespace that is going away refuses everything, and is no mistake.
func isTerminating(err error) bool {
	return apierrors.HasStatusCause(err, "NamespaceTerminating")
}
