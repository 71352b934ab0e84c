// SPDX-License-Identifier: Apache-2.0

package route53

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/adapters/aws/session"
	"spine.nhs.uk/controlplane/operators/operatortest/conformance"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/thirdplace"
)

func TestTraffic(t *testing.T) {
	s := newServer(t)
	before := slices.Clone(s.records)
	conformance.Traffic(t, conformance.Director{
		Another: func() ports.TrafficDirector { return s.traffic(t) },
		Before:  ports.Direction{Site: "a", Stay: aliasTTL + propagation}, Stay: aliasTTL + propagation,
		ByHand: func(*testing.T) {
			s.mu.Lock()
			defer s.mu.Unlock()
			for i, r := range s.records {
				if r.Name == referrals {
					weight := map[string]int{"first": 0, "second": 1}[r.SetIdentifier]
					s.records[i].Weight = &weight
				}
			}
		},
		TornStay: aliasTTL + propagation,
	})
	// Nothing but weights, and the epoch, is another than before.
	for i, r := range before {
		r.Weight, s.records[i].Weight = nil, nil
		if !reflect.DeepEqual(r, s.records[i]) {
			t.Errorf("%+v became %+v", r, s.records[i])
		}
	}
	if last := s.records[len(s.records)-1]; last.Name != "_epoch."+messages || last.Type != "TXT" || len(s.records) != len(before)+1 {
		t.Errorf("beside the names there is %+v", last)
	}
	s.Close()
	conformance.Lost(t, s.traffic(t))
}

// TestRead holds what shares of clients mean.
func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r []record) []record
		want   ports.Direction
	}{
		"as made":                     {func(r []record) []record { return r }, ports.Direction{Site: "a", Stay: 120 * time.Second}},
		"shared":                      {func(r []record) []record { return weigh(r, "second", 1) }, ports.Direction{Stay: 120 * time.Second}},
		"no weight":                   {func(r []record) []record { return weigh(r, "first", 0) }, ports.Direction{Stay: 120 * time.Second}},
		"somebody else":               {func(r []record) []record { return append(r, share(messages, "third", 1)) }, ports.Direction{Stay: 120 * time.Second}},
		"a third one, without weight": {func(r []record) []record { return append(r, share(messages, "third", 0)) }, ports.Direction{Site: "a", Stay: 120 * time.Second}},
		"a name without records":      {func(r []record) []record { return slices.Delete(r, 2, 4) }, ports.Direction{Stay: 120 * time.Second}},
		"long kept":                   {func(r []record) []record { r[3].TTL = 900; return r }, ports.Direction{Site: "a", Stay: 960 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.records = c.change(s.records)
			for _, s.page = range []int{300, 4} {
				if got, err := s.traffic(t).Read(t.Context()); err != nil || got != c.want {
					t.Errorf("%d to a page: got %+v, %v, want %+v", s.page, got, err, c.want)
				}
			}
		})
	}
}

func weigh(records []record, set string, weight int) []record {
	for i := range records {
		if records[i].SetIdentifier == set {
			records[i].Weight = &weight
		}
	}
	return records
}

// TestRefused holds what can neither be read nor moved, and that nothing is changed then.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *server)
		read   bool
		want   string
	}{
		"a failover record": {func(s *server) { s.records[2].Weight, s.records[2].Failover = nil, "PRIMARY" }, false, "has a record that is not weighted"},
		"a single record":   {func(s *server) { s.records[2].Weight, s.records[2].SetIdentifier = nil, "" }, false, "has a record that is not weighted"},
		"no record of b":    {func(s *server) { s.records = slices.Delete(s.records, 3, 4) }, true, messages + ` has no weighted record with the set identifier "second"`},
		"another zone":      {func(s *server) { s.records[0].Name = "other.example." }, false, "is hostedZone that of zone?"},
		"a huge zone":       {func(s *server) { s.page = 1 }, false, "more than 4 records"},
		"no number": {func(s *server) {
			s.records = append(s.records, record{Name: "_epoch." + messages, Type: "TXT", TTL: 60, Values: holds(`"x"`)})
		}, true, "does not hold one number"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			c.change(s)
			before := slices.Clone(s.records)
			_, err := s.traffic(t).Read(t.Context())
			var bad *ports.TrafficError
			if c.read != (err == nil) || err != nil && (!errors.As(err, &bad) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("read: %v, want %s", err, c.want)
			}
			if err := s.traffic(t).Send(t.Context(), "b", 1); !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("sent: %v, want %s", err, c.want)
			}
			if !reflect.DeepEqual(before, s.records) {
				t.Errorf("%+v became %+v", before, s.records)
			}
		})
	}
}

