// SPDX-License-Identifier: Apache-2.0

package environments

// Catalogue is what messaging.catalogueFile holds: who exchanges which messages.
type Catalogue struct {
	// suppliers run the systems that receive, at most 50.
	Suppliers []Supplier `json:"suppliers"`
	// routes say how the messages of each interaction travel, 1 to 200.
	Routes []Route `json:"routes"`
	// mailboxes belong to those who send and receive, at most 5000. Their passwords
	// are in the secret spine:mailboxSecrets.
	Mailboxes []Mailbox `json:"mailboxes"`
}

// Supplier runs systems that receive. Its failures are kept from everybody else.
type Supplier struct {
	// name is a DNS label.
	Name string `json:"name"`
	// messagesPerSecond are delivered to it at most, 0 to 100000. Default 0: no
	// limit.
	MessagesPerSecond int `json:"messagesPerSecond"`
	// traffic is Open or Stopped. Default Open.
	Traffic Traffic `json:"traffic"`
}

// Traffic is a kill switch.
type Traffic string

const (
	// TrafficOpen accepts and delivers.
	TrafficOpen Traffic = "Open"
	// TrafficStopped refuses new messages, delivers none, and keeps those accepted.
	TrafficStopped Traffic = "Stopped"
)

// Route is how the messages of one interaction travel.
type Route struct {
	// interaction is MESH's workflow ID: 1 to 100 characters.
	Interaction string `json:"interaction"`
	// pattern is Sync, AsyncExpress, AsyncReliable, ForwardExpress or
	// ForwardReliable.
	Pattern string `json:"pattern"`
	// supplier is one of suppliers.
	Supplier string `json:"supplier"`
	// reliability is the interaction's contract: for the reliable patterns, which
	// need it, and for those that recognise repeats.
	Reliability *Reliability `json:"reliability"`
	// delivery is Inbox or Push. Default Inbox.
	Delivery string `json:"delivery"`
	// endpoint is an https URL: for Push and for Sync.
	Endpoint string `json:"endpoint"`
	// timeout of one request to the endpoint, such as "30s". Default 30s.
	Timeout string `json:"timeout"`
	// messagesPerSecond are delivered at most, 0 to 100000. Default 0: no limit.
	MessagesPerSecond int `json:"messagesPerSecond"`
	// traffic is Open or Stopped. Default Open.
	Traffic Traffic `json:"traffic"`
}

// Reliability is the contract of one interaction.
type Reliability struct {
	// retries after the first attempt, 0 to 20. Default 0.
	Retries int `json:"retries"`
	// retryInterval between two attempts, such as "1m". Default 0s.
	RetryInterval string `json:"retryInterval"`
	// persistDuration is how long delivery is attempted and repeats are recognised,
	// such as "7h". Default 0s: the service's retention.
	PersistDuration string `json:"persistDuration"`
	// duplicateElimination is Always or Never. Default Always.
	DuplicateElimination string `json:"duplicateElimination"`
}

// Mailbox is one place to send from and receive in.
type Mailbox struct {
	// id is 1 to 64 of A-Z, 0-9, '-' and '_'.
	ID string `json:"id"`
	// name is for people, at most 100 characters. Default: the id.
	Name string `json:"name"`
	// organisation is the owner's ODS code.
	Organisation string `json:"organisation"`
	// supplier is whose software it is: one of suppliers.
	Supplier string `json:"supplier"`
	// partyKey is as in X26-822080; omit it when it has none.
	PartyKey string `json:"partyKey"`
	// asid is 12 digits in quotes; omit it when it has none.
	ASID string `json:"asid"`
	// workflows are the interactions it takes part in; "*" alone for all.
	Workflows []string `json:"workflows"`
	// interface is Mesh, or Bulk for internal systems, which may use both. Default
	// Mesh.
	Interface Interface `json:"interface"`
	// certificateNames are in the owner's client certificates, at least one: DNS
	// names or plain names.
	CertificateNames []string `json:"certificateNames"`
	// certificate is Own, or Issued for one that the site issues into a Secret of
	// the namespace spine-clients, which is meant for trying things out. Default Own.
	Certificate Certificate `json:"certificate"`
}

// Interface is what a mailbox may be used through.
type Interface string

const (
	// InterfaceMesh is the MESH API.
	InterfaceMesh Interface = "Mesh"
	// InterfaceBulk is the bulk interface, besides the MESH API.
	InterfaceBulk Interface = "Bulk"
)

// Certificate is where a client's certificate comes from.
type Certificate string

const (
	// CertificateOwn clients bring theirs, issued elsewhere.
	CertificateOwn Certificate = "Own"
	// CertificateIssued clients get one from the site.
	CertificateIssued Certificate = "Issued"
)
