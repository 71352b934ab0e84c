// SPDX-License-Identifier: Apache-2.0

package route53

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"spine.nhs.uk/controlplane/operators/adapters/aws/session"
	"spine.nhs.uk/controlplane/operators/operatortest/conformance"
)

// record is one of Route 53's, in its own form.
type record struct {
	Name, Type    string
	SetIdentifier string  `xml:",omitempty"`
	Weight        *int    `xml:",omitempty"`
	Failover      string  `xml:",omitempty"`
	TTL           int     `xml:",omitempty"`
	Values        *values `xml:"ResourceRecords,omitempty"`
	AliasTarget   *alias  `xml:",omitempty"`
	HealthCheckId string  `xml:",omitempty"`
}

type values struct {
	Value []string `xml:"ResourceRecord>Value"`
}

func holds(value string) *values { return &values{Value: []string{value}} }

type alias struct {
	HostedZoneId, DNSName string
	EvaluateTargetHealth  bool
}

// server stands in for Route 53: one zone, which takes a batch as a whole or not at all. The
// emulator of `make e2e-aws` knows the rest.
type server struct {
	*httptest.Server

	mu      sync.Mutex
	records []record
	// page is how many records an answer holds.
	page  int
	asked int
	// before, if set, sees each request first, and says whether it has answered it.
	before func(w http.ResponseWriter, r *http.Request) bool
}

const (
	hostedZone = "Z0123456789ABC"
	zoneName   = "spine.example."
	messages   = "messages." + zoneName
	referrals  = "booking." + zoneName
)

// newServer has a zone with weighted records of both kinds: of addresses, and of balancers.
func newServer(t *testing.T) *server {
	s := &server{page: 300, records: []record{
		{Name: zoneName, Type: "SOA", TTL: 900, Values: holds("ns. hostmaster. 1 7200 900 1209600 86400")},
		{Name: zoneName, Type: "NS", TTL: 900, Values: holds("ns.")},
		share(messages, "first", 100), share(messages, "second", 0), share(referrals, "first", 100), share(referrals, "second", 0),
		{Name: "other." + zoneName, Type: "A", TTL: 5, Values: holds("192.0.2.30")},
	}}
	s.records[4].TTL, s.records[4].Values = 0, nil
	s.records[4].AliasTarget, s.records[4].HealthCheckId = &alias{"Z2", "balancer.example.", true}, "a-check"
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func share(name, set string, weight int) record {
	return record{Name: name, Type: "A", SetIdentifier: set, Weight: &weight, TTL: 5, Values: holds("192.0.2.10")}
}

func (s *server) config() TrafficConfig {
	return TrafficConfig{
		HostedZone: hostedZone, Zone: zoneName, Endpoint: session.Endpoint(s.URL),
		Names: []string{messages, referrals}, Sites: map[string]string{"a": "first", "b": "second"},
	}
}

// traffic of the zone, with a folder as a mounted Secret has it.
func (s *server) traffic(t *testing.T) *Traffic { return directs(t, s.config()) }

func directs(t *testing.T, c TrafficConfig) *Traffic {
	return NewTraffic(conformance.Mount(t, c, conformance.Profile("AKID", "key")))
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.before != nil && s.before(w, r) {
		return
	}
	switch {
	case !strings.Contains(r.Header.Get("Authorization"), "/us-east-1/route53/aws4_request"):
		fail(w, http.StatusForbidden, "SignatureDoesNotMatch")
	case !strings.HasPrefix(r.URL.Path, "/2013-04-01/hostedzone/"+hostedZone+"/rrset"):
		fail(w, http.StatusNotFound, "NoSuchHostedZone")
	case r.Method == http.MethodGet:
		s.list(w, r)
	default:
		s.change(w, r)
	}
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	from := max(0, slices.IndexFunc(s.records, func(r record) bool {
		return r.Name == q.Get("name") && r.Type == q.Get("type") && r.SetIdentifier == q.Get("identifier")
	}))
	to := min(len(s.records), from+s.page)
	answer := struct {
		XMLName                                              xml.Name `xml:"ListResourceRecordSetsResponse"`
		Records                                              []record `xml:"ResourceRecordSets>ResourceRecordSet"`
		IsTruncated                                          bool
		MaxItems                                             int
		NextRecordName, NextRecordType, NextRecordIdentifier string `xml:",omitempty"`
	}{Records: s.records[from:to], MaxItems: s.page}
	if to < len(s.records) {
		next := s.records[to]
		answer.IsTruncated, answer.NextRecordName, answer.NextRecordType, answer.NextRecordIdentifier = true, next.Name, next.Type, next.SetIdentifier
	}
	_ = xml.NewEncoder(w).Encode(answer)
}

func (s *server) change(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Changes []struct {
			Action string
			Record record `xml:"ResourceRecordSet"`
		} `xml:"ChangeBatch>Changes>Change"`
	}
	if err := xml.NewDecoder(r.Body).Decode(&q); err != nil {
		fail(w, http.StatusBadRequest, "InvalidInput")
		return
	}
	now := slices.Clone(s.records)
	for _, c := range q.Changes {
		i := slices.IndexFunc(now, func(r record) bool {
			return r.Name == c.Record.Name && r.Type == c.Record.Type && r.SetIdentifier == c.Record.SetIdentifier
		})
		switch {
		case c.Action == "DELETE" && i >= 0 && reflect.DeepEqual(now[i], c.Record):
			now = slices.Delete(now, i, i+1)
		case c.Action == "CREATE" && i < 0, c.Action == "UPSERT" && i < 0:
			now = append(now, c.Record)
		case c.Action == "UPSERT":
			now[i] = c.Record
		default:
			fail(w, http.StatusBadRequest, "InvalidChangeBatch")
			return
		}
	}
	s.records = now
	_, _ = fmt.Fprint(w, `<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status></ChangeInfo></ChangeResourceRecordSetsResponse>`)
}

func fail(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>refused</Message></Error></ErrorResponse>`, code)
}
