// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component/manifests"
	"spine.nhs.uk/controlplane/infra/provider/sdk/spine/kubernetes"
)

const (
	// engineSeconds is how long operators may take to become ready: their images
	// are pulled first.
	engineSeconds = 300
	// serviceSeconds is how long a service may: it makes databases and brokers.
	serviceSeconds = 900
)

// later is a part of an object with what is known later in its place. All else is known in
// a preview, and judged there.
func later(part any, values map[string]pulumi.StringInput) pulumi.Input {
	switch p := part.(type) {
	case map[string]any:
		out := pulumi.Map{}
		for key, inner := range p {
			out[key] = later(inner, values)
		}
		return out
	case []any:
		out := pulumi.Array{}
		for _, inner := range p {
			out = append(out, later(inner, values))
		}
		return out
	case string:
		if value, ok := values[p]; ok {
			return value
		}
	}
	return pulumi.Any(part)
}

// apply brings the set into the cluster.
func apply(ctx *pulumi.Context, args *Args, set manifests.Set, seconds int, opts ...pulumi.ResourceOption) (*kubernetes.Manifests, error) {
	objects := pulumi.Map{}
	for key, object := range set.Objects {
		objects[key] = later(object, args.Later)
		if set.Secret(key) {
			objects[key] = pulumi.ToSecret(pulumi.Any(object))
		}
	}
	return kubernetes.NewManifests(ctx, args.Names.Name(set.Name), &kubernetes.ManifestsArgs{
		Name:        pulumi.String(set.Name),
		Namespace:   pulumi.String(set.Namespace),
		Kubeconfig:  args.Cluster.Kubeconfig,
		Objects:     objects,
		WaitSeconds: pulumi.Int(seconds),
	}, opts...)
}
