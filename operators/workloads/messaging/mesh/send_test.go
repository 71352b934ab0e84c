// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

func TestSend(t *testing.T) {
	f := newFront(t)
	f.post(with("Mex-From", "alice"), with("Mex-Subject", "Greeting"), with("Mex-LocalID", "api-docs-bob-greets-alice"),
		with("Mex-FileName", "hello.txt"), with("Mex-PartnerID", "P1"), with("Mex-Content-Encrypted", "Y"),
		with("Mex-Content-Compressed", "false"), with("Mex-Content-Checksum", "b10a8db164e0754105b7a99be72e3fe5"),
		with("Content-Type", "text/plain"), with("Mex-MessageType", "DATA"), with("Mex-Chunk-Range", "1:1")).
		want(http.StatusAccepted).is(`{"message_id":"20200601122152000000_000001"}`).headers("Content-Type", mediaV2)
	f.post(v1).want(http.StatusAccepted).is(`{"messageID":"20200601122152000001_000001"}`).headers("Content-Type", "application/json")
	got := f.memory.held[0]
	want := message.Header{
		ID: "20200601122152000000_000001", Kind: message.KindData, Sender: "ALICE", Recipient: "BOB", Interaction: "API-DOCS-TEST",
		RequestID: "api-docs-bob-greets-alice", LocalID: "api-docs-bob-greets-alice", Subject: "Greeting", FileName: "hello.txt",
		ContentType: "text/plain", Size: 9, Parts: 1, AcceptedAt: f.now,
	}
	metadata := map[string]string{"Mex-PartnerID": "P1", "Mex-Content-Encrypted": "Y", "Mex-Content-Checksum": "b10a8db164e0754105b7a99be72e3fe5"}
	if !maps.Equal(got.Metadata, metadata) {
		t.Errorf("metadata %v", got.Metadata)
	}
	got.Metadata = nil
	if fmt.Sprint(got.Header) != fmt.Sprint(want) || string(got.parts[1]) != "Hello Bob" {
		t.Errorf("submitted %+v\nwant      %+v", got.Header, want)
	}
}

func TestSendTakesOlderText(t *testing.T) {
	f := newFront(t)
	f.sent(with("Mex-Subject", "caf\xe9"))
	f.sent(with("Mex-Subject", "café"))
	for _, h := range f.memory.held {
		if h.Subject != "café" {
			t.Errorf("subject %q", h.Subject)
		}
	}
}

func TestSendRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		options []option
		status  int
		v1, v2  string
	}{
		"no recipient": {[]option{without("Mex-To")}, 400,
			`"errorEvent":"SEND","errorCode":"08","errorDescription":"TO_DTS missing`, `"detail":[{"event":"SEND","code":"08","msg":"TO_DTS missing`},
		"an unknown recipient":                   {[]option{with("Mex-To", "NOBODY")}, 417, `"errorEvent":"SEND","errorCode":"12"`, `"event":"SEND","code":"12"`},
		"an unknown workflow":                    {[]option{with("Mex-WorkflowID", unrouted)}, 417, `"errorCode":"17"`, `"code":"17"`},
		"a workflow that is not the recipient's": {[]option{with("Mex-WorkflowID", "OTHER")}, 417, `"errorCode":"16"`, `"code":"16"`},
		"another sender":                         {[]option{with("Mex-From", "BOB")}, 417, `"errorCode":"07"`, `"code":"07"`},
		"a report":                               {[]option{with("Mex-MessageType", "REPORT")}, 417, `"errorCode":"11"`, `"code":"11"`},
		"no body":                                {[]option{body("")}, 417, `"errorEvent":"COLLECT","errorCode":"02"`, `"event":"COLLECT","code":"02"`},
		"another encoding":                       {[]option{with("Content-Encoding", "br")}, 422, `"errorCode":"UnsupportedContentEncoding"`, `"code":"UnsupportedContentEncoding"`},
		"a chunk range of text":                  {[]option{with("Mex-Chunk-Range", "one:two")}, 417, `"errorCode":"InvalidHeaderChunks"`, `"code":"InvalidHeaderChunks"`},
		"the second chunk":                       {[]option{with("Mex-Chunk-Range", "2:2")}, 417, `"errorCode":"InvalidHeaderChunks"`, `"msg":"Invalid chunk values: Mex-Chunk-Range must begin`},
		"too many chunks":                        {[]option{with("Mex-Chunk-Range", "1:1000")}, 417, `"errorCode":"InvalidHeaderChunks"`, `"code":"InvalidHeaderChunks"`},
		"a body that ends early":                 {[]option{body("Hello"), func(r *http.Request) { r.ContentLength = 9 }}, 400, `"errorCode":"02"`, `"code":"02"`},
		"a body over the limit":                  {[]option{body(strings.Repeat("x", 101))}, 413, `"errorCode":"TooLarge"`, `at most 100 bytes`},
		"all that is malformed, at once": {[]option{without("Mex-WorkflowID"), with("Mex-To", strings.Repeat("X", 101)),
			with("Mex-Subject", "a\tb"), with("Mex-Content-Checksum", "sha256={}")}, 400,
			`{"detail":[{"loc":["header","mex-to"],"msg":"must have at most 100 bytes","type":"value_error"},` +
				`{"loc":["header","mex-subject"],"msg":"must not have control characters","type":"value_error"},` +
				`{"loc":["header","mex-workflowid"],"msg":"is missing: name the workflow that the message belongs to","type":"value_error"},` +
				`{"loc":["header","mex-content-checksum"]`, `{"detail":[{"loc":["header","mex-to"]`},
		"a URL for a recipient": {[]option{with("Mex-To", "https://example.nhs.uk")}, 400, `"mex-to"],"msg":"must be an identifier`, `"mex-to"`},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t, func(c *Config) { c.MaxRequestBytes = 100 })
			f.post(tc.options...).want(tc.status).holds(tc.v2)
			f.post(append(tc.options, v1)...).want(tc.status).holds(tc.v1)
			if len(f.memory.held) > 0 {
				t.Errorf("accepted all the same: %s", f.memory.workflows())
			}
		})
	}
}

