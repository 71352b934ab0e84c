// SPDX-License-Identifier: Apache-2.0

package environments

// Cloud describes an environment in AWS. Its file holds only what differs from its
// class; what a value is in the end, and where it came from, is told by Resolve.
type Cloud struct {
	// name is the environment's and its stack's name: a DNS label of at most 20
	// characters. It begins the names of all resources, so it cannot be changed later.
	Name string `json:"name"`
	// purpose says what the environment is for, in 10 to 160 characters.
	Purpose string `json:"purpose"`
	// owner is the team that answers for the environment: a DNS label.
	Owner string `json:"owner"`
	// service is what runs in it: ers or spine.
	Service Service `json:"service"`
	// class is what kind of environment it is: Live, Recovery, Assurance, Test, Training
	// or Development. It sets whatever the file leaves out.
	Class Class `json:"class"`
	// tier is the promise of availability and recovery: platinum, gold, silver or
	// bronze. Default: the class's.
	Tier Tier `json:"tier"`
	// costCentre is who pays, as in finance's books: 2 letters, "-" and 4 digits.
	CostCentre string `json:"costCentre"`
	// dataClass is the most sensitive data in it: PatientIdentifiable, Pseudonymised or
	// Synthetic. Default: the class's.
	DataClass DataClass `json:"dataClass"`
	// region is where everything is: eu-west-2, the only one in the United Kingdom.
	// Default eu-west-2.
	Region Region `json:"region"`
	// live holds the accounts of an environment that serves patients; other
	// environments have nonLive.
	Live *Fence[LiveAccount] `json:"live"`
	// nonLive holds the accounts of an environment that does not serve patients.
	NonLive *Fence[NonLiveAccount] `json:"nonLive"`
	// network is the private network.
	Network CloudNetwork `json:"network"`
	// cluster is the Kubernetes cluster.
	Cluster CloudCluster `json:"cluster"`
	// database is the Aurora PostgreSQL cluster that holds the truth.
	Database CloudDatabase `json:"database"`
	// broker dispatches messages.
	Broker CloudBroker `json:"broker"`
	// edge is where traffic from outside enters.
	Edge CloudEdge `json:"edge"`
	// platform is Installed, or Omitted for the first update of an environment, before its
	// API can be reached. Default Installed.
	Platform Platform `json:"platform"`
	// images are those of what runs in the cluster.
	Images CloudImages `json:"images"`
	// operations are the rules of recovery operations.
	Operations Operations `json:"operations"`
	// messaging is the messaging service.
	Messaging CloudMessaging `json:"messaging"`
	// booking is the booking service, of environments that run ers.
	Booking CloudBooking `json:"booking"`
	// documents are referral letters and the like, in a bucket.
	Documents Documents `json:"documents"`
	// recovery says how data and service come back.
	Recovery Recovery `json:"recovery"`
	// logs are the environment's logs.
	Logs Logs `json:"logs"`
	// finance watches and limits what the environment costs.
	Finance Finance `json:"finance"`
	// deployment says who changes the environment, and where its state is kept.
	Deployment Deployment `json:"deployment"`
	// waivers let named resources pass rules for a time, at most 64.
	Waivers []Waiver `json:"waivers"`
}

// Region is a region of AWS.
type Region string

// London is the only region of AWS in the United Kingdom, where all data has to be.
const London Region = "eu-west-2"

// Service is what an environment runs.
type Service string

// Services.
const (
	ServiceERS   Service = "ers"
	ServiceSpine Service = "spine"
)

// DataClass is the sensitivity of data.
type DataClass string

const (
	// DataPatient identifies patients.
	DataPatient DataClass = "PatientIdentifiable"
	// DataPseudonymised was patients', with what identifies them replaced.
	DataPseudonymised DataClass = "Pseudonymised"
	// DataSynthetic was never anybody's.
	DataSynthetic DataClass = "Synthetic"
)

// CloudNetwork is the private network of an environment: a VPC over three zones.
type CloudNetwork struct {
	// cidr is its IPv4 range, a /16 to /20 that no other environment overlaps: networks
	// that overlap can never be joined. It cannot be changed later.
	CIDR string `json:"cidr"`
	// egress are the networks outside that programs may open connections to, at most 40.
	// There is no route to any other; AWS's own services need none.
	Egress []Egress `json:"egress"`
	// egressZones is in how many zones there is a way out, and endpoints of AWS's
	// services: 3, or 1 for all. Default: the tier's.
	EgressZones int `json:"egressZones"`
}

