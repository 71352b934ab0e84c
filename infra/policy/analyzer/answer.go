// SPDX-License-Identifier: Apache-2.0

package analyzer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"spine.nhs.uk/controlplane/infra/policy"
)

// waiversPolicy is the name under which account is given of the waivers.
const waiversPolicy = "waivers"

// GetAnalyzerInfo lists the rules.
func (a *Analyzer) GetAnalyzerInfo() (plugin.AnalyzerInfo, error) {
	info := plugin.AnalyzerInfo{
		Name: Name, Version: Version, DisplayName: "Spine rules",
		Policies: []plugin.AnalyzerPolicyInfo{{
			Name: waiversPolicy, EnforcementLevel: apitype.Advisory, Type: plugin.AnalyzerPolicyTypeStack,
			Description: "What the environment's waivers let pass, until when, and which have outlived their reason.",
		}},
	}
	for _, rule := range a.rules {
		kind := plugin.AnalyzerPolicyTypeResource
		if rule.CheckStack != nil {
			kind = plugin.AnalyzerPolicyTypeStack
		}
		level := enforcement(rule.Severity)
		if rule.Remediate != nil {
			level = apitype.Remediate
		}
		var tags []string
		for _, c := range rule.Controls {
			tags = append(tags, c.String())
		}
		info.Policies = append(info.Policies, plugin.AnalyzerPolicyInfo{
			Name: rule.Name, Description: rule.Explanation, EnforcementLevel: level, Type: kind,
			RemediationSteps: rule.Fix, Tags: tags,
		})
	}
	return info, nil
}

func enforcement(s policy.Severity) apitype.EnforcementLevel {
	if s == policy.Mandatory {
		return apitype.Mandatory
	}
	return apitype.Advisory
}

// answer is what the engine is told. A waived result is shown, and stops nothing.
func (a *Analyzer) answer(results []policy.Result) plugin.AnalyzeResponse {
	var response plugin.AnalyzeResponse
	for _, r := range results {
		level := enforcement(r.Severity)
		if r.WaivedBy != nil {
			level = apitype.Advisory
		}
		response.Diagnostics = append(response.Diagnostics, plugin.AnalyzeDiagnostic{
			PolicyName: r.Rule, PolicyPackName: Name, PolicyPackVersion: Version,
			EnforcementLevel: level, URN: resource.URN(r.URN), Message: a.secrets.strike(describe(r)),
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
func (a *Analyzer) account(w policy.WaiverUse) plugin.AnalyzeDiagnostic {
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
	return plugin.AnalyzeDiagnostic{
		PolicyName: waiversPolicy, PolicyPackName: Name, PolicyPackVersion: Version,
		EnforcementLevel: apitype.Advisory, Message: a.secrets.strike(what),
	}
}
