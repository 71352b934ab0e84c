// SPDX-License-Identifier: Apache-2.0

package aws

import (
	"encoding/json"
	"slices"

	"spine.nhs.uk/controlplane/infra/policy"
)

// policyProperties are where resources have documents of IAM.
var policyProperties = []string{"policy", "assumeRolePolicy", "accessPolicies"}

func identityRules() []policy.Rule {
	documents := []string{
		"aws:iam/*", "aws:kms/key:Key", "aws:kms/keyPolicy:KeyPolicy", "aws:s3/bucketPolicy:BucketPolicy", "aws:sqs/queue*",
		"aws:sns/topic*", "aws:secretsmanager/secretPolicy:SecretPolicy", "aws:ecr/repositoryPolicy:RepositoryPolicy",
	}
	return []policy.Rule{
		{
			Name: "least-privilege", Controls: append(cis("1.16"), ncsc("9")...), Types: []string{"aws:iam/*"},
			Explanation: "No policy allows everything on everything.",
			Fix:         "List the actions and the resources that are needed.",
			Check: eachStatement(func(s policy.Node) string {
				if holds(s.At("Action"), "*") && holds(s.At("Resource"), "*") {
					return "every action is allowed on every resource"
				}
				return ""
			}),
		},
		{
			Name: "named-principals", Controls: append(cis("2.1.4"), ncsc("9", "11")...), Types: documents,
			Explanation: "No policy lets in anybody at all.",
			Fix:         "Name the principals, or add a condition on the account or organisation.",
			Check: eachStatement(func(s policy.Node) string {
				anybody := holds(s.At("Principal"), "*") || holds(s.At("Principal", "AWS"), "*")
				if anybody && s.At("Condition").Missing() {
					return "anybody is allowed"
				}
				return ""
			}),
		},
		{
			Name: "no-lasting-keys", Controls: append(cis("1.14"), ncsc("9", "10")...), Types: []string{"aws:iam/accessKey:AccessKey"},
			Explanation: "Nobody has access keys that last: people sign in, and programs have roles.",
			Fix:         "Use a role; for a system elsewhere, an OIDC provider.",
			Check: func(policy.Resource, policy.Environment) []policy.Finding {
				return []policy.Finding{{Message: "an access key lasts until somebody deletes it"}}
			},
		},
		{
			Name: "secret-kept", Controls: caf("D1"), Types: []string{"aws:secretsmanager/secret:Secret"},
			Explanation: "A secret that was deleted by mistake can be had back.",
			Fix:         "Set recoveryWindowInDays to 7 or more.",
			Check: policy.Demands(policy.Demand{Path: policy.Path{"recoveryWindowInDays"}, Wanted: "at least 7", Met: func(n policy.Node) bool {
				return n.Missing() || n.Number() >= 7
			}}),
		},
	}
}

// eachStatement makes a rule's Check of one over the statements that allow something,
// in all documents of a resource. It returns what is wrong, or "".
func eachStatement(wrong func(statement policy.Node) string) check {
	return func(r policy.Resource, _ policy.Environment) []policy.Finding {
		var found []policy.Finding
		for _, property := range policyProperties {
			at := r.Input(property)
			var document any
			if at.Text() == "" {
				continue
			}
			if json.Unmarshal([]byte(at.Text()), &document) != nil {
				found = append(found, at.Found("the policy is no JSON, and cannot be judged"))
				continue
			}
			for _, s := range statements(policy.Node{Value: document}) {
				if s.At("Effect").Text() != "Allow" {
					continue
				}
				if what := wrong(s); what != "" {
					found = append(found, at.Found("%s", what))
				}
			}
		}
		return found
	}
}

// statements are a list, or one alone.
func statements(document policy.Node) []policy.Node {
	at := document.At("Statement")
	if list := at.Items(); len(list) > 0 {
		return list
	}
	return []policy.Node{at}
}

// holds says whether a node is a text, or a list that has it.
func holds(n policy.Node, text string) bool {
	return n.Text() == text || slices.ContainsFunc(n.Items(), func(item policy.Node) bool { return item.Text() == text })
}
