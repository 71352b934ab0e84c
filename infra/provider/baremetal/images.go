// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"github.com/pulumi/pulumi-go-provider/infer"
)

// ResolveImages is the function spine:baremetal:resolveImages.
type ResolveImages struct{}

// Annotate documents the function in the schema.
func (r *ResolveImages) Annotate(a infer.Annotator) {
	a.Describe(&r, "Asks a registry for the digests of images, so that what runs is pinned by content. It fails with one error that lists every missing image.")
}

// ResolveImagesArgs is what to resolve.
type ResolveImagesArgs struct {
	Registry Registry `pulumi:"registry"`
	Names    []string `pulumi:"names"`
	Blobs    []string `pulumi:"blobs,optional"`
}

// Annotate documents the fields in the schema.
func (r *ResolveImagesArgs) Annotate(a infer.Annotator) {
	a.Describe(&r.Registry, "Registry to ask.")
	a.Describe(&r.Names, "Repositories with tags, without the registry: \"spine/coredns:1.14.0\".")
	a.Describe(&r.Blobs, "Those of one layer whose layer is wanted too, to be fetched as a file: \"spine/kubernetes-host:v1.36.3\".")
}

// ResolveImagesResult is what the registry holds.
type ResolveImagesResult struct {
	Images map[string]string `pulumi:"images"`
	Blobs  map[string]Blob   `pulumi:"blobs"`
}

// Annotate documents the fields in the schema.
func (r *ResolveImagesResult) Annotate(a infer.Annotator) {
	a.Describe(&r.Images, "Reference with tag and digest by name: \"10.90.0.1:5000/spine/coredns:1.14.0@sha256:...\".")
	a.Describe(&r.Blobs, "Single layer by name.")
}

// Blob is one layer in a registry.
type Blob struct {
	URL    string `pulumi:"url"`
	Digest string `pulumi:"digest"`
	Size   int    `pulumi:"size"`
}

// Annotate documents the fields in the schema.
func (b *Blob) Annotate(a infer.Annotator) {
	a.Describe(&b, "One layer in a registry.")
	a.Describe(&b.URL, "HTTPS address of its content.")
	a.Describe(&b.Digest, "\"sha256:...\" of its content.")
	a.Describe(&b.Size, "Size in bytes.")
}
