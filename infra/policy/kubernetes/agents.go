// SPDX-License-Identifier: Apache-2.0

package kubernetes

// hostAgents are the programs that are a part of their host, and why. Nothing else
// may reach into one.
var hostAgents = map[string]string{
	"DaemonSet/kube-system/kube-router": "it is the pod network: it writes the host's routes, filters and kernel settings",
	"DaemonSet/spine-edge/traefik":      "it listens on the hosts' own addresses, 80 and 443",
}

// hostNamespaces hold pods that mount the host's folders, and why. All others keep to
// the restricted profile.
var hostNamespaces = map[string]string{
	"local-path-storage": "its helper pods make and remove the folders of volumes",
	"spine-edge":         "the entry point listens on the hosts' own addresses",
}

// secretReaders are the roles of programs that make or serve other namespaces'
// secrets, and why.
var secretReaders = map[string]string{
	"cert-manager":                   "it writes certificates' keys where they were asked for",
	"cnpg-manager":                   "it makes databases' accounts and certificates",
	"rabbitmq-cluster-operator-role": "it makes brokers' accounts",
	"spine-edge-traefik":             "it serves the certificates of Ingresses",
}
