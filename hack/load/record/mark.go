// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/fnv"
)

// Mark is the name that the generator gives a message. It is the request ID that a retry repeats, and it is written
// into the body, so that a receiver knows what it holds whatever the system did to it.
type Mark struct {
	// Run differs between runs of the generator, so that their messages never mix.
	Run uint32
	// Sender and Recipient are numbers of mailboxes.
	Sender, Recipient uint16
	// Seq counts a sender's messages.
	Seq uint64
}

// MarkText is the length in bytes of a mark as text.
const MarkText = 32

// prefix stands before the mark in a body.
const prefix = "spine-load "

// Overhead is the number of bytes at the start of a body that the mark takes; the smallest body is as long.
const Overhead = len(prefix) + MarkText + 1

// ErrForeign: the body was not made by this generator, or not wholly.
var ErrForeign = errors.New("the body carries no mark of the load generator")

// Key is the mark as the key of events.
func (m Mark) Key() (k [16]byte) {
	binary.BigEndian.PutUint32(k[0:], m.Run)
	binary.BigEndian.PutUint16(k[4:], m.Sender)
	binary.BigEndian.PutUint16(k[6:], m.Recipient)
	binary.BigEndian.PutUint64(k[8:], m.Seq)
	return k
}

// MarkOf is the mark whose key this is.
func MarkOf(k [16]byte) Mark {
	return Mark{
		Run: binary.BigEndian.Uint32(k[0:]), Sender: binary.BigEndian.Uint16(k[4:]),
		Recipient: binary.BigEndian.Uint16(k[6:]), Seq: binary.BigEndian.Uint64(k[8:]),
	}
}

// Append writes the mark as MarkText bytes of text: the request ID.
func (m Mark) Append(b []byte) []byte {
	k := m.Key()
	return hex.AppendEncode(b, k[:])
}

func (m Mark) String() string { return string(m.Append(nil)) }

// ParseMark reads what Append wrote.
func ParseMark(text []byte) (Mark, error) {
	var k [16]byte
	if len(text) != MarkText {
		return Mark{}, ErrForeign
	}
	if _, err := hex.Decode(k[:], text); err != nil || bytes.ContainsAny(text, "ABCDEF") {
		return Mark{}, ErrForeign
	}
	return MarkOf(k), nil
}

// Head writes the mark over the first Overhead bytes of a body.
func (m Mark) Head(body []byte) {
	b := append(body[:0], prefix...)
	b = m.Append(b)
	_ = append(b, '\n')
}

// ReadHead finds the mark in a body; ErrForeign when there is none.
func ReadHead(body []byte) (Mark, error) {
	if len(body) < Overhead || string(body[:len(prefix)]) != prefix || body[Overhead-1] != '\n' {
		return Mark{}, ErrForeign
	}
	return ParseMark(body[len(prefix) : Overhead-1])
}

// Hash of a body as events carry it: the first half of its SHA-256.
func Hash(body []byte) (h [16]byte) {
	sum := sha256.Sum256(body)
	copy(h[:], sum[:])
	return h
}

// Ref of a message ID; never 0, which stands for none.
func Ref[T string | []byte](id T) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return h.Sum64() | 1
}

// SlotKey is the key of a slot's events.
func SlotKey(slot uint64) (k [16]byte) {
	binary.BigEndian.PutUint64(k[8:], slot)
	return k
}

// SlotOf is the slot whose key this is.
func SlotOf(k [16]byte) uint64 { return binary.BigEndian.Uint64(k[8:]) }
