// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/provider/sdk/spine/baremetal"
)

// Registry is a site's image registry.
type Registry struct {
	// Host is its host:port.
	Host string
	// Repository is the folder of all images in it.
	Repository string
	// Mirrors are further host:port, tried in order.
	Mirrors []string
	// CA is the PEM certificate of its authority; empty for what hosts trust.
	CA string
}

// Binaries is the file that hosts get kubeadm, kubelet and kubectl from.
type Binaries struct {
	URL    string
	Digest string
}

// Content is what a site takes from its registry, pinned by digest.
type Content struct {
	Images   component.Images
	Binaries Binaries
}

// prefix begins the address of every image.
func (r Registry) prefix() string { return r.Host + "/" + r.Repository }

// ImageRepository is where kubeadm finds its images.
func (r Registry) ImageRepository() string { return r.prefix() }

// Plain is the registry as functions of the provider take it.
func (r Registry) Plain() baremetal.Registry {
	return baremetal.Registry{Host: r.Host, Mirrors: r.Mirrors, Ca: optional(r.CA)}
}

// Resolve asks the registry for the digests of the images; the error lists all
// that it does not have.
func Resolve(ctx *pulumi.Context, r Registry, images []string, kubernetesVersion string, opts ...pulumi.InvokeOption) (Content, error) {
	names := make([]string, len(images))
	for i, image := range images {
		names[i] = r.Repository + "/" + image
	}
	host := r.Repository + "/" + KubernetesHost + ":" + kubernetesVersion
	result, err := baremetal.ResolveImages(ctx, &baremetal.ResolveImagesArgs{
		Registry: r.Plain(),
		Names:    names,
		Blobs:    []string{host},
	}, opts...)
	if err != nil {
		return Content{}, err
	}
	content := Content{Images: component.Images{}}
	for i, image := range images {
		ref, ok := result.Images[names[i]]
		if !ok {
			return Content{}, fmt.Errorf("registry %s gave no digest for %s", r.Host, names[i])
		}
		content.Images[image] = ref
	}
	blob, ok := result.Blobs[host]
	if !ok {
		return Content{}, fmt.Errorf("registry %s gave no file for %s", r.Host, host)
	}
	content.Binaries = Binaries{URL: blob.Url, Digest: blob.Digest}
	return content, nil
}

// noDigest stands in for a digest that was not asked for.
const noDigest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

// Unresolved is the content without digests, for plans that contact nothing.
func Unresolved(r Registry, images []string, kubernetesVersion string) Content {
	content := Content{
		Images: component.Images{},
		Binaries: Binaries{
			URL:    fmt.Sprintf("https://%s/v2/%s/%s/blobs/%s", r.Host, r.Repository, KubernetesHost, noDigest),
			Digest: noDigest,
		},
	}
	for _, image := range images {
		content.Images[image] = r.prefix() + "/" + image + "@" + noDigest
	}
	return content
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
