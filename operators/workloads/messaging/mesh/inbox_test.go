// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

func TestInboxPages(t *testing.T) {
	f := newFront(t)
	var sent []string
	for range 25 {
		sent = append(sent, f.sent())
	}
	var got []string
	next, pages := "/messageexchange/BOB/inbox?max_results=10&workflow_filter=API%2A", 0
	for next != "" {
		page := f.do("GET", next, f.as("BOB")).want(http.StatusOK).headers("Content-Type", mediaV2).object()
		for _, id := range page["messages"].([]any) {
			got = append(got, id.(string))
		}
		links := page["links"].(map[string]any)
		if self := "/messageexchange/BOB/inbox?max_results=10&workflow_filter=API%2A"; links["self"] != self {
			t.Errorf("self %v, want %s", links["self"], self)
		}
		if page["approx_inbox_count"] != 25.0 {
			t.Errorf("count %v", page["approx_inbox_count"])
		}
		next, _ = links["next"].(string)
		pages++
	}
	if pages != 3 || !slices.Equal(got, sent) {
		t.Errorf("%d pages: %v\nwant %v", pages, got, sent)
	}
	f.do("GET", "/messageexchange/BOB/inbox?max_results=10&continue_from="+sent[19], f.as("BOB"), v1).want(http.StatusOK).
		is(`{"messages":["`+strings.Join(sent[20:], `","`)+`"]}`).headers("Content-Type", "application/json")
	f.do("GET", "/messageexchange/BOB/count", f.as("BOB")).want(http.StatusOK).is(`{"count":25}`)
	f.do("GET", "/messageexchange/BOB/count", f.as("BOB"), v1).want(http.StatusOK).
		holds(`{"count":25,"internalID":"20200601`).holds(`"allResultsIncluded":true}`)
	f.do("GET", "/messageexchange/ALICE/inbox", f.as("ALICE")).want(http.StatusOK).
		is(`{"messages":[],"links":{"self":"/messageexchange/ALICE/inbox"},"approx_inbox_count":0}`)
}

func TestInboxFilters(t *testing.T) {
	f := newFront(t)
	data := f.sent()
	ack := f.sent(with("Mex-WorkflowID", "API-DOCS-TEST_ACK"))
	other := f.sent(with("Mex-WorkflowID", once))
	for filter, want := range map[string][]string{
		"":               {data, ack, other},
		"API-DOCS-TEST":  {data},
		"!API-DOCS-TEST": {ack, other},
		"API-DOCS*":      {data, ack},
		"!API-DOCS*":     {other},
		"*_ACK*":         {ack},
		"!*_ACK*":        {data, other},
		"NONE":           {},
	} {
		f.do("GET", "/messageexchange/BOB/inbox?workflow_filter="+url.QueryEscape(filter), f.as("BOB"), v1).want(http.StatusOK)
		got := f.do("GET", "/messageexchange/BOB/inbox?workflow_filter="+url.QueryEscape(filter), f.as("BOB"), v1).object()["messages"]
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %v, want %v", filter, got, want)
		}
	}
	for name, query := range map[string]string{
		"max_results": "max_results=9", "max_results again": "max_results=5001", "max_results text": "max_results=ten",
		"workflow_filter": "workflow_filter=X", "workflow_filter star": "workflow_filter=%2A%2A",
		"workflow_filter tail": "workflow_filter=%2AACK", "continue_from": "continue_from=short",
		"continue_from foreign": "continue_from=eyJwayI6ICJNQiNNU0cjTUIjMTIzNEhDMTIzNCMiLCAi",
	} {
		field, _, _ := strings.Cut(name, " ")
		f.do("GET", "/messageexchange/BOB/inbox?"+query, f.as("BOB")).want(http.StatusBadRequest).holds(`"loc":["query","` + field + `"]`)
	}
	f.do("GET", "/messageexchange/BOB/inbox?max_results=1&workflow_filter=X&continue_from=1", f.as("BOB")).want(http.StatusBadRequest).
		holds("max_results").holds("workflow_filter").holds("continue_from")
}

