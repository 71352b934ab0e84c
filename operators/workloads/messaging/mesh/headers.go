// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// Headers of a message, in the published spelling. Their case does not matter to HTTP, but careless clients look for
// this one.
const (
	mexFrom        = "Mex-From"
	mexTo          = "Mex-To"
	mexWorkflow    = "Mex-WorkflowID"
	mexChunkRange  = "Mex-Chunk-Range"
	mexTotalChunks = "Mex-Total-Chunks"
	mexSubject     = "Mex-Subject"
	mexLocalID     = "Mex-LocalID"
	mexPartnerID   = "Mex-PartnerID"
	mexFileName    = "Mex-FileName"
	mexEncrypted   = "Mex-Content-Encrypted"
	mexCompressed  = "Mex-Content-Compressed"
	mexChecksum    = "Mex-Content-Checksum"
	mexContentType = "Mex-Content-Type"
	mexMessageType = "Mex-MessageType"
)

// sendHeaders are the headers of a message with the most bytes that each may have, as published.
var sendHeaders = [...]struct {
	name string
	max  int
}{
	to:            {mexTo, 100},
	workflow:      {mexWorkflow, 300},
	chunkRange:    {mexChunkRange, 20},
	subject:       {mexSubject, 500},
	localID:       {mexLocalID, 300},
	partnerID:     {mexPartnerID, 500},
	fileName:      {mexFileName, 300},
	encrypted:     {mexEncrypted, 20},
	compressed:    {mexCompressed, 20},
	checksum:      {mexChecksum, 100},
	payloadType:   {mexContentType, 100},
	transportType: {"Content-Type", 100},
}

const (
	to = iota
	workflow
	chunkRange
	subject
	localID
	partnerID
	fileName
	encrypted
	compressed
	checksum
	payloadType
	transportType
)

// headerKeys are the names as Go's HTTP keeps them; working them out for each request is what reading would cost most.
var headerKeys = func() (keys [len(sendHeaders)]string) {
	for i := range sendHeaders {
		keys[i] = http.CanonicalHeaderKey(sendHeaders[i].name)
	}
	return keys
}()

// messageTypeKey is worked out beforehand for the same reason.
var messageTypeKey = http.CanonicalHeaderKey(mexMessageType)

type headerValues [len(sendHeaders)]string

// sendValues reads a message's headers. All that are malformed are told at once.
func sendValues(header http.Header) (values headerValues, wrong []invalidItem) {
	bad := func(i int, text string) {
		wrong = append(wrong, item("header", strings.ToLower(sendHeaders[i].name), text))
	}
	for i := range sendHeaders {
		given := header[headerKeys[i]]
		if len(given) == 0 {
			continue
		}
		values[i] = utf8Text(strings.TrimSpace(given[0]))
		if most := sendHeaders[i].max; len(values[i]) > most {
			bad(i, fmt.Sprintf("must have at most %d bytes", most))
		} else if !printable(values[i]) {
			bad(i, "must not have control characters")
		}
	}
	if values[workflow] == "" {
		bad(workflow, "is missing: name the workflow that the message belongs to")
	}
	if strings.ContainsFunc(values[checksum], notChecksum) {
		bad(checksum, "must have letters, digits, spaces, colons, hyphens and slashes only")
	}
	for _, i := range []int{to, workflow} {
		if isURL(values[i]) {
			bad(i, "must be an identifier, not a URL")
		}
	}
	return values, wrong
}

// submission reads the message but its body. What is malformed is 400; what is well formed but not acceptable is 417,
// as published.
func (c *call) submission() (*message.Submission, error) {
	values, wrong := sendValues(c.r.Header)
	if len(wrong) > 0 {
		return nil, &fault{status: http.StatusBadRequest, invalid: wrong}
	}
	if values[to] == "" {
		return nil, &fault{status: http.StatusBadRequest, event: eventSend, code: codeNoRecipient,
			text: "TO_DTS missing: put the recipient's mailbox ID into Mex-To"}
	}
	if from := c.r.Header.Get(mexFrom); from != "" && !strings.EqualFold(strings.TrimSpace(from), c.box.ID) {
		return nil, &fault{status: http.StatusExpectationFailed, event: eventSend, code: codeFrom,
			text: "Invalid From Address: Mex-From must be the mailbox of the Authorization header, or be left out"}
	}
	if kind := c.r.Header.Get(messageTypeKey); kind != "" && !strings.EqualFold(kind, string(message.KindData)) {
		return nil, &fault{status: http.StatusExpectationFailed, event: eventSend, code: codeMessageType,
			text: "Invalid Message Type for the transfer: Mex-MessageType must be DATA, or be left out"}
	}
	encoding, err := contentEncoding(c.r)
	if err != nil {
		return nil, err
	}
	s := &message.Submission{
		Sender: c.box.ID, Recipient: strings.ToUpper(values[to]), Interaction: values[workflow],
		RequestID: values[localID], LocalID: values[localID], Subject: values[subject], FileName: values[fileName],
		ContentType: cmp.Or(values[payloadType], values[transportType]), ContentEncoding: encoding, Tracked: true,
	}
	keep(s, mexEncrypted, flag(values[encrypted]))
	keep(s, mexCompressed, flag(values[compressed]))
	keep(s, mexChecksum, values[checksum])
	keep(s, mexPartnerID, values[partnerID])
	return s, nil
}

func keep(s *message.Submission, name, value string) {
	if value == "" {
		return
	}
	if s.Metadata == nil {
		s.Metadata = map[string]string{}
	}
	s.Metadata[name] = value
}

// flag is "Y" for a yes; a no is the same as nothing.
func flag(value string) string {
	switch strings.ToLower(value) {
	case "y", "yes", "t", "true", "on", "1":
		return "Y"
	}
	return ""
}

// contentEncoding is "gzip" or empty.
func contentEncoding(r *http.Request) (string, error) {
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	if encoding != "" && encoding != "gzip" {
		return "", &fault{status: http.StatusUnprocessableEntity, event: eventSend, code: "UnsupportedContentEncoding",
			text: "Unsupported content encoding: compress with gzip, or leave Content-Encoding out"}
	}
	return encoding, nil
}

// maxParts is the most parts that a message may come in.
const maxParts = 999

var errChunkRange = errors.New("must be n:m, the chunk's number and how many there are, with 1 <= n <= m <= 999")

// parseChunkRange reads a Mex-Chunk-Range.
func parseChunkRange(text string) (number, total int, err error) {
	first, second, ok := strings.Cut(text, ":")
	if !ok {
		return 0, 0, errChunkRange
	}
	number, total = chunkNumber(first), chunkNumber(second)
	if number < 1 || total < number || total > maxParts {
		return 0, 0, errChunkRange
	}
	return number, total, nil
}

// chunkNumber is -1 for what is not a plain number.
func chunkNumber(text string) int {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > 9 || strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		return -1
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}

func badChunkRange(id, text string) error {
	return &fault{status: http.StatusExpectationFailed, event: eventSend, code: "InvalidHeaderChunks", messageID: id,
		text: "Invalid chunk values: Mex-Chunk-Range " + text}
}

func notChecksum(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != ' ' && r != ':' && r != '-' && r != '/'
}

func isURL(s string) bool {
	s = strings.ToLower(s)
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// printable says that the text is UTF-8 without control characters.
func printable(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return false
		}
	}
	return true
}

// utf8Text takes bytes that are not UTF-8 for ISO 8859-1, which is what older clients send.
func utf8Text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}
