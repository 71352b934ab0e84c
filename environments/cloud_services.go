// SPDX-License-Identifier: Apache-2.0

package environments

// Platform is whether operators and services are installed on the cluster.
type Platform string

const (
	// PlatformInstalled brings engines, operators and services into the cluster.
	PlatformInstalled Platform = "Installed"
	// PlatformOmitted leaves the cluster empty, for the first update of an environment:
	// its API has no public address, and is reached once its network is joined to one of
	// cluster.clients.
	PlatformOmitted Platform = "Omitted"
)

// CloudImages are the images of what runs in the cluster.
type CloudImages struct {
	// registry is where nodes get them: a host name, with a port or without. Default: that
	// of ECR in the environment's own account, so that live never pulls from elsewhere.
	Registry string `json:"registry"`
	// releaseFile lists their tags and digests, a JSON file from the project's folder, as
	// `go run ./hack/images push` writes it. Default environments/releases/current.json; an
	// environment that is promoted by hand names a file of its own.
	ReleaseFile string `json:"releaseFile"`
}

// CloudMessaging is the messaging service. Its ledger is in the environment's database, and
// its broker is the environment's.
type CloudMessaging struct {
	// catalogueFile names the suppliers, interactions and mailboxes: a YAML file, from the
	// project's folder. Default: that of the environment's service.
	CatalogueFile string `json:"catalogueFile"`
	// gateway is the message gateway. Default: the class's.
	Gateway Workload `json:"gateway"`
}

// CloudBooking is the booking service, of environments that run ers. Its data is in the
// environment's database.
type CloudBooking struct {
	// service is the program with the API and the pages. Default: the class's.
	Service Workload `json:"service"`
	// tokens says which callers of the API are believed. Default: those of the issuer of
	// the environment's side of the fence.
	Tokens CloudTokens `json:"tokens"`
	// providers says where providers' systems are; omit it when there are none: then every
	// booking that a provider has to confirm is deferred to it.
	Providers *CloudProviders `json:"providers"`
}

// CloudTokens says who may issue tokens for the API.
type CloudTokens struct {
	// issuer is what a token names as its issuer, 1 to 256 characters.
	Issuer string `json:"issuer"`
	// audience is what a token is for, 1 to 256 characters. Default ers.
	Audience string `json:"audience"`
	// keysFile is a JSON Web Key Set with the issuer's public keys, from the project's
	// folder.
	KeysFile string `json:"keysFile"`
}

// CloudProviders says where providers' systems are.
type CloudProviders struct {
	// networks are IPv4 networks, 1 to 32, of those under network.egress; the service opens
	// connections to no others.
	Networks []string `json:"networks"`
	// port of their systems, 1 to 65535. Default 443.
	Port int `json:"port"`
	// caFile is the PEM file of the authority of their certificates, from the project's
	// folder.
	CAFile string `json:"caFile"`
}

// brokerMember is the size of each of the broker's pods, where it is in the cluster: messages
// pass through it, and the database holds the truth.
var brokerMember = Store{StorageGiB: 10, CPUMillis: 200, MemoryMiB: 1024}

// serviceDefaults are those of what runs in the cluster.
func (c *Cloud) serviceDefaults(d *Cloud) {
	d.Platform = PlatformInstalled
	d.Images.ReleaseFile = "environments/releases/current.json"
	if own, _ := c.Accounts(); own != "" {
		d.Images.Registry = own + ".dkr.ecr." + string(London) + ".amazonaws.com"
	}
	d.Operations.setDefaults()
	if c.Service != "" {
		d.Messaging.CatalogueFile = "environments/catalogue/" + string(c.Service) + ".yaml"
	}
	if c.Broker.Kind == BrokerInCluster {
		d.Broker.Member = brokerMember
	}
	if c.Service != ServiceERS {
		return
	}
	side := "non-live"
	if c.Live != nil {
		side = "live"
	}
	if c.Booking.Providers != nil {
		d.Booking.Providers = &CloudProviders{Port: 443}
	}
	d.Booking.Tokens = CloudTokens{
		Issuer: "https://tokens." + side + ".aws.spine.nhs.uk", Audience: "ers", KeysFile: "environments/authorities/tokens-" + side + ".json",
	}
}
