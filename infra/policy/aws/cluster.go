// SPDX-License-Identifier: Apache-2.0

package aws

import (
	"slices"

	"spine.nhs.uk/controlplane/infra/policy"
)

const (
	eks      = "aws:eks/cluster:Cluster"
	template = "aws:ec2/launchTemplate:LaunchTemplate"
	machine  = "aws:ec2/instance:Instance"
)

// clusterLogs are the logs in which attacks on the API can be seen.
var clusterLogs = []string{"api", "audit", "authenticator"}

func clusterRules() []policy.Rule {
	return []policy.Rule{
		{
			Name: "cluster-private", Controls: append(controls(policy.CISKubernetes, "1.2.1"), ncsc("11", "12")...), Types: []string{eks},
			Explanation: "The Kubernetes API is reached from inside only.",
			Fix:         "Set vpcConfig.endpointPrivateAccess to true and endpointPublicAccess to false.",
			Check:       policy.Demands(policy.IsFalse("vpcConfig", "endpointPublicAccess"), policy.IsTrue("vpcConfig", "endpointPrivateAccess")),
		},
		{
			Name: "cluster-secrets-encrypted", Controls: append(controls(policy.CISKubernetes, "1.2.27"), ncsc("2.3")...), Types: []string{eks},
			Explanation: "Secrets of Kubernetes are encrypted with a key of ours.",
			Fix:         "Set encryptionConfig with resources [secrets] and the key.",
			Check:       policy.Demands(policy.IsSet("encryptionConfig", "provider", "keyArn")),
		},
		{
			Name: "cluster-logs", Controls: append(controls(policy.CISKubernetes, "1.2.16"), ncsc("13")...), Types: []string{eks},
			Explanation: "Who asked the Kubernetes API for what is logged.",
			Fix:         "Set enabledClusterLogTypes to at least api, audit and authenticator.",
			Check: func(r policy.Resource, _ policy.Environment) []policy.Finding {
				logs := r.Input("enabledClusterLogTypes")
				var found []policy.Finding
				for _, want := range clusterLogs {
					if !logs.Hidden() && !slices.ContainsFunc(logs.Items(), func(n policy.Node) bool { return n.Hidden() || n.Text() == want }) {
						found = append(found, logs.Found("the log %s is missing", want))
					}
				}
				return found
			},
		},
		{
			Name: "metadata-tokens", Controls: append(cis("5.6"), ncsc("10")...), Types: []string{machine, template},
			Explanation: "A machine's credentials are given to programs on it only: its metadata service asks for a token.",
			Fix:         "Set metadataOptions.httpTokens to required.",
			Check:       policy.Demands(policy.OneOf([]string{"required"}, "metadataOptions", "httpTokens")),
			Remediate:   func(policy.Resource) []policy.Edit { return set("required", "metadataOptions", "httpTokens") },
		},
	}
}
