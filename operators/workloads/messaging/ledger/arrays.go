// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/binary"

	"github.com/jackc/pgx/v5/pgtype"
)

// array is a one-dimensional array in PostgreSQL's binary form, made in place: a batch's bodies are copied once, into
// room that the next batch uses again.
type array struct {
	buffer []byte
	nulls  bool
}

func (a *array) begin(element uint32, n int) {
	a.nulls = false
	b := a.buffer[:0]
	b = binary.BigEndian.AppendUint32(b, 1)
	// Whether there are nulls is set by end.
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint32(b, element)
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	a.buffer = binary.BigEndian.AppendUint32(b, 1)
}

func (a *array) null() {
	a.nulls = true
	a.buffer = binary.BigEndian.AppendUint32(a.buffer, 0xffffffff)
}

func (a *array) bytes(v []byte) {
	a.buffer = binary.BigEndian.AppendUint32(a.buffer, uint32(len(v)))
	a.buffer = append(a.buffer, v...)
}

func (a *array) text(v string) {
	a.buffer = binary.BigEndian.AppendUint32(a.buffer, uint32(len(v)))
	a.buffer = append(a.buffer, v...)
}

func (a *array) int64(v int64) {
	a.buffer = binary.BigEndian.AppendUint32(a.buffer, 8)
	a.buffer = binary.BigEndian.AppendUint64(a.buffer, uint64(v))
}

func (a *array) int16(v int16) {
	a.buffer = binary.BigEndian.AppendUint32(a.buffer, 2)
	a.buffer = binary.BigEndian.AppendUint16(a.buffer, uint16(v))
}

func (a *array) uuid(v pgtype.UUID) {
	if !v.Valid {
		a.null()
		return
	}
	a.bytes(v.Bytes[:])
}

func (a *array) end() []byte {
	if a.nulls {
		a.buffer[7] = 1
	}
	return a.buffer
}

// The parameters of an insert, in their order.
const (
	pSeq = iota
	pSize
	pParts
	pFlags
	pSender
	pRecipient
	pInteraction
	pRequest
	pLocal
	pLane
	pHash
	pExtra
	pBody
	pKey
	pPrint
	parameters
)

var elements = [parameters]uint32{
	pgtype.Int8OID, pgtype.Int8OID, pgtype.Int2OID, pgtype.Int2OID, pgtype.TextOID, pgtype.TextOID, pgtype.TextOID,
	pgtype.TextOID, pgtype.TextOID, pgtype.TextOID, pgtype.ByteaOID, pgtype.ByteaOID, pgtype.ByteaOID, pgtype.UUIDOID, pgtype.UUIDOID,
}

// encode makes the parameters of an insert; they are good until the next encode.
func (b *batch) encode(entries []*Entry) [][]byte {
	for i := range b.arrays {
		b.arrays[i].begin(elements[i], len(entries))
	}
	a := &b.arrays
	for _, e := range entries {
		a[pSeq].int64(int64(e.Seq))
		a[pSize].int64(int64(len(e.Body)))
		a[pParts].int16(e.Parts)
		a[pFlags].int16(e.Flags)
		a[pSender].text(e.Sender)
		a[pRecipient].text(e.Recipient)
		a[pInteraction].text(e.Interaction)
		a[pRequest].text(e.RequestID)
		a[pLocal].text(e.LocalID)
		a[pLane].text(e.Lane)
		a[pHash].bytes(e.hash[:])
		if e.extra == nil {
			a[pExtra].null()
		} else {
			a[pExtra].bytes(e.extra)
		}
		a[pBody].bytes(e.Body)
		a[pKey].uuid(e.key)
		a[pPrint].uuid(e.print)
	}
	values := make([][]byte, parameters)
	for i := range b.arrays {
		values[i] = b.arrays[i].end()
		if cap(b.arrays[i].buffer) > keepBuffer {
			// A giant batch must not keep its room for ever.
			b.arrays[i].buffer = nil
		}
	}
	return values
}

// keepBuffer is the most room that an array keeps for the next batch.
const keepBuffer = 4 << 20
