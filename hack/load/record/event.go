// SPDX-License-Identifier: Apache-2.0

// Package record keeps what the load generator and its receivers saw, in append-only files of fixed-size events, so
// that a checker can afterwards hold the system to it. Files survive a kill -9 of the process that writes them: at
// most the last block of a file is torn, and a torn block is left out when the file is read.
package record

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Kind says what happened.
type Kind uint8

// The kinds. Senders and users write the first group, receivers the second, and the checker itself the third.
const (
	// Acknowledged: the system answered that it holds the message, or that the slot is booked. Ref names it.
	Acknowledged Kind = 1 + iota
	// Duplicate: the system recognised a retry of a message it holds. It counts as acknowledged.
	Duplicate
	// Refused: the system answered that it will not do it.
	Refused
	// Ambiguous: no answer, or one that leaves open whether it was done. Either outcome is allowed.
	Ambiguous
	// Cancelling: a booking is about to be cancelled; from here on it may be gone.
	Cancelling
	// Cancelled: the system answered that the booking is cancelled.
	Cancelled

	// Delivered: a receiver got the message. Start is when it asked, Party the mailbox that it read.
	Delivered
	// Settled: the system answered that it took the receiver's settlement.
	Settled
	// Foreign: a receiver got something that carries no intact mark of this generator.
	Foreign

	// Held: the ledger holds the message, unsettled or as a dead letter.
	Held
	// Finished: the ledger holds the message, settled.
	Finished
	// Live: the database holds a live booking of the slot.
	Live

	kinds
)

var kindNames = [kinds]string{
	Acknowledged: "acknowledged", Duplicate: "duplicate", Refused: "refused", Ambiguous: "ambiguous", Cancelling: "cancelling",
	Cancelled: "cancelled", Delivered: "delivered", Settled: "settled", Foreign: "foreign", Held: "held", Finished: "finished", Live: "live",
}

func (k Kind) String() string {
	if k == 0 || k >= kinds {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return kindNames[k]
}

// Size of an encoded event in bytes.
const Size = 64

// Event is one thing that was seen. Times are Unix nanoseconds, 0 where they do not apply.
type Event struct {
	// Key names what it is about: a message's Mark, or a booked slot.
	Key  [16]byte
	Kind Kind
	// Attempt counts retries from 1.
	Attempt uint8
	// Status is the HTTP status, 0 when there was no answer.
	Status uint16
	// Party is the mailbox, or the user, that saw it.
	Party uint16
	// Start is when it was meant to begin (senders) or when it was asked for (receivers).
	Start int64
	// At is when it was seen.
	At int64
	// Hash is that of the message's body.
	Hash [16]byte
	// Ref stands for the system's own name of it: Ref of a message ID, or a UBRN's number.
	Ref uint64
}

// Latency from the intended start.
func (e *Event) Latency() time.Duration { return time.Duration(e.At - e.Start) }

// append encodes the event behind b.
func (e *Event) append(b []byte) []byte {
	b = append(b, e.Key[:]...)
	b = append(b, byte(e.Kind), e.Attempt)
	b = binary.LittleEndian.AppendUint16(b, e.Status)
	b = binary.LittleEndian.AppendUint16(b, e.Party)
	b = append(b, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(e.Start))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.At))
	b = append(b, e.Hash[:]...)
	return binary.LittleEndian.AppendUint64(b, e.Ref)
}

// decode reads an event from exactly Size bytes.
func (e *Event) decode(b []byte) error {
	_ = b[Size-1]
	e.Kind, e.Attempt = Kind(b[16]), b[17]
	if e.Kind == 0 || e.Kind >= kinds {
		return fmt.Errorf("an event of unknown kind %d", b[16])
	}
	copy(e.Key[:], b)
	e.Status = binary.LittleEndian.Uint16(b[18:])
	e.Party = binary.LittleEndian.Uint16(b[20:])
	e.Start = int64(binary.LittleEndian.Uint64(b[24:]))
	e.At = int64(binary.LittleEndian.Uint64(b[32:]))
	copy(e.Hash[:], b[40:])
	e.Ref = binary.LittleEndian.Uint64(b[56:])
	return nil
}
