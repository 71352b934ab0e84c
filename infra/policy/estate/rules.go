// SPDX-License-Identifier: Apache-2.0

// Package estate is the rules over whatever an environment is made of: where its
// data may be, what it may refer to, whose it is, and what must not be lost.
package estate

import "spine.nhs.uk/controlplane/infra/policy"

// Rules are this package's.
func Rules() []policy.Rule {
	return []policy.Rule{
		{
			Name: "residency", Severity: policy.Mandatory,
			Controls: []policy.Control{{Framework: policy.NCSC, ID: "2.1"}},
			Explanation: "Data, backups, logs and telemetry stay in the United Kingdom: of AWS, only the region eu-west-2 " +
				"is used and referred to.",
			Fix:   "Use eu-west-2; for anything else an approval is needed, as a waiver with its name and date.",
			Check: residency,
		},
		{
			Name: "fenced-environments", Severity: policy.Mandatory,
			Controls: []policy.Control{{Framework: policy.NCSC, ID: "3"}, {Framework: policy.NCSC, ID: "9"}},
			Explanation: "Live and other environments are fenced off from each other: they have different accounts, and " +
				"neither refers to the other's resources. Only the account that keeps the environment's backups may be named beside its own.",
			Fix:        "Refer to the environment's own account and stacks; promote by pulling an artefact.",
			CheckStack: fenced,
		},
		{
			Name: "provider-account", Severity: policy.Mandatory,
			Controls: []policy.Control{{Framework: policy.NCSC, ID: "3"}, {Framework: policy.NCSC, ID: "12"}},
			Types:    []string{awsProvider},
			Explanation: "An AWS provider names the one account that it may touch, so that credentials of another " +
				"environment do nothing.",
			Fix: "Set allowedAccountIds of the provider to the environment's account.",
			Check: policy.Demands(policy.Demand{
				Path: policy.Path{"allowedAccountIds"}, Wanted: "a list of exactly one account",
				Met: func(n policy.Node) bool { return len(n.Items()) == 1 },
			}),
		},
		{
			Name: "explicit-provider", Severity: policy.Mandatory,
			Controls:    []policy.Control{{Framework: policy.NCSC, ID: "3"}, {Framework: policy.NCSC, ID: "12"}},
			Types:       []string{"aws:*"},
			Explanation: "AWS resources have a provider of the program's own: a default one takes whatever credentials and region it finds.",
			Fix:         "Pass the environment's provider: pulumi.Provider(p), or the component's parent.",
			Check:       explicitProvider,
		},
		{
			Name: "owned", Severity: policy.Mandatory,
			Controls:    []policy.Control{{Framework: policy.NCSC, ID: "4"}, {Framework: policy.NCSC, ID: "13"}},
			Types:       []string{awsProvider, "spine:kubernetes:Manifests"},
			Explanation: "Everything says which environment it belongs to and who answers for it: cost, alerts and audits go by that.",
			Fix:         "Set the labels or default tags " + environmentTag + " and " + ownerTag + " (package tags makes them).",
			Check:       owned,
		},
		{
			Name: "protected", Severity: policy.Mandatory,
			Controls: []policy.Control{
				{Framework: policy.NCSC, ID: "2.6"}, {Framework: policy.CAF, ID: "B5"}, {Framework: policy.Spine, ID: "5"},
			},
			Types: stateful,
			Explanation: "What holds data of a live environment is protected in Pulumi: an update or destroy that would " +
				"delete it is refused, until two people have taken the protection off.",
			Fix:   "Set pulumi.Protect(true).",
			Check: protected,
		},
		{
			Name: "never-discarded", Severity: policy.Mandatory,
			Controls: []policy.Control{
				{Framework: policy.CAF, ID: "B5"}, {Framework: policy.CAF, ID: "D1"}, {Framework: policy.Spine, ID: "5"},
			},
			Explanation: "No update of a live environment deletes or replaces what holds data. (The engine's own run of the " +
				"rules is not told of deletions: there, protection refuses them; reports over a plan show them by this rule.)",
			Fix:        "Keep the resource, or move its data first and waive this rule for the day on which it goes.",
			CheckStack: discarded,
		},
	}
}
