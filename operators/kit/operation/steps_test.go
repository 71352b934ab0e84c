// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"errors"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestPaceAfter(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "failoverpolicies"}, "site", errors.New("the object has been modified"))
	for name, test := range map[string]struct {
		err  error
		want time.Duration
	}{
		"another writer was first": {fmt.Errorf("the record that the vote is being taken: %w", conflict), 200 * time.Millisecond},
		"nobody answers":           {errors.New("the witness does not answer"), 3 * time.Second},
		"it may have come through": {fmt.Errorf("patch: %w", apierrors.NewTimeoutError("too slow", 1)), 3 * time.Second},
	} {
		if got := paceAfter(test.err); got != test.want {
			t.Errorf("%s: looked at again after %s, want %s", name, got, test.want)
		}
	}
}
