// SPDX-License-Identifier: Apache-2.0

// Package frame is the compact form of the bulk interface's bodies: records of tagged fields, each with its length,
// so that bodies travel as they are and nothing is parsed twice.
//
//	stream = record*
//	record = uvarint(length of fields) fields
//	fields = (tag byte, uvarint(length), bytes)*
//
// A field that is empty is left out, but for metadata; a tag comes at most once, but for metadata. Unknown tags are an error.
package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// ContentType is the media type of a stream of records.
const ContentType = "application/vnd.spine.frames"

// Record is one message, lease or result; each path of the interface says which fields it reads and writes.
type Record struct {
	RequestID, Recipient, Interaction, LocalID      string
	Subject, FileName, ContentType, ContentEncoding string
	Sender, ID, Lease                               string
	// Status is the outcome: acknowledged, duplicate, conflict, refused, retry; settled, rejected, expired, unknown.
	Status string
	// Code and Detail explain a status other than acknowledged, duplicate, settled and rejected.
	Code, Detail string
	// Kind is DATA (left out) or REPORT.
	Kind string
	// Until is the end of the lease, milliseconds since 1970; Attempt counts deliveries from 1.
	Until   int64
	Attempt int
	// Metadata is nil when there is none.
	Metadata map[string]string
	// Body aliases the stream that it was read from.
	Body []byte
}

const (
	tagRequestID byte = iota + 1
	tagRecipient
	tagInteraction
	tagLocalID
	tagSubject
	tagFileName
	tagContentType
	tagContentEncoding
	tagSender
	tagID
	tagLease
	tagStatus
	tagCode
	tagDetail
	tagKind
	tagUntil
	tagAttempt
	tagMetadataKey
	tagMetadataValue
	tagBody
)

// ErrMalformed: the bytes are not a stream of records.
var ErrMalformed = errors.New("malformed frame")

// Append appends the record.
func (r *Record) Append(b []byte) []byte {
	start := len(b)
	// Room for the longest length; closed up below when it is shorter.
	b = append(b, make([]byte, binary.MaxVarintLen32)...)
	for _, f := range r.strings() {
		b = appendString(b, f.tag, *f.value)
	}
	if r.Until != 0 {
		b = appendString(b, tagUntil, strconv.FormatInt(r.Until, 10))
	}
	if r.Attempt != 0 {
		b = appendString(b, tagAttempt, strconv.Itoa(r.Attempt))
	}
	for key, value := range r.Metadata {
		// Both of them, also when they are empty: a value says nothing without its key.
		b = appendField(b, tagMetadataKey, key)
		b = appendField(b, tagMetadataValue, value)
	}
	if len(r.Body) > 0 {
		b = appendField(b, tagBody, r.Body)
	}
	fields := b[start+binary.MaxVarintLen32:]
	var head [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(head[:], uint64(len(fields)))
	// The length takes its shortest form, so the fields move up by what it saves: a few bytes for small records,
	// one copy of a cache-warm body for large ones.
	copy(b[start:], head[:n])
	copy(b[start+n:], fields)
	return b[:start+n+len(fields)]
}

type field struct {
	tag   byte
	value *string
}

func (r *Record) strings() [15]field {
	return [...]field{
		{tagRequestID, &r.RequestID}, {tagRecipient, &r.Recipient}, {tagInteraction, &r.Interaction},
		{tagLocalID, &r.LocalID}, {tagSubject, &r.Subject}, {tagFileName, &r.FileName},
		{tagContentType, &r.ContentType}, {tagContentEncoding, &r.ContentEncoding}, {tagSender, &r.Sender},
		{tagID, &r.ID}, {tagLease, &r.Lease}, {tagStatus, &r.Status}, {tagCode, &r.Code},
		{tagDetail, &r.Detail}, {tagKind, &r.Kind},
	}
}

func appendString(b []byte, tag byte, s string) []byte {
	if s == "" {
		return b
	}
	return appendField(b, tag, s)
}

func appendField[T string | []byte](b []byte, tag byte, value T) []byte {
	b = append(b, tag)
	b = binary.AppendUvarint(b, uint64(len(value)))
	return append(b, value...)
}

// Reader reads records from a whole stream in memory.
type Reader struct {
	rest []byte
	// names keeps the few values that repeat (mailboxes, interactions), so that they are made once per stream.
	names map[string]string
}

// NewReader reads from b, which must not change while records of it are in use.
func NewReader(b []byte) *Reader { return &Reader{rest: b} }

// More says whether another record follows.
func (r *Reader) More() bool { return len(r.rest) > 0 }

// Next reads a record into rec, replacing all of it.
func (r *Reader) Next(rec *Record) error {
	*rec = Record{}
	fields, rest, err := cut(r.rest)
	if err != nil {
		return err
	}
	r.rest = rest
	var seen uint32
	key, haveKey := "", false
	for len(fields) > 0 {
		tag := fields[0]
		value, rest, err := cut(fields[1:])
		if err != nil {
			return err
		}
		fields = rest
		if tag != tagMetadataKey && tag != tagMetadataValue {
			if seen&(1<<tag) != 0 && tag <= tagBody {
				return fmt.Errorf("%w: tag %d comes twice in a record", ErrMalformed, tag)
			}
			seen |= 1 << (tag & 31)
		}
		if haveKey != (tag == tagMetadataValue) {
			return fmt.Errorf("%w: every metadata key (tag %d) needs its value (tag %d) next", ErrMalformed, tagMetadataKey, tagMetadataValue)
		}
		haveKey = false
		switch tag {
		case tagMetadataKey:
			key, haveKey = string(value), true
		case tagMetadataValue:
			if rec.Metadata == nil {
				rec.Metadata = make(map[string]string, 4)
			}
			rec.Metadata[key] = string(value)
		default:
			if err := r.set(rec, tag, value); err != nil {
				return err
			}
		}
	}
	if haveKey {
		return fmt.Errorf("%w: a metadata key without its value", ErrMalformed)
	}
	return nil
}

func (r *Reader) set(rec *Record, tag byte, value []byte) error {
	switch tag {
	case tagBody:
		rec.Body = value
	case tagUntil, tagAttempt:
		n, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("%w: tag %d wants a decimal number", ErrMalformed, tag)
		}
		if tag == tagUntil {
			rec.Until = n
		} else {
			rec.Attempt = int(n)
		}
	case tagRequestID:
		rec.RequestID = string(value)
	case tagRecipient:
		rec.Recipient = r.name(value)
	case tagInteraction:
		rec.Interaction = r.name(value)
	case tagSender:
		rec.Sender = r.name(value)
	case tagStatus:
		rec.Status = r.name(value)
	default:
		for _, f := range rec.strings() {
			if f.tag == tag {
				*f.value = string(value)
				return nil
			}
		}
		return fmt.Errorf("%w: unknown tag %d", ErrMalformed, tag)
	}
	return nil
}

// name is string(value) without a new string for each of many equal ones.
func (r *Reader) name(value []byte) string {
	if s, ok := r.names[string(value)]; ok {
		return s
	}
	s := string(value)
	if r.names == nil {
		r.names = make(map[string]string, 8)
	}
	if len(r.names) < 256 {
		r.names[s] = s
	}
	return s
}

func cut(b []byte) (value, rest []byte, err error) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, nil, fmt.Errorf("%w: a length goes past the end", ErrMalformed)
	}
	end := used + int(n)
	return b[used:end:end], b[end:], nil
}
