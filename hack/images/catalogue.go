// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"

	"spine.nhs.uk/controlplane/hack/tools/toolbox"
)

// Tags of the images that hold nothing of upstream's to name a version after.
const (
	pauseTag = "3.10.2" // the one that kubeadm asks for
	shellTag = "v1.0.0"
)

const (
	// binaries is where programs are in images, as kubeadm calls them by name.
	binaries = "/usr/local/bin"
	// nobody is the user of images that need no rights.
	nobody = "65532:65532"
)

// An Image is what one image is made of.
type Image struct {
	Name, Tag string
	// Layers are laid on top of each other in order; those with equal content
	// are stored once.
	Layers []Layer
	// Entrypoint is empty where a pod names its command.
	Entrypoint []string
	// User is "uid:gid"; empty for root.
	User string
	// Path are folders to find programs in before the usual ones.
	Path []string
	// Env are further variables, as NAME=value.
	Env []string
	// Revision is a label that tells two images of equal content apart; empty for
	// none.
	Revision string
}

// Ref is the image's name and tag.
func (i Image) Ref() string { return i.Name + ":" + i.Tag }

// finder finds a built tool's binary.
type finder func(tool string) (string, error)

// catalogue lists the images of a site, for one or more Kubernetes versions.
// find is asked for tools; system is the root file system of hosts, which some
// images take programs from.
func catalogue(kubernetes []string, find finder, system string) ([]Image, error) {
	var images []Image
	var network Layer
	network, err := closure(system, networkPrograms, networkFiles)
	if err != nil {
		return nil, err
	}
	for _, version := range kubernetes {
		more, err := kubernetesImages(version, find, network)
		if err != nil {
			return nil, err
		}
		images = append(images, more...)
	}
	single := []struct {
		tool, tag, path, user string
		below                 []Layer
	}{
		{"etcd", "", binaries + "/etcd", "", nil},
		{"coredns", "", "/coredns", nobody, nil},
		{"kube-router", "", binaries + "/kube-router", "", []Layer{network}},
		{"local-path-provisioner", "", binaries + "/local-path-provisioner", nobody, nil},
		{"traefik", "", binaries + "/traefik", nobody, nil},
		{"pause", pauseTag, "/pause", nobody, nil},
		{"rabbitmq-cluster-operator", "", "/manager", nobody, nil},
		{"cert-manager-controller", "", "/cert-manager-controller", nobody, nil},
	}
	for _, s := range single {
		tool, err := toolbox.Find(s.tool)
		if err != nil {
			return nil, err
		}
		binary, err := find(s.tool)
		if err != nil {
			return nil, err
		}
		tag := s.tag
		if tag == "" {
			tag = tool.Version
		}
		layer := Layer{File{Path: s.path, Source: binary, Mode: 0o755}, scratch}
		if s.tool == "etcd" {
			ctl, err := find("etcdctl")
			if err != nil {
				return nil, err
			}
			layer = append(layer, File{Path: binaries + "/etcdctl", Source: ctl, Mode: 0o755})
		}
		images = append(images, Image{
			Name: s.tool, Tag: tag, Layers: append(s.below, layer), Entrypoint: []string{s.path}, User: s.user,
		})
	}
	return append(images, shellImage(system)), nil
}

// kubernetesImages are kubeadm's own images and the one that hosts take their
// binary from. All share the one layer of the one binary.
func kubernetesImages(version string, find finder, network Layer) ([]Image, error) {
	name := "kubernetes"
	if version != toolbox.KubernetesVersion {
		name += "@" + version
	}
	tool, err := toolbox.Find(name)
	if err != nil {
		return nil, err
	}
	binary, err := find(name)
	if err != nil {
		return nil, err
	}
	layer := Layer{File{Path: filepath.Join(binaries, tool.Binary), Source: binary, Mode: 0o755}}
	for _, link := range tool.Links {
		layer = append(layer, File{Path: filepath.Join(binaries, link), Link: tool.Binary})
	}
	images := []Image{
		{Name: "kubernetes-host", Tag: version, Layers: []Layer{layer}},
		{Name: "kube-proxy", Tag: version, Layers: []Layer{network, layer}, Entrypoint: []string{binaries + "/kube-proxy"}},
	}
	// They run as root, as kubeadm gives their certificates to root alone.
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		images = append(images, Image{
			Name: name, Tag: version, Layers: []Layer{layer, {scratch}}, Entrypoint: []string{binaries + "/" + name},
		})
	}
	return images, nil
}

// networkPrograms are what kube-router and kube-proxy call.
var networkPrograms = []string{
	"/usr/sbin/conntrack", "/usr/sbin/ip6tables", "/usr/sbin/ip6tables-restore", "/usr/sbin/ip6tables-save",
	"/usr/sbin/ipset", "/usr/sbin/iptables", "/usr/sbin/iptables-restore", "/usr/sbin/iptables-save",
	"/usr/sbin/modprobe", "/usr/sbin/nft", "/usr/bin/ip",
}

// networkFiles are what those load by name, not by linking.
var networkFiles = []string{
	"/usr/lib/*/xtables/*.so",
	"/etc/iproute2/*", // kube-router adds its own tables
	// Without it nft lists protocols by number, and kube-proxy, which wrote them by
	// name, takes its own elements for leftovers and deletes them at its next full sync.
	"/etc/protocols",
}

// shellImage is a shell with the usual commands, for pods that prepare and
// remove folders on hosts. It is root's: such folders are.
func shellImage(system string) Image {
	const busybox = "/bin/busybox"
	layer := Layer{File{Path: busybox, Source: filepath.Join(system, "/usr/bin/busybox"), Mode: 0o755}, scratch}
	for _, name := range []string{
		"cat", "chmod", "chown", "cp", "date", "df", "du", "echo", "env", "find", "grep", "head", "id", "ip", "ln", "ls", "mkdir",
		"mktemp", "mv", "nc", "nslookup", "ping", "ps", "rm", "rmdir", "sed", "sh", "sleep", "sort", "stat", "sync", "tail", "tar",
		"test", "touch", "tr", "true", "wc", "wget",
	} {
		layer = append(layer, File{Path: "/bin/" + name, Link: "busybox"})
	}
	return Image{Name: "shell", Tag: shellTag, Layers: []Layer{layer}, Entrypoint: []string{"/bin/sh"}}
}

// platformImages are those that stand on the cluster, not those that it is made
// of.
var platformImages = []string{
	"booking-service", "cert-manager-controller", "cloudnative-pg", "message-gateway", "postgresql", "rabbitmq",
	"rabbitmq-cluster-operator", "spine-manager",
}

// scratch is a folder for temporary files, which programs expect.
var scratch = File{Path: "/tmp", Dir: true, Mode: 0o1777}
