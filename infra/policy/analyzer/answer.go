// SPDX-License-Identifier: Apache-2.0

package analyzer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"spine.nhs.uk/controlplane/infra/policy"
)

// waiversPolicy is the name under which account is given of the waivers.
const waiversPolicy = "waivers"

// GetAnalyzerInfo lists the rules.
func (a *Analyzer) GetAnalyzerInfo(context.Context, *emptypb.Empty) (*pulumirpc.AnalyzerInfo, error) {
	info := &pulumirpc.AnalyzerInfo{
		Name: Name, Version: Version, DisplayName: "Spine rules",
		Policies: []*pulumirpc.PolicyInfo{{
			Name: waiversPolicy, EnforcementLevel: pulumirpc.EnforcementLevel_ADVISORY, PolicyType: pulumirpc.PolicyType_POLICY_TYPE_STACK,
			Description: "What the environment's waivers let pass, until when, and which have outlived their reason.",
		}},
	}
	for _, rule := range a.rules {
		kind := pulumirpc.PolicyType_POLICY_TYPE_RESOURCE
		if rule.CheckStack != nil {
			kind = pulumirpc.PolicyType_POLICY_TYPE_STACK
		}
		level := enforcement(rule.Severity)
		if rule.Remediate != nil {
			level = pulumirpc.EnforcementLevel_REMEDIATE
		}
		var tags []string
		for _, c := range rule.Controls {
			tags = append(tags, c.String())
		}
		info.Policies = append(info.Policies, &pulumirpc.PolicyInfo{
			Name: rule.Name, Description: rule.Explanation, EnforcementLevel: level, PolicyType: kind,
			RemediationSteps: rule.Fix, Tags: tags,
		})
	}
	return info, nil
}

func enforcement(s policy.Severity) pulumirpc.EnforcementLevel {
	if s == policy.Mandatory {
		return pulumirpc.EnforcementLevel_MANDATORY
	}
	return pulumirpc.EnforcementLevel_ADVISORY
}

// answer is what the engine is told. A waived result is shown, and stops nothing.
func (a *Analyzer) answer(results []policy.Result) *pulumirpc.AnalyzeResponse {
	response := &pulumirpc.AnalyzeResponse{}
	for _, r := range results {
		level := enforcement(r.Severity)
		if r.WaivedBy != nil {
			level = pulumirpc.EnforcementLevel_ADVISORY
		}
		response.Diagnostics = append(response.Diagnostics, &pulumirpc.AnalyzeDiagnostic{
			PolicyName: r.Rule, PolicyPackName: Name, PolicyPackVersion: Version,
			EnforcementLevel: level, Urn: r.URN, Message: a.secrets.strike(describe(r)),
		})
	}
	return response
}

// describe is a result in words: where, what, which controls, and what to do.
func describe(r policy.Result) string {
	var b strings.Builder
	if r.Property != "" {
		b.WriteString(r.Property + ": ")
	}
	b.WriteString(r.Message + ".")
	if w := r.WaivedBy; w != nil {
		fmt.Fprintf(&b, "\nWaived until %s by %s: %s", w.Until, w.Owner, w.Reason)
		return b.String()
	}
	b.WriteString("\nFix: " + r.Fix)
	names := make([]string, len(r.Controls))
	for i, c := range r.Controls {
		names[i] = c.String()
	}
	fmt.Fprintf(&b, "\nControls: %s", strings.Join(names, ", "))
	return b.String()
}

// account says what a waiver does, or why it should go.
func (a *Analyzer) account(w policy.WaiverUse) *pulumirpc.AnalyzeDiagnostic {
	what := fmt.Sprintf("The waiver of %s for %s", w.Rule, w.Resource)
	if w.Property != "" {
		what += " at " + w.Property
	}
	known := slices.ContainsFunc(a.rules, func(r policy.Rule) bool { return r.Name == w.Rule })
	switch {
	case !known:
		what += " covers nothing: there is no such rule."
	case w.State == policy.Expired:
		what += fmt.Sprintf(" ended with %s and covers nothing any more: remove it.", w.Until)
	case w.State == policy.Pending:
		what += fmt.Sprintf(" begins on %s.", w.From)
	case w.Covers == 0:
		what += " covers nothing: remove it."
	default:
		what += fmt.Sprintf(" covers %d, until %s; %s answers for it: %s", w.Covers, w.Until, w.Owner, w.Reason)
	}
	return &pulumirpc.AnalyzeDiagnostic{
		PolicyName: waiversPolicy, PolicyPackName: Name, PolicyPackVersion: Version,
		EnforcementLevel: pulumirpc.EnforcementLevel_ADVISORY, Message: a.secrets.strike(what),
	}
}
