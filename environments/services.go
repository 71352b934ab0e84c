// SPDX-License-Identifier: Apache-2.0

package environments

// Messaging is the messaging service: gateways, the ledger and the broker.
type Messaging struct {
	// catalogueFile names the suppliers, interactions and mailboxes: a YAML file,
	// from the project's folder.
	CatalogueFile string `json:"catalogueFile"`
	// gateway is the message gateway.
	Gateway Workload `json:"gateway"`
	// database is the ledger, of three members.
	Database Store `json:"database"`
	// broker dispatches messages, of three members.
	Broker Store `json:"broker"`
}

// Booking is the booking service and its database.
type Booking struct {
	// activity is Awake, Asleep for a service that is stopped with all that it holds kept,
	// or WorkingHours for one that sleeps at night and at weekends; neither in an
	// environment of class Live or Recovery, nor at one of two sites. Default Awake, which
	// leaves it to others to put the service to sleep.
	Activity Activity `json:"activity"`
	// wake is the time of day at which it wakes on working days, such as "07:00", in
	// Europe/London; for WorkingHours only. Default 07:00.
	Wake string `json:"wake"`
	// sleep is the time of day at which it goes to sleep, such as "19:00", in
	// Europe/London; for WorkingHours only. Default 19:00.
	Sleep string `json:"sleep"`
	// service is the program with the API and the pages.
	Service Workload `json:"service"`
	// database has three members.
	Database Store `json:"database"`
	// tokens says which callers of the API are believed.
	Tokens Tokens `json:"tokens"`
	// providers says where providers' systems are; omit it when there are none: then
	// every booking that a provider has to confirm is deferred to it.
	Providers *Providers `json:"providers"`
	// hostNames are DNS names and IPv4 addresses that people reach it by, besides
	// edge.address; at most 16.
	HostNames []string `json:"hostNames"`
}

// Activity is whether a service runs.
type Activity string

// Working hours of what sleeps else: the value of a field, and what they are where nothing is said.
const (
	workingHours = "WorkingHours"
	defaultWake  = "07:00"
	defaultSleep = "19:00"
)

// Whether a service runs.
const (
	ActivityAwake        Activity = "Awake"
	ActivityAsleep       Activity = "Asleep"
	ActivityWorkingHours Activity = workingHours
)

// Workload is the size of one of our programs.
type Workload struct {
	// replicas always serve, each on another host while there are hosts, 2 to 20.
	// Default 2.
	Replicas int `json:"replicas"`
	// cpuMillis is requested for each, in thousandths of a core, 10 to 64000.
	// Default 100.
	CPUMillis int `json:"cpuMillis"`
	// memoryMiB is requested and limited for each, 64 to 65536. Default 256.
	MemoryMiB int `json:"memoryMiB"`
}

// Store is the size of each member of a database or broker.
type Store struct {
	// storageGiB is its volume, 1 to 65536. Default 10.
	StorageGiB int `json:"storageGiB"`
	// cpuMillis is requested for each, in thousandths of a core, 10 to 64000.
	// Default 100.
	CPUMillis int `json:"cpuMillis"`
	// memoryMiB is requested and limited for each, 256 to 1048576. Default 512.
	MemoryMiB int `json:"memoryMiB"`
}

// Tokens says who may issue tokens for the API.
type Tokens struct {
	// issuer is what a token names as its issuer, 1 to 256 characters.
	Issuer string `json:"issuer"`
	// audience is what a token is for, 1 to 256 characters. Default ers.
	Audience string `json:"audience"`
	// keysFile is a JSON Web Key Set with the issuer's public keys; "~/" is the home
	// of whoever runs Pulumi.
	KeysFile string `json:"keysFile"`
}

// Providers says where providers' systems are.
type Providers struct {
	// networks are IPv4 networks, 1 to 32; the service opens connections to no
	// others.
	Networks []string `json:"networks"`
	// port of their systems, 1 to 65535. Default 443.
	Port int `json:"port"`
	// caFile is the PEM file of the authority of their certificates; "~/" is the
	// home of whoever runs Pulumi.
	CAFile string `json:"caFile"`
}

func (m *Messaging) setDefaults() {
	if m != nil {
		m.Gateway.setDefaults()
		m.Database.setDefaults()
		m.Broker.setDefaults()
	}
}

func (b *Booking) setDefaults() {
	if b == nil {
		return
	}
	text((*string)(&b.Activity), string(ActivityAwake))
	if b.Activity == ActivityWorkingHours {
		text(&b.Wake, defaultWake)
		text(&b.Sleep, defaultSleep)
	}
	b.Service.setDefaults()
	b.Database.setDefaults()
	text(&b.Tokens.Audience, "ers")
	if b.Providers != nil {
		number(&b.Providers.Port, 443)
	}
}

func (w *Workload) setDefaults() {
	number(&w.Replicas, 2)
	number(&w.CPUMillis, 100)
	number(&w.MemoryMiB, 256)
}

func (s *Store) setDefaults() {
	number(&s.StorageGiB, 10)
	number(&s.CPUMillis, 100)
	number(&s.MemoryMiB, 512)
}
