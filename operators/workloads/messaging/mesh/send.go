// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"errors"
	"net/http"
	"strconv"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// send accepts a message, or the first of its chunks. The answer comes when it is durable.
func (h *Handler) send(c *call) error {
	s, err := c.submission()
	if err != nil {
		return err
	}
	total := 1
	if text := c.r.Header.Get(mexChunkRange); text != "" {
		var number int
		if number, total, err = parseChunkRange(text); err != nil {
			return badChunkRange("", err.Error())
		}
		if number != 1 {
			return badChunkRange("", "must begin with chunk 1 here; the others go to /outbox/{message}/{chunk}")
		}
	}
	body, done, err := h.body(c)
	if err != nil {
		return err
	}
	defer done()
	if len(body) == 0 {
		return &fault{status: http.StatusExpectationFailed, event: eventCollect, code: codeNoData,
			text: "MissingDataFile: the request has no body; put the message into it"}
	}
	s.Body = body
	var receipt message.Receipt
	if total == 1 {
		receipt, err = h.service.Submit(c.r.Context(), s)
	} else {
		receipt, err = h.service.Begin(c.r.Context(), s, total)
	}
	if err != nil {
		return err
	}
	c.accepted(receipt.ID, 0)
	return nil
}

// sendChunk accepts a further chunk of a message.
func (h *Handler) sendChunk(c *call) error {
	id := upper(c.params[1])
	number := chunkNumber(c.params[2])
	if number < 1 || number > maxParts {
		return invalid("path", "chunk_number", "must be a number from 2 to 999: the first chunk goes to /outbox")
	}
	if number == 1 {
		return badChunkRange(id, "1 belongs to /outbox, where a new message begins")
	}
	if text := c.r.Header.Get(mexChunkRange); text != "" {
		ranged, _, err := parseChunkRange(text)
		if err != nil {
			return badChunkRange(id, err.Error())
		}
		if ranged != number {
			return badChunkRange(id, "must have the number of the path")
		}
	}
	if _, err := contentEncoding(c.r); err != nil {
		return err
	}
	body, done, err := h.body(c)
	if err != nil {
		return err
	}
	defer done()
	if len(body) == 0 {
		return &fault{status: http.StatusExpectationFailed, event: eventCollect, code: codeNoData, messageID: id,
			text: "MissingDataFile: the request has no body; put the chunk into it"}
	}
	switch err := h.service.AddPart(c.r.Context(), c.box.ID, id, number, body); {
	case errors.Is(err, message.ErrConflict), errors.Is(err, message.ErrGone):
		return &fault{status: http.StatusLocked, event: eventSend, messageID: id,
			text: "this chunk was received before with other bytes, or the message is complete: it takes no more chunks; send a new message"}
	case errors.Is(err, message.ErrInvalid):
		return &fault{status: http.StatusNotAcceptable, event: eventSend, messageID: id, text: err.Error()}
	case err != nil:
		return err
	}
	c.accepted(id, number)
	return nil
}

// accepted answers 202. It is written by hand because it is what every sender waits for; IDs need no escaping, chunk
// numbers are not negative.
func (c *call) accepted(id string, chunk int) {
	text := make([]byte, 0, 80)
	if c.version < 2 {
		text = append(text, `{"messageID":"`...)
	} else {
		text = append(text, `{"message_id":"`...)
	}
	text = append(text, id...)
	text = append(text, '"')
	if chunk > 0 && c.version < 2 {
		text = append(text, `,"blockID":`...)
		text = strconv.AppendInt(text, int64(chunk), 10)
	}
	text = append(text, '}')
	c.write(http.StatusAccepted, c.mediaType(), text)
}
