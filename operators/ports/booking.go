// SPDX-License-Identifier: Apache-2.0

package ports

// BookingStatus is what a booking service counts, as its /statusz says it. The counts are
// of the database and so the same at every replica.
type BookingStatus struct {
	// Bookings are live appointments that are still to come; Referrals are all referrals.
	Bookings  int64 `json:"bookings"`
	Referrals int64 `json:"referrals"`
	// OutboxPending counts events that the message gateway has not accepted.
	OutboxPending int64 `json:"outboxPending"`
	// OutboxOldestSeconds is the age of the oldest of them; 0 when there is none.
	OutboxOldestSeconds float64 `json:"outboxOldestSeconds"`
	// ASIOpen counts appointment-slot issues that nobody has answered.
	ASIOpen int64 `json:"asiOpen"`
	// Intake is what the replica that answered does with requests: Open, Closed or Stopped; empty
	// from a program that knows no other than Open and Closed. InFlight are those that it works on.
	Intake   string `json:"intake"`
	InFlight int64  `json:"inFlight"`
	// Replication to the other site; nil where there is none, or it is not known.
	Replication *ReplicationStatus `json:"replication"`
	// Standbys of the database that receive what it writes, by the primary's word; nil when it is not known.
	Standbys []string `json:"standbys"`
}
