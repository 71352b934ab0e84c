// SPDX-License-Identifier: Apache-2.0

//go:build engines

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// The owner of the database, who is no superuser, can do all of it.
func TestEnginesRestore(t *testing.T) {
	site := engines.NewSite(t, nil, nil)
	from, to := site.Dir("spine"), site.Dir("restored")
	accept := func(request string) message.Seq {
		t.Helper()
		l, err := ledger.Open(t.Context(), ledger.Config{Database: database.Dir(from)})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		e := &ledger.Entry{
			Seq: l.Next(), Lane: "TO", Parts: 1, Dedupe: true, Flags: ledger.FlagDispatched,
			Submission: &message.Submission{Sender: "FROM", Recipient: "TO", Interaction: "PSIS", RequestID: request, Body: []byte("secret")},
		}
		if err := l.Append([]*ledger.Entry{e}); err != nil || e.Err != nil {
			t.Fatal(err, e.Err)
		}
		return e.Seq
	}
	site.Run(`CREATE DATABASE spine OWNER owner`)
	first := accept("before")
	site.Run(`CREATE DATABASE restored TEMPLATE spine OWNER owner`)
	point := time.Now()
	second := accept("after")

	report := filepath.Join(t.TempDir(), "report")
	for _, c := range []struct {
		args []string
		want string
		last message.Seq
	}{
		{nil, `{"both":1,"onlyFrom":0,"onlyTo":0,"differing":0,"after":1,"carried":0,"last":"LAST"}`, first},
		{[]string{"--ahead"}, `{"both":0,"onlyFrom":0,"onlyTo":0,"differing":0,"after":0,"carried":1,"last":""}`, 0},
		{[]string{"--carry"}, `{"both":2,"onlyFrom":0,"onlyTo":0,"differing":0,"after":0,"carried":1,"last":"LAST"}`, second},
		{[]string{"--report=" + report}, `{"both":2,"onlyFrom":0,"onlyTo":0,"differing":0,"after":0,"carried":0,"last":"LAST"}`, second},
	} {
		var out bytes.Buffer
		command := newCommand()
		command.SetOut(&out)
		command.SetArgs(append([]string{"restore", "--from-dir=" + from, "--to-dir=" + to, "--until=" + point.Format(time.RFC3339Nano)}, c.args...))
		if err := command.ExecuteContext(t.Context()); err != nil {
			t.Fatalf("%v: %v", c.args, err)
		}
		got := out.String()
		if strings.HasPrefix(strings.Join(c.args, ""), "--report") {
			text, err := os.ReadFile(report)
			if err != nil || got != "" {
				t.Fatalf("wrote %q, and no report: %v", got, err)
			}
			got = string(text)
		}
		if want := strings.Replace(c.want, "LAST", c.last.At().Format(time.RFC3339Nano), 1) + "\n"; got != want {
			t.Errorf("%v:\n%swant\n%s", c.args, got, want)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	command := newCommand()
	command.SetArgs([]string{"restore", "--from-dir=" + from, "--to-dir=" + to, "--until=" + point.Format(time.RFC3339Nano), "--carry"})
	if err := command.ExecuteContext(ended); err == nil || !strings.Contains(err.Error(), "run it again") {
		t.Errorf("after SIGTERM: %v", err)
	}
}