// Egress is one line of the list of networks that may be reached.
type Egress struct {
	// cidr is an IPv4 network, /8 to /32.
	CIDR string `json:"cidr"`
	// purpose says what is there, 1 to 255 characters, for whoever audits the list.
	Purpose string `json:"purpose"`
}

// CloudCluster is the EKS cluster.
type CloudCluster struct {
	// version is a minor release of Kubernetes, such as "1.33". Raise it by one at a time.
	Version string `json:"version"`
	// instanceType is that of its machines, such as m6i.large. It needs a price in the
	// price book.
	InstanceType string `json:"instanceType"`
	// nodesPerZone is how many machines run in each of 3 zones, 1 to 20.
	NodesPerZone int `json:"nodesPerZone"`
	// mostPerZone is how many may run in a zone while an update replaces them or load
	// grows: more than nodesPerZone, at most 40.
	MostPerZone int `json:"mostPerZone"`
	// diskGiB is the size of a machine's disk, 20 to 1000. Default 100.
	DiskGiB int `json:"diskGiB"`
	// clients are private IPv4 networks besides the environment's own that reach the
	// Kubernetes API, which has no public address, at most 20.
	Clients []string `json:"clients"`
}

// CloudDatabase is the Aurora PostgreSQL cluster.
type CloudDatabase struct {
	// engineVersion is an exact release of Aurora PostgreSQL, such as "16.6".
	EngineVersion string `json:"engineVersion"`
	// instanceClass is that of its members, such as db.r6g.large. It needs a price in
	// the price book.
	InstanceClass string `json:"instanceClass"`
	// instances are its members, each in another zone, 1 to 3. Default: the tier's.
	Instances int `json:"instances"`
	// authoritiesFile holds the authorities of its members' certificates, those of RDS in
	// the region: a PEM file from the project's folder. Default
	// environments/authorities/databases.pem.
	AuthoritiesFile string `json:"authoritiesFile"`
}

// BrokerKind is where the broker runs.
type BrokerKind string

const (
	// BrokerAmazonMQ is a cluster of three in Amazon MQ for RabbitMQ, one in each zone.
	BrokerAmazonMQ BrokerKind = "AmazonMQ"
	// BrokerInCluster is a cluster of three pods, as on bare metal: it costs no machines
	// of its own, and nothing while the environment sleeps.
	BrokerInCluster BrokerKind = "InCluster"
)

// CloudBroker is the message broker.
type CloudBroker struct {
	// kind is AmazonMQ or InCluster. Default: the class's.
	Kind BrokerKind `json:"kind"`
	// engineVersion is a release of RabbitMQ 4 that Amazon MQ offers, such as "4.2"; for
	// AmazonMQ only.
	EngineVersion string `json:"engineVersion"`
	// instanceType is that of its members, such as mq.m7g.large; for AmazonMQ only. It
	// needs a price in the price book.
	InstanceType string `json:"instanceType"`
	// member is the size of each of its three pods; for InCluster only.
	Member Store `json:"member"`
}

// CloudEdge is where traffic from outside enters.
type CloudEdge struct {
	// domain is the DNS zone of the environment. Default: its name under
	// aws.spine.nhs.uk.
	Domain string `json:"domain"`
	// exposure is Internet, or Internal for an edge that only private lines reach.
	// Default: the class's.
	Exposure Exposure `json:"exposure"`
	// shield is Standard, or Advanced for AWS's response team and cost protection.
	// Default: the class's.
	Shield Shield `json:"shield"`
	// clientAuthoritiesFile holds the authorities of system clients' certificates, a PEM
	// file from the project's folder; omit it for no such clients.
	ClientAuthoritiesFile string `json:"clientAuthoritiesFile"`
}

// Exposure is who reaches an edge.
type Exposure string

// Who reaches an edge.
const (
	ExposureInternet Exposure = "Internet"
	ExposureInternal Exposure = "Internal"
)

// Shield is a level of AWS Shield.
type Shield string

// Levels of AWS Shield. Advanced is a subscription of 3,000 USD a month for a whole
// organisation, with a commitment of a year.
const (
	ShieldStandard Shield = "Standard"
	ShieldAdvanced Shield = "Advanced"
)
