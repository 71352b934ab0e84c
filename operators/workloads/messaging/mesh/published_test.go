// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// published are the operations of the published document (version 2.0.0) with the statuses it lists for each.
var published = []struct {
	method, path string
	statuses     []int
}{
	{"POST", "/messageexchange/{mailbox_id}", []int{200, 400, 403}},
	{"GET", "/messageexchange/{mailbox_id}/inbox", []int{200, 400, 403}},
	{"GET", "/messageexchange/{mailbox_id}/inbox/{message_id}", []int{200, 206, 400, 403, 404, 410}},
	{"HEAD", "/messageexchange/{mailbox_id}/inbox/{message_id}", []int{200, 400, 403, 404, 410}},
	{"PUT", "/messageexchange/{mailbox_id}/inbox/{message_id}/status/acknowledged", []int{200, 400, 403}},
	{"GET", "/messageexchange/{mailbox_id}/inbox/{message_id}/{chunk_number}", []int{200, 206, 400, 403, 404, 410}},
	{"GET", "/messageexchange/{mailbox_id}/count", []int{200, 400, 403}},
	{"POST", "/messageexchange/{mailbox_id}/outbox", []int{202, 400, 403, 417}},
	{"POST", "/messageexchange/{mailbox_id}/outbox/{message_id}/{chunk_number}", []int{202, 400, 403, 404, 417, 423}},
	{"GET", "/messageexchange/{mailbox_id}/outbox/tracking", []int{200, 400, 403}},
	{"GET", "/messageexchange/{mailbox_id}/outbox/tracking/{local_id}", []int{200, 300, 400, 403}},
	{"GET", "/messageexchange/endpointlookup/{ods_code}/{workflow_id}", []int{200, 400}},
	{"GET", "/messageexchange/workflowsearch/{workflow_id}", []int{200, 400}},
}

// TestPublishedStatuses brings about every published status of every published operation.
func TestPublishedStatuses(t *testing.T) {
	for _, op := range published {
		for _, status := range op.statuses {
			t.Run(fmt.Sprint(op.method, op.path, status), func(t *testing.T) {
				f := newFront(t)
				whole := f.sent(with("Mex-LocalID", "local"))
				parts := f.sent(with("Mex-Chunk-Range", "1:3"))
				part := func(number string) {
					f.do("POST", "/messageexchange/ALICE/outbox/"+parts+"/"+number, f.as("ALICE"), body("x")).want(http.StatusAccepted)
				}
				mailbox, id, chunk := "BOB", whole, "1"
				options := []option{with("mex-clientversion", "1"), with("mex-osname", "1"), with("mex-osversion", "1"),
					with("Mex-To", "BOB"), with("Mex-WorkflowID", "API-DOCS-TEST"), body("Hello Bob")}
				if strings.Contains(op.path, "/outbox") {
					mailbox = "ALICE"
				}
				options = append(options, f.as(mailbox))
				sendsChunk := op.method == "POST" && strings.Contains(op.path, "{chunk_number}")
				if sendsChunk {
					id, chunk = parts, "2"
				}
				query := ""
				if strings.HasSuffix(op.path, "/tracking") {
					query = "?messageID=" + whole
				}
				switch status {
				case 206:
					part("2")
					part("3")
					id, chunk = parts, "2"
				case 300:
					f.sent(with("Mex-LocalID", "local"))
				case 400:
					options = append(options, with("Accept", "application/vnd.mesh.v9+json"))
				case 403:
					options = append(options, without("Authorization"))
				case 404:
					id = "20200601122152999999_000001"
				case 410:
					f.do("PUT", "/messageexchange/BOB/inbox/"+whole+"/status/acknowledged", f.as("BOB")).want(http.StatusOK)
				case 417:
					options = append(options, body(""))
				case 423:
					part("2")
					part("3")
				}
				path := strings.NewReplacer("{mailbox_id}", mailbox, "{message_id}", id, "{chunk_number}", chunk, "{local_id}", "local",
					"{ods_code}", "X27", "{workflow_id}", "API-DOCS-TEST").Replace(op.path)
				f.do(op.method, path+query, options...).want(status)
			})
		}
	}
}

// TestRoutesAreThePublishedOnes keeps the route table and the list above together.
func TestRoutesAreThePublishedOnes(t *testing.T) {
	// What clients use though the published document does not list it: the handshake's older method, the ping, and the
	// older forms of the endpoint lookup.
	unlisted := []string{
		"GET /messageexchange/{}", "GET /messageexchange/_ping", "GET /messageexchange/endpointlookup/mesh/{}/{}",
		"GET /endpointlookup/mesh/{}/{}", "GET /endpointlookup/{}/{}",
	}
	anonymous := func(method, path string) string {
		segments := strings.Split(path, "/")
		for i, s := range segments {
			if strings.HasPrefix(s, "{") {
				segments[i] = "{}"
			}
		}
		return method + " " + strings.Join(segments, "/")
	}
	var want, got []string
	for _, op := range published {
		want = append(want, anonymous(op.method, op.path))
	}
	want = append(want, unlisted...)
	for _, r := range Routes {
		got = append(got, anonymous(r.Method, r.Pattern))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("routes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
