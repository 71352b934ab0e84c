// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/provider/sdk/spine/kubernetes"
)

// waitSeconds is how long a set may take to become ready: images are pulled
// and a slow disk may be in the way.
const waitSeconds = 300

// Apply brings the set into the cluster. It disappears with the cluster: there
// is no point in deleting objects of one that is being reset.
func Apply(ctx *pulumi.Context, name string, set Set, in component.Cluster, opts ...pulumi.ResourceOption) (*kubernetes.Manifests, error) {
	return kubernetes.NewManifests(ctx, name, &kubernetes.ManifestsArgs{
		Name:        pulumi.String(set.Name),
		Namespace:   pulumi.String(set.Namespace),
		Kubeconfig:  in.Kubeconfig,
		Objects:     pulumi.ToMap(set.Objects),
		WaitSeconds: pulumi.Int(waitSeconds),
	}, append(opts, pulumi.DeletedWith(in.Resource))...)
}
