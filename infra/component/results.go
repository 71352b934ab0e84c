// SPDX-License-Identifier: Apache-2.0

package component

import (
	"cmp"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Endpoint is a place that clients connect to.
type Endpoint struct {
	// Name is its DNS name; empty if it has none.
	Name string
	// Address is its IP address.
	Address string
	// Port is its TCP port, 1 to 65535.
	Port int
}

// URL is the endpoint over TLS, by address where it has one: that works without DNS.
func (e Endpoint) URL() string {
	return fmt.Sprintf("https://%s:%d", cmp.Or(e.Address, e.Name), e.Port)
}

// Host is one machine that is ready to be a member of a cluster.
type Host struct {
	// Name is its node's name.
	Name string
	// Address is its IP address.
	Address string
	// Rack is its failure domain within the site.
	Rack string
	// Role is ControlPlane or Worker.
	Role string
	// MachineID tells it from another machine under the same name.
	MachineID pulumi.StringOutput
}

// Cluster is a Kubernetes cluster, wherever it runs.
type Cluster struct {
	// Name is the cluster's name.
	Name string
	// API is where its API answers.
	API Endpoint
	// Kubeconfig is an administrator's; a secret.
	Kubeconfig pulumi.StringOutput
	// CACertificate is the PEM certificate of its authority.
	CACertificate pulumi.StringOutput
	// APIServers are the IP networks that the API's servers have their own
	// addresses in: pods reach them there, and they call webhooks from there.
	APIServers []string
	// Resource is what everything in the cluster is deleted with.
	Resource pulumi.Resource
	// Addons are the last that a cluster gets before it is of use: the network of its
	// pods, storage, the entry point.
	Addons pulumi.Resource
}

// Database is a PostgreSQL database, wherever it runs.
type Database struct {
	// Name is the name of its cluster of instances.
	Name string
	// Database is the name of the database in it.
	Database string
	// Writer is the DNS name under which its primary answers, whichever
	// instance that is; Reader answers with any standby.
	Writer, Reader pulumi.StringOutput
	// Port is its TCP port.
	Port int
	// Credentials says where the administrator's name and password are kept:
	// the address of a secret, never the secret.
	Credentials pulumi.StringOutput
	// Resource is what its data goes with.
	Resource pulumi.Resource
}

// Broker is a RabbitMQ broker, wherever it runs.
type Broker struct {
	// Name is the broker's.
	Name string
	// Endpoint is the URL under which it takes AMQP over TLS, whichever nodes
	// are up; Console is that of its management API.
	Endpoint, Console pulumi.StringOutput
	// Credentials says where the administrator's name and password are kept.
	Credentials pulumi.StringOutput
	// Resource is what its queues go with.
	Resource pulumi.Resource
}
