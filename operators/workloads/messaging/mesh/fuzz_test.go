// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func FuzzChunkRange(f *testing.F) {
	for _, seed := range []string{"1:2", " 1 : 999 ", "0:1", "2:1", "1:1000", "1", ":", "-1:2", "1:2:3", "999999999999:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		number, total, err := parseChunkRange(text)
		if err == nil && (number < 1 || number > total || total > maxParts || strings.Count(text, ":") != 1) {
			t.Errorf("%q read as %d of %d", text, number, total)
		}
	})
}

func FuzzWorkflowFilter(f *testing.F) {
	for _, seed := range []string{"", "X", "WORKFLOW1", "!WORKFLOW1", "W*", "!W*", "*_ACK*", "!*_ACK*", "*", "!", "**", "!!A"} {
		f.Add(seed, "WORKFLOW1_ACK")
	}
	f.Fuzz(func(t *testing.T, text, workflow string) {
		filter, ok := parseWorkflowFilter(text)
		if !ok {
			return
		}
		// What the service is asked to leave out, the front must leave out too.
		inside, ok := parseWorkflowFilter(filter.forService())
		if !ok && len(filter.forService()) > 1 {
			t.Fatalf("%q gives the service %q", text, filter.forService())
		}
		if ok && filter.matches(workflow) && !inside.matches(workflow) {
			t.Errorf("%q matches %q, but %q for the service does not", text, workflow, filter.forService())
		}
	})
}

// FuzzRequest sends whatever it likes, with a good token, and wants an answer that is no fault of the gateway.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "outbox/tracking", "messageID=20200601122152000000_000001", "", "", "application/json")
	f.Add("GET", "outbox/tracking/%2F%00", "localID=x&messageID=", "", "", "application/vnd.mesh.v2+json")
	f.Add("GET", "inbox", "max_results=10&continue_from=aW5ib3gtcGFnZTp4eHh4eHh4eHh4&workflow_filter=!*A*", "", "", "")
	f.Add("POST", "outbox", "", "1:2", "gzip", "application/vnd.mesh.v1+json")
	f.Add("POST", "outbox/20200601122152000000_000001/2", "", "2:2", "", "application/vnd.mesh.v+json")
	f.Add("PUT", "inbox/X/status/acknowledged", "", "", "", ";,;")
	f.Fuzz(func(t *testing.T, method, path, query, header, encoding, accept string) {
		target, err := url.ParseRequestURI("/messageexchange/ALICE/" + path)
		if err != nil || !slices.Contains([]string{"GET", "HEAD", "PUT", "POST", "DELETE"}, method) {
			return
		}
		target.RawQuery = query
		front := newFront(t)
		r := httptest.NewRequest(method, "/", strings.NewReader(header))
		r.URL = target
		for _, o := range []option{front.as("ALICE"), with("Mex-To", "BOB"), with("Mex-WorkflowID", "API-DOCS-TEST"),
			with("Mex-Chunk-Range", header), with("Mex-Subject", header), with("Mex-LocalID", header),
			with("Content-Encoding", encoding), with("Accept", accept), with("Accept-Encoding", encoding)} {
			o(r)
		}
		w := httptest.NewRecorder()
		front.handler.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError || w.Code == 0 {
			t.Errorf("%s %s: status %d: %s", method, target, w.Code, w.Body)
		}
	})
}
