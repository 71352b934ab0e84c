// SPDX-License-Identifier: Apache-2.0

package message

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// Seq is a message's number in the ledger: microseconds since 2020 (50 bits, good until 2055) and the number of the
// replica that accepted it (13 bits). It sorts by time, and no two replicas make the same.
type Seq int64

const (
	nodeBits = 13
	// Nodes is how many replica numbers there are, counting from 0.
	Nodes = 1 << nodeBits
	// idLength: 20 digits of UTC time to the microsecond, an underscore, 6 hexadecimal digits of the replica.
	idLength = 27
	idLayout = "20060102150405.000000"
)

var epoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// SeqAt is the first number of a moment, for ranges of time.
func SeqAt(t time.Time) Seq { return Seq((t.UnixMicro() - epoch) << nodeBits) }

// At is when the message was accepted.
func (s Seq) At() time.Time { return time.UnixMicro(int64(s)>>nodeBits + epoch).UTC() }

// Node is the replica that accepted it.
func (s Seq) Node() int { return int(s & (Nodes - 1)) }

// String is the message ID in the published form, for example 20261121061500123456_00002A.
func (s Seq) String() string { return string(s.Append(make([]byte, 0, idLength))) }

// Append appends the message ID.
func (s Seq) Append(b []byte) []byte {
	at := len(b)
	b = s.At().AppendFormat(b, idLayout)
	// The layout needs its point; the published form has none.
	copy(b[at+14:], b[at+15:])
	b[at+20] = '_'
	const digits = "0123456789ABCDEF"
	n := s.Node()
	for shift := 20; shift >= 0; shift -= 4 {
		b = append(b, digits[n>>shift&15])
	}
	return b
}

// ParseID reads a message ID. The error is ErrNotFound: no message has an ID of another form.
func ParseID(id string) (Seq, error) {
	if len(id) != idLength || id[20] != '_' {
		return 0, fmt.Errorf("%w: %q is not a message ID of this service", ErrNotFound, Clip(id))
	}
	at, err := time.Parse(idLayout, id[:14]+"."+id[14:20])
	node, nodeErr := strconv.ParseUint(id[21:], 16, 24)
	if err != nil || nodeErr != nil || node >= Nodes || at.UnixMicro() < epoch {
		return 0, fmt.Errorf("%w: %q is not a message ID of this service", ErrNotFound, Clip(id))
	}
	seq := SeqAt(at) | Seq(node)
	if seq.String() != id {
		return 0, fmt.Errorf("%w: %q is not a message ID of this service", ErrNotFound, Clip(id))
	}
	return seq, nil
}

// Clip shortens what a caller sent for an error text.
func Clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}

// Clock numbers messages for one replica: strictly rising, even when the wall clock steps back.
type Clock struct {
	node Seq
	last atomic.Int64
}

// NewClock takes the replica's number, below Nodes.
func NewClock(node int) *Clock { return &Clock{node: Seq(node)} }

// Next returns the next number; now is the wall clock.
func (c *Clock) Next(now time.Time) Seq {
	micros := now.UnixMicro() - epoch
	for {
		last := c.last.Load()
		if micros <= last {
			micros = last + 1
		}
		if c.last.CompareAndSwap(last, micros) {
			return Seq(micros<<nodeBits) | c.node
		}
	}
}
