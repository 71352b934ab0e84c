// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

const stamp = "20060102150405"

// retrieve hands out a message, or one of its chunks, or with HEAD only what is known about it.
func (h *Handler) retrieve(c *call) error {
	number := 1
	if len(c.params) > 2 {
		if number = chunkNumber(c.params[2]); number < 1 {
			return invalid("path", "chunk_number", "must be a number from 1")
		}
	}
	m, err := h.service.Retrieve(c.r.Context(), c.box.ID, upper(c.params[1]), number)
	if err != nil {
		return err
	}
	header := c.w.Header()
	messageHeaders(header, m, number)
	if m.Kind == message.KindReport {
		header["Content-Type"] = []string{"application/octet-stream"}
		c.empty(http.StatusOK)
		return nil
	}
	status := http.StatusOK
	if number < m.Parts {
		status = http.StatusPartialContent
	}
	mediaType := "application/octet-stream"
	if c.version > 1 && m.Parts < 2 && m.ContentType != "" {
		mediaType = m.ContentType
	}
	// A payload is a payload whatever type its sender gave it: nothing may guess further.
	header["X-Content-Type-Options"] = []string{"nosniff"}
	if m.ContentEncoding != "gzip" {
		c.write(status, mediaType, m.Body)
		return nil
	}
	if !accepts(c.r.Header.Get("Accept-Encoding"), "gzip") {
		if unpacked, err := gzip.NewReader(bytes.NewReader(m.Body)); err == nil {
			return c.stream(status, mediaType, unpacked)
		}
		// It is not what its sender said it was, so it is handed on as it came.
	}
	header["Content-Encoding"] = []string{"gzip"}
	header[mexCompressed] = []string{"Y"}
	c.write(status, mediaType, m.Body)
	return nil
}

// stream unpacks on the way out: how large a small body becomes is the sender's choice, so it is never held whole.
func (c *call) stream(status int, mediaType string, body io.Reader) error {
	c.status = status
	c.w.Header()["Content-Type"] = []string{mediaType}
	c.w.WriteHeader(status)
	if c.r.Method == http.MethodHead {
		return nil
	}
	_, err := io.Copy(c.w, body)
	return err
}

// messageHeaders are what the published API says about a message; empty ones are left out.
func messageHeaders(header http.Header, m *message.Message, number int) {
	set := func(name, value string) {
		if value != "" {
			header[name] = []string{value}
		}
	}
	from, to := m.Sender, m.Recipient
	event, code, description, success := eventTransfer, "00", "Transferred to recipient mailbox", "SUCCESS"
	if m.Kind == message.KindReport {
		// A report names, as published, whom the undelivered message was for; it comes from nobody.
		from, to, success = "", "", "ERROR"
		if r := m.Report; r != nil {
			to = r.To
			event, code, description = r.Event, r.Code, r.Description
			set("Mex-LinkedMsgID", r.LinkedID)
		}
	}
	fileName := m.FileName
	if fileName == "" {
		fileName = m.ID + ".dat"
	}
	set(mexFrom, from)
	set(mexTo, to)
	set(mexWorkflow, m.Interaction)
	set(mexChunkRange, strconv.Itoa(number)+":"+strconv.Itoa(m.Parts))
	set(mexTotalChunks, strconv.Itoa(m.Parts))
	set("Mex-AddressType", "ALL")
	set(mexLocalID, m.LocalID)
	set(mexFileName, fileName)
	set(mexSubject, m.Subject)
	set("Mex-Version", "1.0")
	set(mexMessageType, string(m.Kind))
	set("Mex-MessageID", m.ID)
	set("Mex-StatusEvent", event)
	set("Mex-StatusCode", code)
	set("Mex-StatusDescription", description)
	set("Mex-StatusSuccess", success)
	set("Mex-StatusTimestamp", m.AcceptedAt.UTC().Format(stamp))
	set(mexContentType, m.ContentType)
	for _, name := range []string{mexPartnerID, mexCompressed, mexEncrypted, mexChecksum} {
		set(name, m.Metadata[name])
	}
	set("Last-Modified", m.AcceptedAt.UTC().Format(http.TimeFormat))
}

// accepts says whether an Accept-Encoding header takes a coding: named, and not with a quality of zero.
func accepts(header, coding string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, quality, _ := strings.Cut(item, ";")
		if name = strings.TrimSpace(name); !strings.EqualFold(name, coding) && name != "*" {
			continue
		}
		q, given := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(quality, " ", "")), "q=")
		if !given {
			return true
		}
		weight, err := strconv.ParseFloat(q, 64)
		return err == nil && weight > 0
	}
	return false
}

func stampOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(stamp)
}
