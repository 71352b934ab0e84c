// SPDX-License-Identifier: Apache-2.0

package ports

// MessagingStatus is what a message gateway counts, as its /statusz says it. The counts
// are of the ledger and so the same at every gateway.
type MessagingStatus struct {
	// Acknowledged and Settled messages since the ledger began, and those Unsettled now.
	Acknowledged int64 `json:"acknowledged"`
	Settled      int64 `json:"settled"`
	Unsettled    int64 `json:"unsettled"`
	// OldestUnsettledSeconds is the age of the oldest of them; 0 when there is none.
	OldestUnsettledSeconds float64 `json:"oldestUnsettledSeconds"`
	// DeadLettered messages by supplier.
	DeadLettered []DeadLettered `json:"deadLettered"`
	// StoppedSuppliers are those whose kill switch is on.
	StoppedSuppliers []string `json:"stoppedSuppliers"`
	// Broker says whether the gateway that answered is connected to the broker.
	Broker Reached `json:"broker"`
	// Replication to the other site; nil where there is none, or it is not known.
	Replication *ReplicationStatus `json:"replication"`
	// Standbys of the database that receive what it writes, by the primary's word; nil when it is not known.
	Standbys []string `json:"standbys"`
}

// Reached says whether a program has a connection to something.
type Reached struct {
	Connected bool `json:"connected"`
}

// DeadLettered is a number of messages of one supplier that no retry could deliver.
type DeadLettered struct {
	// Supplier by name, Count of messages.
	Supplier string `json:"supplier"`
	Count    int64  `json:"count"`
}