// A director that was overtaken after it had read changes nothing.
func TestOvertaken(t *testing.T) {
	for name, epoch := range map[string]*record{
		"by the first epoch": nil, "by a later epoch": {Name: "_epoch." + messages, Type: "TXT", TTL: 60, Values: holds(`"1"`)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			if epoch != nil {
				s.records = append(s.records, *epoch)
			}
			s.before = func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost {
					s.records = slices.DeleteFunc(s.records, func(r record) bool { return r.Type == "TXT" })
					s.records = append(s.records, record{Name: "_epoch." + messages, Type: "TXT", TTL: 60, Values: holds(`"9"`)})
				}
				return false
			}
			var refused *ports.TrafficError
			if err := s.traffic(t).Send(t.Context(), "b", 2); !errors.As(err, &refused) || !strings.Contains(err.Error(), "InvalidChangeBatch") {
				t.Errorf("epoch 2 after 9: %v", err)
			}
			if d, err := s.traffic(t).Read(t.Context()); err != nil || d.Site != "a" {
				t.Errorf("clients are sent to %+v, %v", d, err)
			}
		})
	}
}

// Answers that are not Route 53's tell nothing, and move nothing.
func TestAnswers(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter){
		"nothing":    func(http.ResponseWriter) {},
		"a page":     func(w http.ResponseWriter) { _, _ = w.Write([]byte("<html><p>please sign in</p></html>")) },
		"no records": func(w http.ResponseWriter) { _, _ = w.Write([]byte("<ListResourceRecordSetsResponse/>")) },
		"no XML":     func(w http.ResponseWriter) { _, _ = w.Write([]byte("{}")) },
		"no right":   func(w http.ResponseWriter) { fail(w, http.StatusForbidden, "AccessDenied") },
		"no zone":    func(w http.ResponseWriter) { fail(w, http.StatusNotFound, "NoSuchHostedZone") },
		"too much":   func(w http.ResponseWriter) { fail(w, http.StatusBadRequest, "Throttling") },
		"a failure":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.before = func(w http.ResponseWriter, _ *http.Request) bool { answer(w); return true }
			conformance.Lost(t, s.traffic(t))
			if s.asked != 2 {
				t.Errorf("two questions were asked %d times", s.asked)
			}
			// Only the answer to the change.
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodGet {
					return false
				}
				answer(w)
				return true
			}
			var lost *ports.TrafficError
			if err := s.traffic(t).Send(t.Context(), "b", 1); !errors.As(err, &lost) {
				t.Errorf("clients were sent: %v", err)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	s := newServer(t)
	s.before = conformance.Never(t)
	director := s.traffic(t)
	conformance.Late[*ports.TrafficError](t, session.Limit, func() error { _, err := director.Read(t.Context()); return err })
}

const goodConfig = `hostedZone: Z0123456789ABC
zone: spine.example.
names: [messages.spine.example., booking.spine.example.]
sites: {a: first, b: second}
`

func TestConfig(t *testing.T) {
	with := func(oldnew ...string) string { return strings.NewReplacer(oldnew...).Replace(goodConfig) }
	conformance.Configs[TrafficConfig](t, "", map[string]conformance.Text{
		"good":         {with(), nil},
		"an endpoint":  {with("zone:", "endpoint: https://vpce-1a2b.route53.us-east-1.vpce.amazonaws.com\nzone:"), nil},
		"in clear":     {with("zone:", "endpoint: http://a\nzone:"), []string{"endpoint: "}},
		"a typo":       {with("hostedZone", "zoneID"), []string{"nothing but hostedZone, zone, endpoint, names, sites"}},
		"no zone's ID": {with("Z0123456789ABC", "/hostedzone/Z1"), []string{`hostedZone: "/hostedzone/Z1" must be the ID of a zone`}},
		"one site":     {with(", b: second", ""), []string{"sites: 1 of them: expected two or more"}},
		"many": {with("zone: spine.example.", "zone: Spine", "second", "first", "b:", "B_:", "booking.", "messages."), []string{
			`zone: "Spine" must be a fully qualified name`, "names[0]:", "names[1]:", `sites.B_: "first" must be the set identifier`, "sites.a:",
		}},
		"outside":     {with("booking.spine", "booking.other"), []string{`names[1]: "booking.other.example." must be a fully qualified name within the zone`}},
		"in capitals": {with("booking.spine", "Booking.spine"), []string{"names[1]:"}},
		"no set":      {with("second", `""`), []string{"sites.b: "}},
	})
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(goodConfig))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := thirdplace.Decode[TrafficConfig](data); err == nil && (len(c.Sites) < 2 || len(c.Names) == 0 || c.HostedZone == "") {
			t.Error("an invalid configuration was accepted")
		}
	})
}
