// SPDX-License-Identifier: Apache-2.0

// Package credentials keeps a name and a password in Secrets Manager, where people who are
// allowed to find them.
package credentials

import (
	"encoding/json"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// recoveryDays is the longest that a deleted secret can be had back.
const recoveryDays = 30

// Args say what is kept.
type Args struct {
	// Description says whose they are.
	Description string
	// Key encrypts them: an ARN.
	Key pulumi.StringInput
	// Username and Password are kept as JSON, under these names in lower case. The password
	// is a secret.
	Username string
	Password pulumi.StringInput
}

// New makes the secret of the name.
func New(ctx *pulumi.Context, name string, args *Args, under ...pulumi.ResourceOption) (*secretsmanager.Secret, error) {
	secret, err := secretsmanager.NewSecret(ctx, name, &secretsmanager.SecretArgs{
		Name: pulumi.String(name), Description: pulumi.String(args.Description),
		KmsKeyId: args.Key, RecoveryWindowInDays: pulumi.Int(recoveryDays),
	}, under...)
	if err != nil {
		return nil, err
	}
	text := pulumi.ToSecret(args.Password.ToStringOutput().ApplyT(func(password string) (string, error) {
		text, err := json.Marshal(map[string]string{"username": args.Username, "password": password})
		return string(text), err
	})).(pulumi.StringOutput)
	_, err = secretsmanager.NewSecretVersion(ctx, name, &secretsmanager.SecretVersionArgs{SecretId: secret.ID(), SecretString: text}, under...)
	return secret, err
}
