// SPDX-License-Identifier: Apache-2.0

//go:build engines

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// The site that serves went on from a copy of this one's ledger; what came here after that is listed, and it alone.
func TestEnginesAlone(t *testing.T) {
	access, idents := operatortest.Access("serves", engines.Owner)
	site := engines.NewSite(t, access, idents)
	site.Run(`CREATE ROLE site_reader LOGIN IN ROLE pg_read_all_data`)
	accept := func(name string, requests ...string) (out []message.Seq) {
		t.Helper()
		l, err := ledger.Open(t.Context(), ledger.Config{Database: database.Dir(site.Dir(name))})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		for _, request := range requests {
			e := &ledger.Entry{
				Seq: l.Next(), Lane: "TO", Parts: 1, Dedupe: true, Flags: ledger.FlagDispatched,
				Submission: &message.Submission{Sender: "FROM", Recipient: "TO", Interaction: "PSIS", RequestID: request, Body: []byte("secret")},
			}
			if request == "probe" {
				e.Submission.Sender = ledger.ProbeBox
			}
			if err := l.Append([]*ledger.Entry{e}); err != nil || e.Err != nil {
				t.Fatal(err, e.Err)
			}
			out = append(out, e.Seq)
		}
		return out
	}
	site.Run(`CREATE DATABASE lost OWNER owner`)
	accept("lost", "before", "just before")
	site.Run(`CREATE DATABASE serves TEMPLATE lost OWNER owner`)
	alone := accept("lost", "late", "later", "probe", "settled", "dead")
	accept("serves", "later", "other")
	owner, err := pgx.Connect(t.Context(), strings.Replace(site.URL(), "/postgres?", "/lost?", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // nothing hangs on it
	for _, sql := range []string{
		fmt.Sprintf(`DELETE FROM ledger.delivery WHERE seq IN (%d, %d)`, alone[3], alone[4]),
		fmt.Sprintf(`INSERT INTO ledger.dead VALUES (%d, 'TO', 0, 1, 'S', 'r', now())`, alone[4]),
	} {
		if _, err := owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}

	run := func(ctx context.Context, certificate string) (list, report string, err error) {
		var out, errs bytes.Buffer
		command := newCommand()
		command.SetOut(&out)
		command.SetErr(&errs)
		command.SetArgs([]string{
			"alone", "--here-dir=" + site.Dir("lost"), "--peer-dir=" + site.Certificate(certificate),
			fmt.Sprintf("--peer=postgres://site_reader@127.0.0.1:%d/serves", site.Port()),
		})
		err = command.ExecuteContext(ctx)
		return out.String(), errs.String(), err
	}
	list, report, err := run(t.Context(), "streaming_replica")
	if err != nil {
		t.Fatal(err)
	}
	row := func(i int, rest string) string {
		return fmt.Sprintf("%s,%s,FROM,TO,PSIS,%s\n", alone[i], alone[i].At().Format(time.RFC3339Nano), rest)
	}
	want := "message_id,accepted,sender,recipient,interaction,state,sent_again\n" +
		row(4, "dead-lettered,false") + row(3, "settled,false") + row(1, "waiting,true") + row(0, "waiting,false")
	if list != want {
		t.Errorf("listed\n%swant\n%s", list, want)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(report), &got); err != nil || got["alone"] != 4.0 || got["again"] != 1.0 || got["listed"] != 4.0 ||
		got["first"] != alone[0].At().Format(time.RFC3339Nano) || got["last"] != alone[4].At().Format(time.RFC3339Nano) {
		t.Errorf("reported %s, %v", report, err)
	}
	if strings.Contains(list+report, "secret") {
		t.Error("it says what a message says")
	}

	brief, end := context.WithTimeout(t.Context(), 3*time.Second)
	defer end()
	if list, _, err := run(brief, "somebody"); err == nil || list != "" {
		t.Error("any certificate of the authority is let in")
	}
}
