// SPDX-License-Identifier: Apache-2.0

//go:build engines

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// open opens the database of a directory.
func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Source: database.Dir(dir), Connections: 2, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// refer makes a referral in the database of a directory.
func refer(t *testing.T, dir string, created time.Time) *domain.Referral {
	t.Helper()
	ubrn, err := domain.NewUBRN(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	created = created.UTC().Truncate(time.Microsecond)
	r := &domain.Referral{
		UBRN: ubrn, Version: 1, RequestID: store.NewRequestID(), State: domain.NotBooked, Patient: "9434765919", Referrer: "A1", Priority: domain.Routine,
		Pathway: created, Created: created, Updated: created,
	}
	s := open(t, dir)
	defer s.Close()
	_, _, _, err = s.Create(t.Context(), domain.Caller{Application: "gp", Organisation: "A1"}, store.Key{}, r, store.Access{Salt: []byte{1}, Hash: []byte{2}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The owner of the database, who is no superuser, can do all of it.
func TestEnginesRestore(t *testing.T) {
	site := engines.NewSite(t, nil, nil)
	from, to := site.Dir("spine"), site.Dir("restored")
	refer := func(created time.Time) string {
		t.Helper()
		return refer(t, from, created).Created.Format(time.RFC3339Nano)
	}
	site.Run(`CREATE DATABASE spine OWNER owner`)
	first := refer(time.Now().Add(-time.Hour))
	site.Run(`CREATE DATABASE restored TEMPLATE spine OWNER owner`)
	point := time.Now()
	second := refer(time.Now())

	report := filepath.Join(t.TempDir(), "report")
	for _, c := range []struct{ args, want, last string }{
		{"", `{"both":1,"onlyFrom":0,"onlyTo":0,"differing":0,"after":1,"carried":0,"last":"LAST"}`, first},
		{"--carry", `{"both":1,"onlyFrom":0,"onlyTo":0,"differing":0,"after":0,"carried":1,"last":"LAST"}`, second},
		{"--report=" + report, `{"both":2,"onlyFrom":0,"onlyTo":0,"differing":0,"after":0,"carried":0,"last":"LAST"}`, second},
	} {
		var out bytes.Buffer
		program := command()
		program.SetOut(&out)
		program.SetArgs(append([]string{"restore", "--from-dir=" + from, "--to-dir=" + to, "--until=" + point.Format(time.RFC3339Nano)}, strings.Fields(c.args)...))
		if err := program.ExecuteContext(t.Context()); err != nil {
			t.Fatalf("%s: %v", c.args, err)
		}
		got := out.String()
		if strings.HasPrefix(c.args, "--report") {
			text, err := os.ReadFile(report)
			if err != nil || got != "" {
				t.Fatalf("wrote %q, and no report: %v", got, err)
			}
			got = string(text)
		}
		if want := strings.Replace(c.want, "LAST", c.last, 1) + "\n"; got != want {
			t.Errorf("%s:\n%swant\n%s", c.args, got, want)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	program := command()
	program.SetArgs([]string{"restore", "--from-dir=" + from, "--to-dir=" + to, "--until=" + point.Format(time.RFC3339Nano), "--carry"})
	if err := program.ExecuteContext(ended); err == nil || !strings.Contains(err.Error(), "run it again") {
		t.Errorf("after SIGTERM: %v", err)
	}
}
