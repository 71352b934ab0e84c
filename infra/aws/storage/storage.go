// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
)

// Stored is one bucket that was made.
type Stored struct {
	// Name and ARN are the bucket's own.
	Name, ARN pulumi.StringOutput
	// Ready is what who writes to the bucket waits for: its policy, the last that it
	// gets.
	Ready pulumi.Resource
}

// Storage is what New makes.
type Storage struct {
	pulumi.ResourceState

	// Buckets are the buckets, by their name within the environment.
	Buckets map[string]Stored
}

// New makes the buckets.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Storage, error) {
	s := &Storage{Buckets: map[string]Stored{}}
	if err := component.Register(ctx, component.TypeAWSStorage, name, args, s, opts...); err != nil {
		return nil, err
	}
	outputs := pulumi.Map{}
	for _, b := range args.Buckets {
		made, err := NewBucket(ctx, args, b, nil, pulumi.Parent(s))
		if err != nil {
			return nil, err
		}
		s.Buckets[b.Name] = made
		outputs[b.Name] = made.Name
	}
	return s, component.Done(ctx, s, outputs)
}
