// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// caller is what a route asks of whoever calls it.
type caller int

const (
	// anybody with a certificate of the client authority.
	anybody caller = iota
	// known: a certificate that some mailbox lists.
	known
	// owner: a certificate and an authorisation header of the mailbox in the path.
	owner
)

// Route is one operation of the API.
type Route struct {
	// Method and Pattern are as published; {x} stands for one segment.
	Method, Pattern string
	// Operation names it in metrics and logs.
	Operation string

	caller   caller
	serve    func(*Handler, *call) error
	segments []string
}

// Routes lists the operations in the order in which they are matched: literal segments go before variable ones.
var Routes = compile([]Route{
	{http.MethodGet, "/messageexchange/_ping", "ping", anybody, (*Handler).ping, nil},
	{http.MethodGet, "/messageexchange/endpointlookup/mesh/{ods}/{workflow}", "lookup", known, (*Handler).lookup, nil},
	{http.MethodGet, "/messageexchange/endpointlookup/{ods}/{workflow}", "lookup", known, (*Handler).lookup, nil},
	{http.MethodGet, "/endpointlookup/mesh/{ods}/{workflow}", "lookup", known, (*Handler).lookup, nil},
	{http.MethodGet, "/endpointlookup/{ods}/{workflow}", "lookup", known, (*Handler).lookup, nil},
	{http.MethodGet, "/messageexchange/workflowsearch/{workflow}", "search", known, (*Handler).search, nil},
	{http.MethodPost, "/messageexchange/{mailbox}", "handshake", owner, (*Handler).handshake, nil},
	{http.MethodGet, "/messageexchange/{mailbox}", "handshake", owner, (*Handler).handshake, nil},
	{http.MethodGet, "/messageexchange/{mailbox}/count", "count", owner, (*Handler).count, nil},
	{http.MethodGet, "/messageexchange/{mailbox}/inbox", "inbox", owner, (*Handler).inbox, nil},
	{http.MethodPut, "/messageexchange/{mailbox}/inbox/{message}/status/acknowledged", "acknowledge", owner, (*Handler).acknowledge, nil},
	{http.MethodGet, "/messageexchange/{mailbox}/inbox/{message}", "retrieve", owner, (*Handler).retrieve, nil},
	{http.MethodHead, "/messageexchange/{mailbox}/inbox/{message}", "head", owner, (*Handler).retrieve, nil},
	{http.MethodGet, "/messageexchange/{mailbox}/inbox/{message}/{chunk}", "retrieve", owner, (*Handler).retrieve, nil},
	{http.MethodPost, "/messageexchange/{mailbox}/outbox", "send", owner, (*Handler).send, nil},
	{http.MethodGet, "/messageexchange/{mailbox}/outbox/tracking", "track", owner, (*Handler).track, nil},
	{http.MethodGet, "/messageexchange/{mailbox}/outbox/tracking/{localID}", "track", owner, (*Handler).trackByLocalID, nil},
	{http.MethodPost, "/messageexchange/{mailbox}/outbox/{message}/{chunk}", "send chunk", owner, (*Handler).sendChunk, nil},
})

func compile(routes []Route) []Route {
	for i := range routes {
		routes[i].segments = strings.Split(routes[i].Pattern[1:], "/")
	}
	return routes
}

// maxSegments is one more than the longest pattern has.
const maxSegments = 7

// route finds the operation of the request and its parameters. Segments are unescaped one by one, so that an escaped
// slash stays within its own.
func (c *call) route() (*Route, error) {
	segments := strings.SplitN(strings.TrimSuffix(strings.TrimPrefix(c.r.URL.EscapedPath(), "/"), "/"), "/", maxSegments)
	var allowed []string
	for i := range Routes {
		r := &Routes[i]
		if !r.matches(segments) {
			continue
		}
		if r.Method != c.r.Method {
			if !slices.Contains(allowed, r.Method) {
				allowed = append(allowed, r.Method)
			}
			continue
		}
		return r, c.take(r, segments)
	}
	if len(allowed) > 0 {
		c.w.Header().Set("Allow", strings.Join(allowed, ", "))
		return nil, &fault{status: http.StatusMethodNotAllowed, text: "this path answers " + strings.Join(allowed, ", ") + " only"}
	}
	return nil, &fault{status: http.StatusNotFound,
		text: "there is no such path: the API begins with /messageexchange/{mailbox} and /messageexchange/endpointlookup"}
}

func (r *Route) matches(segments []string) bool {
	if len(segments) != len(r.segments) {
		return false
	}
	for i, want := range r.segments {
		if want[0] == '{' {
			if segments[i] == "" {
				return false
			}
		} else if want != segments[i] {
			return false
		}
	}
	return true
}

func (c *call) take(r *Route, segments []string) error {
	c.params = make([]string, 0, 3)
	for i, name := range r.segments {
		if name[0] != '{' {
			continue
		}
		value, err := url.PathUnescape(segments[i])
		if err != nil || len(value) > 300 || !printable(value) {
			return invalid("path", strings.Trim(name, "{}"), "must be printable text of at most 300 bytes, escaped as in URLs")
		}
		c.params = append(c.params, value)
	}
	return nil
}
