// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/identity"
)

// usedTypes builds the stack once with nothing behind it, and returns the type tokens of
// the AWS resources that it asks for: the deployment role gets the rights on those, and
// on no others. A list kept by hand would fall behind.
func usedTypes(p *plan) ([]string, error) {
	trial := *p
	trial.types = identity.Known()
	// In the cluster there is nothing of AWS's.
	trial.installed = installed{}
	seen := &recorder{types: map[string]bool{}}
	// In a preview no value is known that AWS chooses: nothing is computed from what the
	// recorder does not have.
	preview := func(info *pulumi.RunInfo) { info.DryRun = true }
	err := pulumi.RunErr(func(ctx *pulumi.Context) error { return build(ctx, &trial) }, pulumi.WithMocks("spine", p.env.Name, seen), preview)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(seen.types)), nil
}

// recorder stands in for the engine, and remembers types.
type recorder struct {
	mu    sync.Mutex
	types map[string]bool
}

// NewResource remembers the type of what is asked for.
func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if strings.HasPrefix(args.TypeToken, "aws:") {
		r.types[args.TypeToken] = true
	}
	return args.Name, args.Inputs, nil
}

// Call refuses: a plan needs no account.
func (*recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return nil, fmt.Errorf("the stack asks AWS for %s: it must plan without an account", args.Token)
}
