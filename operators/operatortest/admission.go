// SPDX-License-Identifier: Apache-2.0

package operatortest

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// lastPolicy refuses one ConfigMap that nobody makes.
const lastPolicy = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: last-policy}
spec:
  matchConstraints:
    resourceRules:
      - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}
  validations:
    - {expression: "object.metadata.name != 'last-policy'", message: "policies are in force"}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: last-policy}
spec: {policyName: last-policy, validationActions: [Deny]}
`

// enforced waits until the admission policies are in force. The API server takes them up a moment after they were made,
// in the order in which they were: a request that came before would be let through.
func (c *Cluster) enforced(ctx context.Context) error {
	if err := c.create(ctx, lastPolicy); err != nil {
		return err
	}
	probe := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "last-policy"}}
	var last error
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		last = c.Client.Create(ctx, probe.DeepCopy(), client.DryRunAll)
		return last != nil && strings.Contains(last.Error(), "policies are in force"), nil
	})
	if err != nil {
		return fmt.Errorf("admission policies: %w (a request that they refuse got: %v)", err, last)
	}
	return nil
}
