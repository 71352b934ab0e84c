// SPDX-License-Identifier: Apache-2.0

package analyzer

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"spine.nhs.uk/controlplane/infra/policy"
)

// Remediate puts right what rules can put right by themselves, unless a waiver
// covers it.
func (a *Analyzer) Remediate(r plugin.AnalyzerResource) (plugin.RemediateResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var response plugin.RemediateResponse
	properties := resource.NewObjectProperty(r.Properties)
	for _, rule := range a.rules {
		if rule.Remediate == nil || !rule.Concerns(string(r.Type)) {
			continue
		}
		planned := a.planned(r)
		if !a.stands(rule, planned) {
			continue
		}
		for _, edit := range rule.Remediate(planned) {
			changed, ok := edit.Path.Add(properties, resource.NewPropertyValue(edit.Value))
			if !ok {
				return response, fmt.Errorf("%s: %s of %s cannot be set", rule.Name, edit.Path, r.URN)
			}
			properties = changed
		}
		r.Properties = properties.ObjectValue()
		response.Remediations = append(response.Remediations, plugin.Remediation{
			PolicyName: rule.Name, PolicyPackName: Name, PolicyPackVersion: Version,
			Description: rule.Explanation, URN: r.URN, Properties: r.Properties,
		})
	}
	return response, nil
}

// stands says whether the rule has found something that no waiver covers.
func (a *Analyzer) stands(rule policy.Rule, r policy.Resource) bool {
	found := policy.CheckResource([]policy.Rule{rule}, r, a.of(r))
	for _, result := range policy.Waive(found, a.waivers, a.now).Results {
		if result.WaivedBy == nil {
			return true
		}
	}
	return false
}
