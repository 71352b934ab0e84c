// SPDX-License-Identifier: Apache-2.0

// Package registry knows the images that a site runs, and finds them in the
// site's registry by digest.
package registry

import (
	"maps"
	"slices"
)

// Tags of the images that are not Kubernetes' own; hack/images builds them
// under the same.
const (
	EtcdTag      = "v3.6.16"
	coreDNSTag   = "v1.14.7"
	localPathTag = "v0.0.30"
	routerTag    = "v1.5.1"
	traefikTag   = "v3.6.12"
	pauseTag     = "3.10.2" // the one that kubeadm asks for
	shellTag     = "v1.0.0"
)

// Names of the images in the catalogue.
const (
	Etcd           = "etcd"
	CoreDNS        = "coredns"
	KubeRouter     = "kube-router"
	LocalPath      = "local-path-provisioner"
	Pause          = "pause"
	Shell          = "shell"
	Traefik        = "traefik"
	KubernetesHost = "kubernetes-host"
)

// controlPlane are the images that kubeadm names itself, by tag.
var controlPlane = []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"}

// Catalogue lists the images of a site, as "name:tag", sorted: those that are
// always needed, for a Kubernetes version such as v1.36.3, and more.
func Catalogue(kubernetesVersion string, more []string) []string {
	set := map[string]bool{
		Etcd + ":" + EtcdTag:                     true,
		CoreDNS + ":" + coreDNSTag:               true,
		LocalPath + ":" + localPathTag:           true,
		Pause + ":" + pauseTag:                   true,
		Shell + ":" + shellTag:                   true,
		Traefik + ":" + traefikTag:               true,
		KubernetesHost + ":" + kubernetesVersion: true,
	}
	for _, name := range controlPlane {
		set[name+":"+kubernetesVersion] = true
	}
	for _, image := range more {
		set[image] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// KubeRouterImages are those of the built-in pod network.
func KubeRouterImages() []string {
	return []string{KubeRouter + ":" + routerTag}
}
