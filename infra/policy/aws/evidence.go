// SPDX-License-Identifier: Apache-2.0

package aws

import (
	"spine.nhs.uk/controlplane/infra/policy"
)

const (
	trail    = "aws:cloudtrail/trail:Trail"
	logGroup = "aws:cloudwatch/logGroup:LogGroup"
)

// logDays is how long logs are kept: an attack is often found months later.
const logDays = 365

func evidenceRules() []policy.Rule {
	return []policy.Rule{
		{
			Name: "trail-whole", Controls: append(cis("3.1", "3.2", "3.5"), ncsc("13")...), Types: []string{trail},
			Explanation: "The audit trail covers every region, cannot be changed unnoticed, and is encrypted with a key of ours.",
			Fix:         "Set isMultiRegionTrail, enableLogFileValidation and kmsKeyId, and leave enableLogging on.",
			Check: policy.Demands(policy.IsTrue("isMultiRegionTrail"), policy.IsTrue("enableLogFileValidation"), policy.IsSet("kmsKeyId"),
				onByDefault("enableLogging"), onByDefault("includeGlobalServiceEvents")),
		},
		{
			Name: "logs-kept", Controls: ncsc("13"), Types: []string{logGroup},
			Explanation: "Logs are kept for a year, encrypted with a key of ours.",
			Fix:         "Set retentionInDays to at least 365, or 0 for ever, and kmsKeyId.",
			Check: policy.Demands(policy.IsSet("kmsKeyId"), policy.Demand{
				Path: policy.Path{"retentionInDays"}, Wanted: "0 or at least 365",
				Met: func(n policy.Node) bool { return n.Number() == 0 || n.Number() >= logDays },
			}),
		},
		{
			Name: "images-immutable", Controls: ncsc("7", "8"), Types: []string{"aws:ecr/repository:Repository"},
			Explanation: "An image that was pushed stays what it is, and is searched for known faults.",
			Fix:         "Set imageTagMutability to IMMUTABLE and imageScanningConfiguration.scanOnPush to true.",
			Check: policy.Demands(policy.OneOf([]string{"IMMUTABLE"}, "imageTagMutability"),
				policy.IsTrue("imageScanningConfiguration", "scanOnPush")),
		},
		{
			Name: "budget-watched", Severity: policy.Advisory, Controls: controls(policy.NCSC, "14"),
			Explanation: "An account's cost is watched: an environment on AWS has a budget that tells somebody.",
			Fix:         "Add an aws:budgets/budget:Budget with notifications.",
			CheckStack:  budget,
		},
	}
}

// budget asks for one where there is anything of AWS.
func budget(s policy.Stack) []policy.Finding {
	var provider string
	for _, r := range s.Resources {
		switch {
		case r.Goes():
		case r.Type == "aws:budgets/budget:Budget" && len(r.Input("notifications").Items()) > 0:
			return nil
		case r.Type == "pulumi:providers:aws":
			provider = r.URN
		}
	}
	if provider == "" {
		return nil
	}
	return []policy.Finding{{URN: provider, Message: "no budget with notifications watches the account"}}
}
