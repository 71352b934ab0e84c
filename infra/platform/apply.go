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

// apply brings the set into the cluster.
func apply(ctx *pulumi.Context, args *Args, set manifests.Set, seconds int, opts ...pulumi.ResourceOption) (*kubernetes.Manifests, error) {
	objects := pulumi.Map{}
	for key, object := range set.Objects {
		objects[key] = pulumi.Any(object)
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
