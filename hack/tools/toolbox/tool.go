// SPDX-License-Identifier: Apache-2.0

// Package toolbox knows the programs that a site is made of, and builds them
// from source: each is pinned by a go.mod and verified by its go.sum.
package toolbox

import (
	"fmt"
	"strings"
)

// KubernetesVersion is what sites run; PreviousKubernetesVersion is the patch
// that upgrades are tried from.
const (
	KubernetesVersion         = "v1.36.3"
	PreviousKubernetesVersion = "v1.36.2"
)

// A Lane is a set of tools that share compiled packages. Tools of one lane are
// built one after another, so that no package is compiled twice; lanes run side
// by side, so that one links while another compiles.
type Lane string

// The lanes.
const (
	LaneKubernetes Lane = "kubernetes" // everything over client-go
	LaneOther      Lane = "other"
)

// A Tool is one program to build.
type Tool struct {
	// Name is what the command line calls it, with @version for a version that
	// is only built when asked for.
	Name string
	// Version is upstream's, for people; go.mod has the pin. Empty for our own.
	Version string
	// Module is the folder of the Go module it is built in, from the top of the
	// repository.
	Module string
	// ModFile is another go.mod in that folder to build with; empty for go.mod.
	ModFile string
	// Package is the import path of the main package, or one relative to Module.
	Package string
	// Binary is the name of the file that is built.
	Binary string
	// Links are further names for the binary, for one that looks at its name.
	Links []string
	// Stamp lists -X settings of the linker, as name=value.
	Stamp []string
	// Lane is where it is built.
	Lane Lane
	// Shared tools are built with the flags of a plain go build, so that they and
	// the rest of our module compile their packages once between them; all others
	// are static and reproducible.
	Shared bool
	// Optional tools are built only by name and get no link in the bin folder.
	Optional bool
	// About says what it is for.
	About string
}

const modules = "hack/tools/modules/"

// All returns every tool, in the order in which to build them.
func All() []Tool {
	return []Tool{
		kubernetes(KubernetesVersion),
		{
			Name: "coredns", Version: "v1.14.7", Module: modules + "kubernetes", Package: "./cmd/coredns",
			Binary: "coredns", Lane: LaneKubernetes, About: "DNS of the cluster",
		},
		{
			Name: "etcd", Version: "v3.6.16", Module: modules + "kubernetes", Package: "go.etcd.io/etcd/server/v3",
			Binary: "etcd", Lane: LaneKubernetes, About: "the cluster's store",
		},
		{
			Name: "etcdctl", Version: "v3.6.16", Module: modules + "kubernetes", Package: "go.etcd.io/etcd/etcdctl/v3",
			Binary: "etcdctl", Lane: LaneKubernetes, About: "looks at etcd's members and backups",
		},
		{
			Name: "local-path-provisioner", Version: "v0.0.30", Module: modules + "localpath",
			Package: "github.com/rancher/local-path-provisioner", Binary: "local-path-provisioner",
			Lane: LaneKubernetes, About: "persistent volumes on a host's own disk",
		},
		{
			Name: "kube-router", Version: "v1.5.1", Module: modules + "kuberouter",
			Package: "github.com/cloudnativelabs/kube-router/cmd/kube-router", Binary: "kube-router",
			Stamp: []string{"github.com/cloudnativelabs/kube-router/pkg/version.Version=v1.5.1"},
			Lane:  LaneKubernetes, About: "pod network and NetworkPolicy",
		},
		{
			Name: "traefik", Version: "v3.6.12", Module: modules + "traefik",
			Package: "github.com/traefik/traefik/v3/cmd/traefik", Binary: "traefik",
			Stamp: []string{"github.com/traefik/traefik/v3/pkg/version.Version=3.6.12"},
			Lane:  LaneKubernetes, About: "ingress and Gateway API",
		},
		{
			Name: "cloudnative-pg", Version: "v1.30.0", Module: modules + "engines",
			Package: "github.com/cloudnative-pg/cloudnative-pg/cmd/manager", Binary: "cloudnative-pg",
			Stamp: []string{
				"github.com/cloudnative-pg/cloudnative-pg/pkg/versions.buildVersion=1.30.0",
				"github.com/cloudnative-pg/cloudnative-pg/pkg/versions.buildCommit=none",
				"github.com/cloudnative-pg/cloudnative-pg/pkg/versions.buildDate=2026-01-01",
			},
			Lane: LaneKubernetes, About: "operator of PostgreSQL, and its agent in every instance",
		},
		{
			Name: "rabbitmq-cluster-operator", Version: "v2.20.0", Module: modules + "engines",
			Package: "github.com/rabbitmq/cluster-operator/v2/cmd", Binary: "rabbitmq-cluster-operator",
			Lane: LaneKubernetes, About: "operator of RabbitMQ",
		},
		{
			Name: "cert-manager-controller", Version: "v1.21.2", Module: modules + "engines",
			Package: "./cmd/cert-manager", Binary: "cert-manager-controller",
			Lane: LaneKubernetes, About: "issues and renews certificates",
		},
		{
			Name: "pulumi", Version: "v3.250.0", Module: modules + "pulumi",
			Package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", Binary: "pulumi",
			Stamp: []string{"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.250.0"},
			Lane:  LaneOther, About: "the Pulumi command line",
		},
		{
			Name: "registry", Version: "v3.1.2", Module: modules + "registry", Package: ".",
			Binary: "registry", Lane: LaneOther, About: "the site's image registry",
		},
		{
			Name: "objectstore", Version: "v1.8.0", Module: modules + "objectstore", Package: ".",
			Binary: "objectstore", Lane: LaneOther, About: "the rack's object store",
		},
		{
			Name: "langhost", Module: ".", Package: "./hack/langhost", Binary: "pulumi-language-go",
			Lane: LaneOther, Shared: true, About: "Pulumi language host for Go, for machines without Pulumi's own",
		},
		{
			Name: "pause", Module: ".", Package: "./hack/images/pause", Binary: "pause",
			Lane: LaneOther, About: "holds a pod's namespaces",
		},
		previousKubernetes(),
	}
}

// Find returns the tool of that name.
func Find(name string) (Tool, error) {
	var names []string
	for _, t := range All() {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	return Tool{}, fmt.Errorf("no tool is named %q: there are %s", name, strings.Join(names, ", "))
}

// kubernetes is the binary of all Kubernetes commands. kubeadm refuses to run
// without a stamped version; commit and date are constants, so that the same
// source gives the same bytes.
func kubernetes(version string) Tool {
	minor := strings.Split(strings.TrimPrefix(version, "v"), ".")[1]
	var stamp []string
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		stamp = append(stamp,
			pkg+".gitVersion="+version,
			pkg+".gitMajor=1",
			pkg+".gitMinor="+minor,
			pkg+".gitCommit="+strings.Repeat("0", 40),
			pkg+".gitTreeState=clean",
			pkg+".buildDate=2026-01-01T00:00:00Z",
		)
	}
	return Tool{
		Name: "kubernetes", Version: version, Module: modules + "kubernetes", Package: "./cmd/kubernetes",
		Binary: "kubernetes", Stamp: stamp, Lane: LaneKubernetes,
		Links: []string{
			"kubeadm", "kubectl", "kubelet", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler",
		},
		About: "all Kubernetes commands in one binary",
	}
}

func previousKubernetes() Tool {
	t := kubernetes(PreviousKubernetesVersion)
	t.Name += "@" + PreviousKubernetesVersion
	t.ModFile = PreviousKubernetesVersion + ".mod"
	t.Optional = true
	t.About = "the patch before, to try upgrades from"
	return t
}
