// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// BenchmarkPages is the page layer alone, over a fake desk, without TLS and network: what one page costs.
func BenchmarkPages(b *testing.B) {
	for name, path := range map[string]string{"sign-in": "/", "slots": "/slots?service=1000", "confirm": "/book?slot=1000000", "referral": "/referral", "services": "/services"} {
		b.Run(name, func(b *testing.B) {
			s := newSite(b)
			cookie := patientCookie(b, s)
			if path == "/services" {
				cookie = sealed(b, s, session{Who: referrer, Search: search{Specialty: "CARDIOLOGY", Priority: domain.Routine}})
			}
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					r := httptest.NewRequest(http.MethodGet, "https://ers.example"+path, nil)
					if path != "/" {
						r.AddCookie(cookie)
					}
					w := httptest.NewRecorder()
					if s.ServeHTTP(w, r); w.Code != http.StatusOK {
						b.Fatal(w.Code)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
		})
	}
}

// BenchmarkLoopback is the slots page over HTTP on loopback, with the client on the same processors.
func BenchmarkLoopback(b *testing.B) {
	s := newSite(b)
	server := httptest.NewServer(s)
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DialContext: (&net.Dialer{}).DialContext}
	cookie := patientCookie(b, s)
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			r, _ := http.NewRequest(http.MethodGet, server.URL+"/slots?service=1000", nil)
			r.AddCookie(cookie)
			answer, err := transport.RoundTrip(r)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
}

func patientCookie(b *testing.B, s *site) *http.Cookie {
	b.Helper()
	who, err := s.desk.SignIn(b.Context(), fakeUBRN, fakeCode)
	if err != nil {
		b.Fatal(err)
	}
	return sealed(b, s, session{Who: who, UBRN: fakeUBRN})
}

func sealed(b *testing.B, s *site, of session) *http.Cookie {
	b.Helper()
	of.ID, of.Seen, of.End = newName(), testNow.Unix(), testNow.Unix()+3600
	cookie, err := s.cookie(of)
	if err != nil {
		b.Fatal(err)
	}
	return cookie
}
