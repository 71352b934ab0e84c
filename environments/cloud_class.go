// SPDX-License-Identifier: Apache-2.0

package environments

// Class is a kind of environment.
type Class string

// The classes.
const (
	// ClassLive serves patients.
	ClassLive Class = "Live"
	// ClassRecovery takes over when the account of a live environment is lost: it is on
	// the live side of the fence, and in the same region, since there is no other one in
	// the United Kingdom.
	ClassRecovery Class = "Recovery"
	// ClassAssurance is shaped as live is, to learn what live would do.
	ClassAssurance Class = "Assurance"
	// ClassTest is where changes and partners are tested.
	ClassTest Class = "Test"
	// ClassTraining is where people and suppliers learn the service.
	ClassTraining Class = "Training"
	// ClassDevelopment is where changes are made.
	ClassDevelopment Class = "Development"
)

// classOrder is the order in which classes are listed.
var classOrder = []Class{ClassLive, ClassRecovery, ClassAssurance, ClassTest, ClassTraining, ClassDevelopment}

// serving says whether the class is on the live side of the fence.
func (c Class) serving() bool { return c == ClassLive || c == ClassRecovery }

// Classes are Go values rather than files: a wrong key or type does not compile, each
// value has its reason beside it, and nothing has to be found at run time. What is empty
// is left to the tier, and then to the defaults.
var classes = map[Class]Cloud{
	ClassLive: {
		// e-RS is operated 24x365 with a recovery of 4 hours: gold.
		Tier: TierGold, DataClass: DataPatient,
		// 400 dynamic pages a second at peak, with one zone lost and at most 80 % utilised,
		// is two of three zones: six machines carry it on four.
		Cluster: CloudCluster{InstanceType: "m6i.xlarge", NodesPerZone: 2, MostPerZone: 6},
		// Memory-optimised: the working set of slots and referrals is read all day.
		Database: CloudDatabase{InstanceClass: "db.r6g.2xlarge"},
		Broker:   CloudBroker{Kind: BrokerAmazonMQ, EngineVersion: brokerVersion, InstanceType: "mq.m7g.large"},
		Edge:     CloudEdge{Exposure: ExposureInternet, Shield: ShieldStandard},
		// With one replica of three lost, the others carry the peak at 80 %.
		Messaging: CloudMessaging{Gateway: Workload{Replicas: 3, CPUMillis: 500, MemoryMiB: 512}},
		Booking:   CloudBooking{Service: Workload{Replicas: 3, CPUMillis: 1000, MemoryMiB: 512}},
		// A week in which two people can still take the lock back, and then nobody.
		Recovery: Recovery{Standby: StandbyNone, LockAfterDays: 7},
		// Deleted by mistake, a letter can be had back for as long as the database can.
		Documents: Documents{LockDays: 35},
		// Two years: longer than the year that the rules ask, so that one reporting year can
		// always be compared with the one before it.
		Logs:    Logs{RetentionDays: 731},
		Finance: Finance{MonthlyBudgetUSD: 12000, Running: RunningAlways},
	},
	ClassRecovery: {
		Tier: TierGold, DataClass: DataPatient,
		// One machine in each zone: enough for probes, and grown when it takes over.
		Cluster:   CloudCluster{InstanceType: "m6i.xlarge", NodesPerZone: 1, MostPerZone: 6},
		Database:  CloudDatabase{InstanceClass: "db.r6g.2xlarge"},
		Broker:    CloudBroker{Kind: BrokerAmazonMQ, EngineVersion: brokerVersion, InstanceType: "mq.m7g.large"},
		Edge:      CloudEdge{Exposure: ExposureInternet, Shield: ShieldStandard},
		Messaging: CloudMessaging{Gateway: Workload{Replicas: 3, CPUMillis: 500, MemoryMiB: 512}},
		Booking:   CloudBooking{Service: Workload{Replicas: 3, CPUMillis: 500, MemoryMiB: 512}},
		Recovery:  Recovery{Standby: StandbyWarm, LockAfterDays: 7},
		Documents: Documents{LockDays: 35},
		Logs:      Logs{RetentionDays: 731},
		Finance:   Finance{MonthlyBudgetUSD: 9000, Running: RunningAlways},
	},
	ClassAssurance: {
		Tier: TierSilver, DataClass: DataSynthetic,
		// The same types as live, fewer of them: what is measured can be scaled.
		Cluster:   CloudCluster{InstanceType: "m6i.xlarge", NodesPerZone: 1, MostPerZone: 4},
		Database:  CloudDatabase{InstanceClass: "db.r6g.xlarge"},
		Broker:    CloudBroker{Kind: BrokerAmazonMQ, EngineVersion: brokerVersion, InstanceType: "mq.m7g.large"},
		Edge:      CloudEdge{Exposure: ExposureInternet, Shield: ShieldStandard},
		Messaging: CloudMessaging{Gateway: Workload{Replicas: 2, CPUMillis: 500, MemoryMiB: 512}},
		Booking:   CloudBooking{Service: Workload{Replicas: 2, CPUMillis: 500, MemoryMiB: 512}},
		Recovery:  Recovery{Standby: StandbyNone},
		Documents: Documents{LockDays: 1},
		Logs:      Logs{RetentionDays: 365},
		Finance:   Finance{MonthlyBudgetUSD: 5000, Running: RunningWorkingHours},
	},
	ClassTest: {
		Tier: TierBronze, DataClass: DataSynthetic,
		Cluster:   CloudCluster{InstanceType: "t3.large", NodesPerZone: 1, MostPerZone: 2},
		Database:  CloudDatabase{InstanceClass: "db.t4g.medium"},
		Broker:    CloudBroker{Kind: BrokerInCluster},
		Edge:      CloudEdge{Exposure: ExposureInternal, Shield: ShieldStandard},
		Messaging: CloudMessaging{Gateway: Workload{Replicas: 2, CPUMillis: 100, MemoryMiB: 384}},
		Booking:   CloudBooking{Service: Workload{Replicas: 2, CPUMillis: 100, MemoryMiB: 256}},
		Recovery:  Recovery{Standby: StandbyNone},
		Documents: Documents{LockDays: 1},
		Logs:      Logs{RetentionDays: 365},
		Finance:   Finance{MonthlyBudgetUSD: 1800, Running: RunningWorkingHours},
	},
	ClassTraining: {
		// People were invited to it: a lost day cannot be had back, so two database members.
		Tier: TierSilver, DataClass: DataSynthetic,
		Cluster:   CloudCluster{InstanceType: "t3.large", NodesPerZone: 1, MostPerZone: 2},
		Database:  CloudDatabase{InstanceClass: "db.t4g.medium"},
		Broker:    CloudBroker{Kind: BrokerInCluster},
		Edge:      CloudEdge{Exposure: ExposureInternal, Shield: ShieldStandard},
		Messaging: CloudMessaging{Gateway: Workload{Replicas: 2, CPUMillis: 100, MemoryMiB: 384}},
		Booking:   CloudBooking{Service: Workload{Replicas: 2, CPUMillis: 100, MemoryMiB: 256}},
		Recovery:  Recovery{Standby: StandbyNone},
		Documents: Documents{LockDays: 1},
		Logs:      Logs{RetentionDays: 365},
		Finance:   Finance{MonthlyBudgetUSD: 2200, Running: RunningWorkingHours},
	},
	ClassDevelopment: {
		Tier: TierBronze, DataClass: DataSynthetic,
		Cluster:   CloudCluster{InstanceType: "t3.medium", NodesPerZone: 1, MostPerZone: 2},
		Database:  CloudDatabase{InstanceClass: "db.t4g.medium"},
		Broker:    CloudBroker{Kind: BrokerInCluster},
		Edge:      CloudEdge{Exposure: ExposureInternal, Shield: ShieldStandard},
		Messaging: CloudMessaging{Gateway: Workload{Replicas: 2, CPUMillis: 100, MemoryMiB: 384}},
		Booking:   CloudBooking{Service: Workload{Replicas: 2, CPUMillis: 100, MemoryMiB: 256}},
		Recovery:  Recovery{Standby: StandbyNone},
		Documents: Documents{LockDays: 1},
		Logs:      Logs{RetentionDays: 365},
		Finance:   Finance{MonthlyBudgetUSD: 1500, Running: RunningWorkingHours},
	},
}

// brokerVersion is the release of RabbitMQ 4 that Amazon MQ offers, on mq.m7g only: queues
// that never give a message up by themselves are not to be had before it.
const brokerVersion = "4.2"
