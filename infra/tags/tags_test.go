// SPDX-License-Identifier: Apache-2.0

package tags

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

func TestLabelsAreValid(t *testing.T) {
	labels := Tags{Environment: "local", Owner: "platform"}.Labels()
	if labels[Environment] != "local" || labels[Owner] != "platform" || labels[ManagedBy] != Manager {
		t.Errorf("labels are %v", labels)
	}
	for k, v := range labels {
		if msgs := append(validation.IsQualifiedName(k), validation.IsValidLabelValue(v)...); len(msgs) > 0 {
			t.Errorf("%s=%s: %v", k, v, msgs)
		}
	}
}
