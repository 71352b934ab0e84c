// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// Flags of messages and deliveries, as the tables hold them.
const (
	// FlagTracked: how it ended is kept for the sender.
	FlagTracked int16 = 1 << iota
	// FlagReport: a report by the gateway, not data.
	FlagReport
	// FlagDispatched: references go through the broker. Others wait in their lane to be listed.
	FlagDispatched
	// FlagReported: the sender had its report that nobody collects it.
	FlagReported
	// FlagExpress: no retries, and no dead letter after the last attempt.
	FlagExpress
)

// Entry is a message on its way into the ledger, and then what became of it.
type Entry struct {
	// Seq is its number, from Next.
	Seq message.Seq
	*message.Submission
	// Lane is who takes it; empty while parts are missing.
	Lane  string
	Flags int16
	// Parts is 1 for a message in one piece; Size the bytes of the whole body, as far as known.
	Parts int16
	// Dedupe: recognise a repeat of the request ID.
	Dedupe bool
	Report *message.Report

	hash       [sha256.Size]byte
	key, print pgtype.UUID
	extra      []byte

	// Duplicate is the number of the first message when this one repeats it.
	Duplicate message.Seq
	// Err is nil when the message, or the first that it repeats, is durable; else ErrConflict or ErrUnavailable.
	Err error
}

// extra is what few messages have; JSON in one column.
type extra struct {
	Subject         string            `json:"s,omitempty"`
	FileName        string            `json:"f,omitempty"`
	ContentType     string            `json:"t,omitempty"`
	ContentEncoding string            `json:"e,omitempty"`
	Metadata        map[string]string `json:"m,omitempty"`
	Report          *message.Report   `json:"r,omitempty"`
}

// seal computes what the batch needs, in the goroutine of the submitter rather than in the writer's.
func (e *Entry) seal() error {
	e.hash = sha256.Sum256(e.Body)
	if e.Dedupe && e.RequestID != "" {
		e.key, e.print = requestKey(e.Sender, e.RequestID), e.payloadPrint()
	}
	x := extra{e.Subject, e.FileName, e.ContentType, e.ContentEncoding, e.Metadata, e.Report}
	if x.Subject == "" && x.FileName == "" && x.ContentType == "" && x.ContentEncoding == "" && len(x.Metadata) == 0 && x.Report == nil {
		return nil
	}
	var err error
	e.extra, err = json.Marshal(x)
	return err
}

func requestKey(sender, request string) pgtype.UUID {
	b := make([]byte, 0, 128)
	b = append(append(append(b, sender...), 0), request...)
	return cutUUID(sha256.Sum256(b))
}

// payloadPrint covers all that makes two requests the same: where the message goes, what it is, and its bytes.
func (e *Entry) payloadPrint() pgtype.UUID {
	b := make([]byte, 0, 160)
	b = append(append(b, e.Recipient...), 0)
	b = append(append(b, e.Interaction...), 0)
	b = append(append(b, e.ContentEncoding...), 0, byte(e.Parts))
	return cutUUID(sha256.Sum256(append(b, e.hash[:]...)))
}

func cutUUID(sum [sha256.Size]byte) pgtype.UUID {
	u := pgtype.UUID{Valid: true}
	copy(u.Bytes[:], sum[:16])
	return u
}

// row is a message as it is read back.
type row struct {
	seq                            message.Seq
	size                           int64
	parts, flags, attempts         int16
	sender, recipient, interaction string
	request, local                 *string
	extra, body                    []byte
}

// columns are those of row but the body and attempts.
const columns = `m.seq, m.size, m.parts, m.flags, m.sender, m.recipient, m.interaction, m.request_id, m.local_id, m.extra`

func (r *row) targets() []any {
	return []any{
		&r.seq, &r.size, &r.parts, &r.flags, &r.sender, &r.recipient, &r.interaction, &r.request, &r.local, &r.extra,
	}
}

func (r *row) header(keep time.Duration) (message.Header, error) {
	h := message.Header{
		ID: r.seq.String(), Kind: message.KindData, Sender: r.sender, Recipient: r.recipient, Interaction: r.interaction,
		Size: r.size, Parts: int(r.parts), AcceptedAt: r.seq.At(), ExpiresAt: r.seq.At().Add(keep),
	}
	if r.request != nil {
		h.RequestID = *r.request
	}
	if r.local != nil {
		h.LocalID = *r.local
	}
	if r.flags&FlagReport != 0 {
		h.Kind = message.KindReport
	}
	if r.extra != nil {
		var x extra
		if err := json.Unmarshal(r.extra, &x); err != nil {
			return h, err
		}
		h.Subject, h.FileName, h.ContentType, h.ContentEncoding = x.Subject, x.FileName, x.ContentType, x.ContentEncoding
		h.Metadata, h.Report = x.Metadata, x.Report
	}
	return h, nil
}
