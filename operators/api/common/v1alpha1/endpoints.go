// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"net/url"
	"strconv"
)

// DatabaseEngine is what kind of database an endpoint leads to. It decides what makes a
// commit durable, so it is never guessed.
//
// +kubebuilder:validation:Enum=Aurora
type DatabaseEngine string

// EngineAurora is Amazon Aurora PostgreSQL: its storage has every commit on four of six
// disks in three zones before it is acknowledged, and lets only the newest writer commit.
const EngineAurora DatabaseEngine = "Aurora"

// EngineEndpoint is where an engine that somebody else runs is reached, and what it takes.
type EngineEndpoint struct {
	// host is the DNS name under which the engine answers, whichever of its members serve; its
	// certificate has to be for it. At most 253 characters.
	Host HostName `json:"host"`
	// networks in which the host's addresses are, at all times: the service can open
	// connections to the port there and nowhere else. 1 to 8.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Networks []SiteNetwork `json:"networks"`
	// credentialsSecret holds username and password, under these keys. It is read again for
	// every new connection, so that a password can be changed at any time.
	CredentialsSecret LocalSecret `json:"credentialsSecret"`
	// caConfigMap names a ConfigMap in the service's namespace that holds the authorities of
	// the engine's certificate, in PEM, under the key ca.crt. No other is trusted. 1 to 253
	// characters.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	CAConfigMap string `json:"caConfigMap"`
}

// DatabaseEndpoint is a PostgreSQL that somebody else runs. It is never exchanged under a
// service: replicas that had not noticed would write to the one before.
//
// +kubebuilder:validation:XValidation:rule="self.engine == oldSelf.engine && self.host == oldSelf.host && self.port == oldSelf.port && self.database == oldSelf.database",message="engine, host, port and database cannot change, as replicas that have not noticed would write to the database before: give a restored one the old name"
type DatabaseEndpoint struct {
	// engine that runs it: Aurora. It says what makes a commit durable.
	Engine         DatabaseEngine `json:"engine"`
	EngineEndpoint `json:",inline"`
	// port of PostgreSQL, with TLS. Default 5432; 1 to 65535.
	// +optional
	// +kubebuilder:default=5432
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
	// database to use, in which the user may create schemas. 1 to 63 characters.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z_][a-z0-9_]*$`
	Database string `json:"database"`
}

// BrokerEndpoint is a RabbitMQ 4 that somebody else runs. The user has to be allowed to
// configure, write and read queues of the virtual host /. With another host the gateways are
// replaced, one after the other, and fill the new broker from the ledger.
type BrokerEndpoint struct {
	EngineEndpoint `json:",inline"`
	// port of AMQP 0-9-1 with TLS. Default 5671; 1 to 65535, but not 5672, which has no TLS.
	// +optional
	// +kubebuilder:default=5671
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	// +kubebuilder:validation:XValidation:rule="self != 5672",message="5672 is the port without TLS: give the one with it, 5671"
	Port int32 `json:"port,omitempty"`
}

// members of an engine where the specification does not say how many.
const members = 3

// Elsewhere says that somebody else runs the database.
func (d DatabaseSpec) Elsewhere() bool { return d.Endpoint != nil }

// Members is how many instances there have to be; 0 where somebody else runs them.
func (d DatabaseSpec) Members() int32 { return wanted(d.Elsewhere(), d.Instances) }

// Elsewhere says that somebody else runs the broker.
func (b BrokerSpec) Elsewhere() bool { return b.Endpoint != nil }

// Members is how many replicas there have to be; 0 where somebody else runs them.
func (b BrokerSpec) Members() int32 { return wanted(b.Elsewhere(), b.Replicas) }

func wanted(elsewhere bool, specified int32) int32 {
	switch {
	case elsewhere:
		return 0
	case specified == 0:
		return members
	}
	return specified
}

// Port of the endpoint: 443 unless it says another.
func (b DatabaseBackup) Port() int32 {
	u, err := url.Parse(b.Endpoint)
	if err != nil {
		return httpsPort
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || n == 0 {
		return httpsPort
	}
	return int32(n)
}

const httpsPort = 443
