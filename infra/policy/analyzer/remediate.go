// SPDX-License-Identifier: Apache-2.0

package analyzer

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"

	"spine.nhs.uk/controlplane/infra/policy"
)

// whole keeps all that properties have, for they go back to the engine.
var whole = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true}

// Remediate puts right what rules can put right by themselves, unless a waiver
// covers it. Of most resources nothing is read: no such rule concerns them.
func (a *Analyzer) Remediate(_ context.Context, r *pulumirpc.AnalyzeRequest) (*pulumirpc.RemediateResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	response := &pulumirpc.RemediateResponse{}
	for _, rule := range a.rules {
		if rule.Remediate == nil || !rule.Concerns(r.GetType()) {
			continue
		}
		planned, err := a.planned(r)
		if err != nil {
			return nil, err
		}
		if !a.stands(rule, planned) {
			continue
		}
		properties, err := edited(r.GetProperties(), rule.Remediate(planned))
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", rule.Name, r.GetUrn(), err)
		}
		// What the next rule sees is what this one has put right.
		r = &pulumirpc.AnalyzeRequest{
			Urn: r.GetUrn(), Type: r.GetType(), Name: r.GetName(), Options: r.GetOptions(), Provider: r.GetProvider(),
			Properties: properties,
		}
		response.Remediations = append(response.Remediations, &pulumirpc.Remediation{
			PolicyName: rule.Name, PolicyPackName: Name, PolicyPackVersion: Version,
			Description: rule.Explanation, Properties: properties,
		})
	}
	return response, nil
}

// edited are properties with edits.
func edited(sent *structpb.Struct, edits []policy.Edit) (*structpb.Struct, error) {
	properties, err := plugin.UnmarshalProperties(sent, whole)
	if err != nil {
		return nil, err
	}
	value := resource.NewObjectProperty(properties)
	for _, edit := range edits {
		changed, ok := edit.Path.Add(value, resource.NewPropertyValue(edit.Value))
		if !ok {
			return nil, fmt.Errorf("%s cannot be set", edit.Path)
		}
		value = changed
	}
	return plugin.MarshalProperties(value.ObjectValue(), whole)
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