func TestSendAgain(t *testing.T) {
	f := newFront(t)
	again := []option{with("Mex-WorkflowID", once), with("Mex-LocalID", "R1")}
	id := f.sent(again...)
	if second := f.sent(again...); second != id {
		t.Errorf("sent again: %s, want %s", second, id)
	}
	f.post(append(again, body("Hello Eve"))...).want(http.StatusConflict).holds(`"code":"Conflict"`).holds("the same request id came before")
}

func TestSendWhenTheServiceCannot(t *testing.T) {
	for name, tc := range map[string]struct {
		err    error
		status int
		retry  string
		text   string
	}{
		"throttled":   {&message.OverloadedError{RetryAfter: 1500 * time.Millisecond, Throttled: true}, 429, "2", "over its agreed rate"},
		"full":        {&message.OverloadedError{RetryAfter: time.Second}, 503, "1", "at its capacity"},
		"stopped":     {&message.StoppedError{Supplier: "acme"}, 503, "300", `\"acme\" are stopped`},
		"unavailable": {fmt.Errorf("%w: send it again with the same Mex-LocalID", message.ErrUnavailable), 503, "1", "same Mex-LocalID"},
		"draining":    {message.ErrDraining, 503, "1", "this replica is stopping"},
		"too large":   {fmt.Errorf("%w: at most 7 bytes", message.ErrTooLarge), 413, "", "at most 7 bytes"},
		"a fault":     {errors.New("dial tcp 10.0.0.1: secret details"), 500, "", "an internal error occurred"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			f.memory.fails = tc.err
			a := f.post().want(tc.status).holds(tc.text).headers("Retry-After", tc.retry)
			if strings.Contains(a.Body.String(), "secret details") {
				t.Error("the answer shows the inside")
			}
			f.count--
			f.memory.fails = nil
			want := http.StatusForbidden
			if tc.retry != "" {
				want = http.StatusAccepted
			}
			if got := f.post(); got.Code != want {
				t.Errorf("the same token again: %d, want %d", got.Code, want)
			}
		})
	}
}

func TestChunks(t *testing.T) {
	f := newFront(t)
	id := f.sent(with("Mex-Chunk-Range", "1:3"))
	chunk := func(number string, options ...option) answer {
		return f.do("POST", "/messageexchange/ALICE/outbox/"+id+"/"+number, append([]option{f.as("ALICE"), body("part " + number)}, options...)...)
	}
	chunk("3", with("Mex-Chunk-Range", "3:3")).want(http.StatusAccepted).is(`{"message_id":"` + id + `"}`)
	f.do("GET", "/messageexchange/BOB/inbox", f.as("BOB")).want(http.StatusOK).holds(`"messages":[]`)
	chunk("4").want(http.StatusNotAcceptable)
	chunk("1").want(http.StatusExpectationFailed)
	chunk("0").want(http.StatusBadRequest)
	chunk("two").want(http.StatusBadRequest)
	chunk("2", with("Mex-Chunk-Range", "3:3")).want(http.StatusExpectationFailed).holds(`"message_id":"` + id + `"`)
	chunk("2", with("Content-Encoding", "br")).want(http.StatusUnprocessableEntity)
	chunk("2", body("")).want(http.StatusExpectationFailed)
	f.do("POST", "/messageexchange/BOB/outbox/"+id+"/2", f.as("BOB"), body("mine")).want(http.StatusNotFound)
	chunk("2", v1).want(http.StatusAccepted).is(`{"messageID":"` + id + `","blockID":2}`)
	chunk("2").want(http.StatusAccepted)
	chunk("2", body("something else")).want(http.StatusLocked).holds("takes no more chunks")
	f.do("GET", "/messageexchange/BOB/inbox", f.as("BOB")).want(http.StatusOK).holds(`"messages":["` + id + `"]`)

	read := func(path string) answer {
		return f.do("GET", "/messageexchange/BOB/inbox/"+id+path, f.as("BOB"))
	}
	read("").want(http.StatusPartialContent).is("Hello Bob").headers("Mex-Chunk-Range", "1:3", "Mex-Total-Chunks", "3")
	read("/2").want(http.StatusPartialContent).is("part 2").headers("Mex-Chunk-Range", "2:3")
	read("/3").want(http.StatusOK).is("part 3").headers("Mex-Chunk-Range", "3:3")
	read("/4").want(http.StatusNotFound)
	read("/0").want(http.StatusBadRequest)
}
