// SPDX-License-Identifier: Apache-2.0

// Package kubernetes is the resource spine:kubernetes:Manifests: one named set of
// Kubernetes objects, applied with server-side apply, waited for, and pruned.
//
// The resource works on property values rather than on decoded Go structs. Objects are
// free-form trees, and the decoder of infer keeps secret, unknown and empty-map marks in
// paths that share memory between siblings four levels down (`objects`, key, `data`,
// field): a second secret would take the mark of the first, and an `emptyDir: {}` could
// turn up in a neighbour. Property values keep every mark where it belongs. Only the
// schema is inferred.
package kubernetes

import (
	"context"
	"fmt"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// DefaultWaitSeconds is how long a set may take to become ready when waitSeconds is absent.
const DefaultWaitSeconds = 300

// maxWaitSeconds bounds waitSeconds: an `up` that waits longer than an hour hides a fault.
const maxWaitSeconds = 3600

// FieldManager owns the fields that we apply, as `kubectl get --show-managed-fields` shows.
const FieldManager = "spine"

// ownerGroup prefixes the labels that say which set an object belongs to.
const ownerGroup = "manifests.spine.nhs.uk"

// ManifestsArgs are the inputs of spine:kubernetes:Manifests.
type ManifestsArgs struct {
	Name        string         `pulumi:"name"`
	Namespace   string         `pulumi:"namespace"`
	Kubeconfig  string         `pulumi:"kubeconfig" provider:"secret"`
	Objects     map[string]any `pulumi:"objects"`
	WaitSeconds *int           `pulumi:"waitSeconds,optional"`
}

// ManifestsState are the outputs: the inputs, and what the last look at the cluster found.
type ManifestsState struct {
	ManifestsArgs
	Drift map[string]string `pulumi:"drift"`
}

// Annotate documents the inputs in the schema.
func (a *ManifestsArgs) Annotate(an infer.Annotator) {
	an.Describe(&a.Name, "Name of the set: 1 to 50 characters of a-z, 0-9 and '-'. It names the inventory and labels every object of the set.")
	an.Describe(&a.Namespace, "Namespace of the inventory ConfigMap. It exists already or is one of the objects.")
	an.Describe(&a.Kubeconfig, "Kubeconfig of the cluster. Always a secret.")
	an.Describe(&a.Objects, "The objects, each in full, by key apiVersion/kind/namespace/name (cluster-scoped: apiVersion/kind/name), for example \"apps/v1/Deployment/kube-system/coredns\". The data of a Secret is always kept as a Pulumi secret.")
	an.Describe(&a.WaitSeconds, "How long to wait for every object to become ready, in seconds, 0 to 3600; 0 does not wait. Default 300.")
}

// Annotate documents the outputs in the schema.
func (s *ManifestsState) Annotate(an infer.Annotator) {
	an.Describe(&s.Drift, "What the last refresh found changed by others, by object key: \"missing\", or the names of the changed fields. Empty when the cluster holds what was applied; anything here is repaired by the next update.")
}

// schemaSource carries the types from which infer builds the schema.
type schemaSource struct{}

func (s *schemaSource) Annotate(an infer.Annotator) {
	an.Describe(&s, "A named set of Kubernetes objects, applied with server-side apply. Objects that leave the set are pruned, by an inventory that survives an interrupted update.")
	an.SetToken("kubernetes", "Manifests")
}

// Create lets infer learn the types; every call goes to resource.Create instead.
func (*schemaSource) Create(context.Context, infer.CreateRequest[ManifestsArgs]) (infer.CreateResponse[ManifestsState], error) {
	return infer.CreateResponse[ManifestsState]{}, fmt.Errorf("spine:kubernetes:Manifests is registered without kubernetes.Manifests()")
}

// resource answers the engine's calls: schema and token by infer, behaviour by us.
type resource struct {
	infer.InferredResource
	connect connector
	// patience is how long reading and deleting wait for an API that does not answer: a
	// little more than its address takes to move to another host.
	patience time.Duration
}

// Manifests returns the resource spine:kubernetes:Manifests, to be registered in the provider.
func Manifests() infer.InferredResource {
	return &resource{
		InferredResource: infer.Resource(&schemaSource{}),
		connect:          connectCluster,
		patience:         30 * time.Second,
	}
}

// progress shows what a long step is at, in the status column of the console.
type progress func(format string, args ...any)

func progressOf(ctx context.Context) progress {
	log := p.GetLogger(ctx)
	return log.InfoStatusf
}
