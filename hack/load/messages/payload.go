// SPDX-License-Identifier: Apache-2.0

// Package messages sends messages to the gateway as many independent systems would, and receives and settles them.
package messages

import (
	"fmt"
	"math/rand/v2"

	"spine.nhs.uk/controlplane/hack/load/record"
)

// Payload makes bodies of one size. A mark always gets the same body, so that a retry repeats it.
type Payload struct {
	size  int
	noise []byte
}

// offsets is how many places in the noise a body may begin at.
const offsets = 64 << 10

// NewPayload takes the size of the bodies in bytes: record.Overhead to 4,000,000.
func NewPayload(size int) (*Payload, error) {
	if size < record.Overhead || size > 4_000_000 {
		return nil, fmt.Errorf("--size %d: expected %d to 4000000 bytes", size, record.Overhead)
	}
	p := &Payload{size: size, noise: make([]byte, size+offsets)}
	// Letters and digits: a body that does not compress to nothing, and that is text.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	r := rand.NewPCG(1, 2)
	for i := 0; i < len(p.noise); i += 8 {
		for v, j := r.Uint64(), i; j < min(i+8, len(p.noise)); j++ {
			p.noise[j] = alphabet[v&63]
			v >>= 6
		}
	}
	return p, nil
}

// Body makes the body of a mark in buf, which is grown as needed.
func (p *Payload) Body(m record.Mark, buf []byte) []byte {
	at := (m.Seq * 2654435761) % offsets
	buf = append(buf[:0], p.noise[at:at+uint64(p.size)]...)
	m.Head(buf)
	return buf
}
