// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
)

// Keys is what New makes.
type Keys struct {
	pulumi.ResourceState

	// ARN is the ARN of the key of each class.
	ARN map[Class]pulumi.StringOutput
	// Certificate is the ARN of the certificate once it is proven and issued;
	// the zero output without one.
	Certificate pulumi.StringOutput
	// WitnessTable and WitnessTableARN are the name and ARN of the witness
	// table; zero outputs without one.
	WitnessTable, WitnessTableARN pulumi.StringOutput
}

// deletionDays is the longest that KMS lets a deletion be taken back: with a key goes
// all that it encrypts.
const deletionDays = 30

// New makes a key for each class of data, and what else is asked for.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Keys, error) {
	k := &Keys{ARN: map[Class]pulumi.StringOutput{}}
	if err := component.Register(ctx, component.TypeAWSKeys, name, args, k, opts...); err != nil {
		return nil, err
	}
	under := []pulumi.ResourceOption{pulumi.Parent(k)}
	outputs := pulumi.Map{}
	for _, c := range classes {
		key, err := args.key(ctx, c, under...)
		if err != nil {
			return nil, err
		}
		k.ARN[c] = key.Arn
		outputs[string(c)] = key.Arn
	}
	if args.Certificate != nil {
		issued, err := args.certificate(ctx, under...)
		if err != nil {
			return nil, err
		}
		k.Certificate = issued
		outputs["certificate"] = issued
	}
	if args.Witness {
		table, err := args.witness(ctx, k.ARN[Patient], under...)
		if err != nil {
			return nil, err
		}
		k.WitnessTable, k.WitnessTableARN = table.Name, table.Arn
		outputs["witnessTable"] = table.Name
	}
	return k, component.Done(ctx, k, outputs)
}

// key makes the key of a class, and its name.
func (a *Args) key(ctx *pulumi.Context, c Class, under ...pulumi.ResourceOption) (*kms.Key, error) {
	name := a.Names.Name(string(c))
	key, err := kms.NewKey(ctx, name, &kms.KeyArgs{
		Description: pulumi.String(description[c]),
		// Every 365 days, as CIS AWS 3.6 asks; old material stays for old data.
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(deletionDays),
		// One region: a key that exists in others could decrypt data that left the UK.
		MultiRegion: pulumi.Bool(false),
		Policy:      pulumi.String(a.policy(c)),
		Tags:        pulumi.StringMap{"data-class": pulumi.String(c)},
	}, append(under, pulumi.Protect(a.Protect))...)
	if err != nil {
		return nil, err
	}
	_, err = kms.NewAlias(ctx, name, &kms.AliasArgs{Name: pulumi.String(a.alias(c)), TargetKeyId: key.KeyId}, under...)
	return key, err
}