func TestRetrieve(t *testing.T) {
	f := newFront(t)
	id := f.sent(with("Mex-Subject", "Greeting"), with("Mex-LocalID", "L1"), with("Mex-PartnerID", "P1"),
		with("Mex-Content-Encrypted", "Y"), with("Mex-Content-Checksum", "b10a"), with("Content-Type", "text/plain"))
	path := "/messageexchange/BOB/inbox/" + id
	headers := []string{
		"Mex-From", "ALICE", "Mex-To", "BOB", "Mex-WorkflowID", "API-DOCS-TEST", "Mex-Chunk-Range", "1:1", "Mex-Total-Chunks", "1",
		"Mex-AddressType", "ALL", "Mex-LocalID", "L1", "Mex-FileName", id + ".dat", "Mex-Subject", "Greeting", "Mex-Version", "1.0",
		"Mex-MessageType", "DATA", "Mex-MessageID", id, "Mex-StatusCode", "00", "Mex-StatusEvent", "TRANSFER",
		"Mex-StatusDescription", "Transferred to recipient mailbox", "Mex-StatusSuccess", "SUCCESS", "Mex-StatusTimestamp", "20200601122152",
		"Mex-PartnerID", "P1", "Mex-Content-Encrypted", "Y", "Mex-Content-Compressed", "", "Mex-Content-Checksum", "b10a",
		"Mex-Content-Type", "text/plain", "Content-Type", "text/plain", "Content-Length", "9", "Mex-LinkedMsgID", "",
		"Last-Modified", "Mon, 01 Jun 2020 12:21:52 GMT", "X-Content-Type-Options", "nosniff",
	}
	f.do("GET", path, f.as("BOB")).want(http.StatusOK).is("Hello Bob").headers(headers...)
	f.do("HEAD", path, f.as("BOB")).want(http.StatusOK).headers(headers...)
	f.do("GET", path, f.as("BOB"), v1).want(http.StatusOK).headers("Content-Type", "application/octet-stream")
	f.do("GET", strings.ToLower(path[:24])+strings.ToLower(id), f.as("BOB")).want(http.StatusNotFound)
	f.do("GET", "/messageexchange/ALICE/inbox/"+id, f.as("ALICE")).want(http.StatusNotFound).holds(`"code":"20"`)

	ack := path + "/status/acknowledged"
	f.do("PUT", "/messageexchange/ALICE/inbox/"+id+"/status/acknowledged", f.as("ALICE")).want(http.StatusNotFound)
	f.do("PUT", ack, f.as("BOB")).want(http.StatusOK).is("")
	f.do("PUT", ack, f.as("BOB"), v1).want(http.StatusOK).is(`{"messageId":"` + id + `"}`)
	f.do("GET", path, f.as("BOB")).want(http.StatusGone).holds("it was acknowledged")
	f.do("GET", "/messageexchange/BOB/inbox", f.as("BOB"), v1).want(http.StatusOK).is(`{"messages":[]}`)
}

func TestRetrieveCompressed(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte("Hello Bob"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f := newFront(t)
	id := f.sent(with("Content-Encoding", "GZIP"), body(packed.String()))
	lie := f.sent(with("Content-Encoding", "gzip"), body("not compressed"))
	get := func(id, accept string) answer {
		return f.do("GET", "/messageexchange/BOB/inbox/"+id, f.as("BOB"), with("Accept-Encoding", accept)).want(http.StatusOK)
	}
	for accept, whole := range map[string]bool{"gzip": true, "br, GZIP;q=0.5": true, "*": true, "": false, "br": false, "gzip;q=0": false} {
		if whole {
			get(id, accept).is(packed.String()).headers("Content-Encoding", "gzip", "Mex-Content-Compressed", "Y")
		} else {
			get(id, accept).is("Hello Bob").headers("Content-Encoding", "", "Mex-Content-Compressed", "")
		}
	}
	get(lie, "br").is("not compressed").headers("Content-Encoding", "gzip")
	f.do("HEAD", "/messageexchange/BOB/inbox/"+id, f.as("BOB")).want(http.StatusOK).is("")

	cut := f.sent(with("Content-Encoding", "gzip"), body(packed.String()[:packed.Len()-6]))
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("a message that cannot be unpacked whole must break the answer off")
		}
	}()
	get(cut, "")
}

func TestReport(t *testing.T) {
	f := newFront(t)
	id := f.sent(with("Mex-LocalID", "L1"), with("Mex-Subject", "Greeting"))
	report := f.memory.undelivered(id)
	f.do("GET", "/messageexchange/ALICE/inbox", f.as("ALICE"), v1).want(http.StatusOK).is(`{"messages":["` + report + `"]}`)
	f.do("GET", "/messageexchange/ALICE/inbox/"+report, f.as("ALICE")).want(http.StatusOK).is("").headers(
		"Mex-MessageType", "REPORT", "Mex-MessageID", report, "Mex-LinkedMsgID", id, "Mex-To", "BOB", "Mex-From", "",
		"Mex-WorkflowID", "API-DOCS-TEST", "Mex-LocalID", "L1", "Mex-Subject", "Greeting", "Mex-StatusSuccess", "ERROR",
		"Mex-StatusCode", "14", "Mex-StatusEvent", "SEND", "Mex-StatusDescription", "Message not collected by recipient after 5 days",
		"Mex-StatusTimestamp", "20200601122152")
	f.do("GET", "/messageexchange/BOB/inbox/"+id, f.as("BOB")).want(http.StatusGone)
}

