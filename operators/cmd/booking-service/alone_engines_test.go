// SPDX-License-Identifier: Apache-2.0

//go:build engines

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// The site that serves went on from a copy of this one's database; what was changed here after that is listed, and it alone.
func TestEnginesAlone(t *testing.T) {
	access, idents := operatortest.Access("serves", engines.Owner)
	site := engines.NewSite(t, access, idents)
	site.Run(`CREATE ROLE site_reader LOGIN IN ROLE pg_read_all_data`)
	site.Run(`CREATE DATABASE lost OWNER owner`)
	lost := site.Dir("lost")
	refer(t, lost, time.Now().Add(-time.Hour))
	cancelled := refer(t, lost, time.Now().Add(-time.Hour))
	site.Run(`CREATE DATABASE serves TEMPLATE lost OWNER owner`)
	late := refer(t, lost, time.Now())
	refer(t, site.Dir("serves"), time.Now())
	s := open(t, lost)
	after, err := s.CancelReferral(t.Context(), domain.Caller{Application: "gp", Organisation: "A1", Role: domain.ReferringClinician}, cancelled.UBRN, 1, domain.Reason{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}

	var out, errs bytes.Buffer
	program := command()
	program.SetOut(&out)
	program.SetErr(&errs)
	program.SetArgs([]string{
		"alone", "--here-dir=" + lost, "--peer-dir=" + site.Certificate("streaming_replica"),
		fmt.Sprintf("--peer=postgres://site_reader@127.0.0.1:%d/serves", site.Port()),
	})
	if err := program.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := func(r *domain.Referral) string {
		return r.Updated.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano)
	}
	row := func(r *domain.Referral, event, there string) string {
		return fmt.Sprintf("%s,%d,%s,%s,,%s\n", r.UBRN, r.Version, at(r), event, there)
	}
	want := "ubrn,version,changed,event,appointment,version_there\n" + row(after, "cancel referral", "1") + row(late, "create", "")
	if out.String() != want {
		t.Errorf("listed\n%swant\n%s", out.String(), want)
	}
	var got map[string]any
	if err := json.Unmarshal(errs.Bytes(), &got); err != nil || got["alone"] != 2.0 || got["listed"] != 2.0 ||
		got["first"] != at(late) || got["last"] != at(after) {
		t.Errorf("reported %s, %v", errs.String(), err)
	}
	if strings.Contains(out.String()+errs.String(), "9434765919") {
		t.Error("it names a patient")
	}
}
