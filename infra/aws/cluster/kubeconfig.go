// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/network"
)

// kubeconfig holds no credential: whoever uses it gets a token of 15 minutes from
// their own by `aws eks get-token`.
func kubeconfig(name string, endpoint, ca pulumi.StringOutput) pulumi.StringOutput {
	return pulumi.All(endpoint, ca).ApplyT(func(known []any) (string, error) {
		config := map[string]any{
			"apiVersion": "v1", "kind": "Config", "current-context": name,
			"clusters": []any{map[string]any{"name": name, "cluster": map[string]any{
				"server": known[0], "certificate-authority-data": known[1],
			}}},
			"contexts": []any{map[string]any{"name": name, "context": map[string]any{"cluster": name, "user": name}}},
			"users": []any{map[string]any{"name": name, "user": map[string]any{"exec": map[string]any{
				"apiVersion": "client.authentication.k8s.io/v1", "command": "aws", "interactiveMode": "Never",
				"args":        []string{"eks", "get-token", "--output", "json", "--region", network.Region, "--cluster-name", name},
				"installHint": "Install the AWS CLI, version 2.",
			}}}},
		}
		text, err := json.Marshal(config)
		return string(text), err
	}).(pulumi.StringOutput)
}

// decoded is the PEM of what EKS gives in base64.
func decoded(ca string) (string, error) {
	pem, err := base64.StdEncoding.DecodeString(ca)
	if err != nil {
		return "", fmt.Errorf("the certificate of the cluster's authority is no base64: %w", err)
	}
	return string(pem), nil
}