func TestTracking(t *testing.T) {
	f := newFront(t)
	id := f.sent(with("Mex-LocalID", "api-docs/1"), with("Mex-FileName", "message.txt.gz"))
	byID := "/messageexchange/ALICE/outbox/tracking?messageID=" + id
	f.do("GET", byID, f.as("ALICE")).want(http.StatusOK).headers("Content-Type", mediaV2).is(`{"message_id":"` + id + `","local_id":"api-docs/1",` +
		`"workflow_id":"API-DOCS-TEST","filename":"message.txt.gz","expiry_time":"2020-06-06T12:21:52Z","upload_timestamp":"2020-06-01T12:21:52Z",` +
		`"recipient":"BOB","recipient_name":"Bob's clinic","recipient_ods_code":"X27","recipient_org_code":"X27","recipient_org_name":"Bob's clinic",` +
		`"status_success":true,"status":"accepted","status_event":"TRANSFER","status_timestamp":"2020-06-01T12:21:52Z",` +
		`"status_description":"Transferred to recipient mailbox","status_code":"00"}`)
	for _, path := range []string{
		byID, "/messageexchange/ALICE/outbox/tracking?localID=api-docs%2F1", "/messageexchange/ALICE/outbox/tracking/api-docs%2F1",
	} {
		got := f.do("GET", path, f.as("ALICE"), v1).want(http.StatusOK).headers("Content-Type", "application/json").object()
		for name, want := range map[string]any{
			"messageId": id, "dtsId": id, "status": "Accepted", "statusSuccess": "SUCCESS", "fileSize": 9.0, "chunkCount": 1.0,
			"sender": "ALICE", "senderOdsCode": "X26", "recipient": "BOB", "meshRecipientOdsCode": "X27", "localId": "api-docs/1",
			"uploadTimestamp": "20200601122152", "expiryTime": "20200606122152", "downloadTimestamp": "", "messageType": "Data",
		} {
			if got[name] != want {
				t.Errorf("%s: %s is %v, want %v", path, name, got[name], want)
			}
		}
	}
	f.do("GET", "/messageexchange/BOB/outbox/tracking?messageID="+id, f.as("BOB")).want(http.StatusNotFound)
	f.do("GET", "/messageexchange/ALICE/outbox/tracking", f.as("ALICE")).want(http.StatusBadRequest)
	f.do("GET", byID+"&localID=x", f.as("ALICE")).want(http.StatusBadRequest)
	f.do("GET", byID+"%00", f.as("ALICE")).want(http.StatusBadRequest)

	f.do("PUT", "/messageexchange/BOB/inbox/"+id+"/status/acknowledged", f.as("BOB")).want(http.StatusOK)
	f.do("GET", byID, f.as("ALICE")).want(http.StatusOK).holds(`"status":"acknowledged"`)
	f.sent(with("Mex-LocalID", "api-docs/1"))
	f.do("GET", "/messageexchange/ALICE/outbox/tracking/api-docs%2F1", f.as("ALICE")).want(http.StatusMultipleChoices).holds("track by the message ID")
	lost := f.sent(with("Mex-LocalID", "L2"))
	f.memory.undelivered(lost)
	f.do("GET", "/messageexchange/ALICE/outbox/tracking/L2", f.as("ALICE")).want(http.StatusOK).
		holds(`"status":"Undeliverable"`).holds(`"statusSuccess":"ERROR"`).holds(`"failureDiagnostic":"Message not collected`)
	f.do("GET", "/messageexchange/ALICE/outbox/tracking?messageID="+lost, f.as("ALICE")).want(http.StatusOK).
		holds(`"status_success":false,"status":"undeliverable","status_event":"SEND"`).holds(`"status_code":"14"`)
	f.sent(with("Mex-Chunk-Range", "1:2"), with("Mex-LocalID", "L3"))
	f.do("GET", "/messageexchange/ALICE/outbox/tracking?localID=L3", f.as("ALICE")).want(http.StatusOK).holds(`"status":"uploading"`)
}

func TestUnknownRecipientInTracking(t *testing.T) {
	f := newFront(t)
	f.sent()
	f.memory.held[0].Recipient = "CLOSED"
	f.do("GET", "/messageexchange/ALICE/outbox/tracking?messageID="+f.memory.held[0].ID, f.as("ALICE")).want(http.StatusOK).holds(`"recipient":"CLOSED"`)
	var _ message.Service = f.memory
}
