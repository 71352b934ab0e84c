// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/klauspost/compress/zstd"
	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/infra/audit"
	"spine.nhs.uk/controlplane/infra/audit/render"
	"spine.nhs.uk/controlplane/infra/cost"
)

const records = "history/spine/ers-live/"

// record is one of a backend: an update that ended ten seconds after its hour.
func record(hour int, environment string) []byte {
	start := time.Date(2026, 11, 21, hour, 0, 0, 0, time.UTC).Unix()
	return fmt.Appendf(nil, `{"kind":"update","startTime":%d,"endTime":%d,"message":"Databases: longer backups","result":"succeeded","environment":{%s}}`,
		start, start+10, environment)
}

// state is a checkpoint with a database.
func state(days int, password string) []byte {
	return fmt.Appendf(nil, `{"version":3,"checkpoint":{"stack":"ers-live","latest":{"manifest":{"time":"2026-11-21T10:00:00Z"},"resources":[
		{"urn":"urn:pulumi:ers-live::spine::aws:rds/cluster:Cluster::db","type":"aws:rds/cluster:Cluster","custom":true,"id":"db",
		"inputs":{"clusterIdentifier":"ers-live-db","backupRetentionPeriod":%d,"masterPassword":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":%q}}}]}}}`,
		days, password)
}

func gzipped(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstandard(t *testing.T, text []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(text, nil)
}

// recorded are the files of three updates, each written in another way.
func recorded(t *testing.T) fstest.MapFS {
	t.Helper()
	judged := `"git.head":"0123456789abcdef","git.author":"A. Person","git.committer":"A. Person","pulumi.flag.yes":"true","pulumi.env.PULUMI_OPTION_POLICY_PACK":"set"`
	return fstest.MapFS{
		records + "ers-live-1.history.json":        {Data: record(9, judged)},
		records + "ers-live-1.history.json.attrs":  {Data: []byte("{}")},
		records + "ers-live-1.checkpoint.json":     {Data: state(35, "one")},
		records + "ers-live-2.history.json.gz":     {Data: gzipped(t, record(10, `"git.head":"fedcba9876543210","git.dirty":"true","git.author":"B","git.committer":"C","pulumi.flag.skip-preview":"true"`))},
		records + "ers-live-2.checkpoint.json.gz":  {Data: gzipped(t, state(7, "two"))},
		records + "ers-live-3.history.json.zst":    {Data: zstandard(t, record(11, `"pulumi.flag.yes":"true"`))},
		records + "ers-live-3.checkpoint.json.zst": {Data: zstandard(t, state(7, "two"))},
	}
}

func TestGoldenHistory(t *testing.T) {
	updates, err := (&managed{files: tree{recorded(t)}, project: "spine"}).History(t.Context(), "ers-live")
	if err != nil {
		t.Fatal(err)
	}
	book, err := cost.Parse(golden.Get(t, "prices.book"))
	if err != nil {
		t.Fatal(err)
	}
	env := audit.FromHistory("ers-live", "spine", updates, audit.Context{Book: book, Secrets: audit.NewSecrets(nil)})
	for format, ext := range extensions {
		var b strings.Builder
		if err := render.Report(&b, format, &audit.Report{Version: audit.Version, Kind: audit.Applied, Environments: []audit.Environment{env}}); err != nil {
			t.Fatal(err)
		}
		golden.Assert(t, b.String(), "history."+ext)
	}
	if last := lastGood(updates); last == nil || last.Number != 3 {
		t.Errorf("the last good update is %+v", last)
	}
}

// A history with a hole would mislead: one record that cannot be read is an error.
func TestDamagedHistory(t *testing.T) {
	whole := record(9, "")
	for name, test := range map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"a record cut off":       {fstest.MapFS{records + "ers-live-1.history.json": {Data: whole[:20]}}, "record is damaged"},
		"a state cut off":        {fstest.MapFS{records + "ers-live-1.history.json": {Data: whole}, records + "ers-live-1.checkpoint.json": {Data: state(1, "")[:90]}}, "cut off"},
		"a compressed file":      {fstest.MapFS{records + "ers-live-1.history.json.gz": {Data: gzipped(t, whole)[:20]}}, "is damaged"},
		"a state of version 9":   {fstest.MapFS{records + "ers-live-1.history.json": {Data: whole}, records + "ers-live-1.checkpoint.json": {Data: []byte(`{"version":9}`)}}, "its version is 9"},
		"another backend's root": {fstest.MapFS{"x": {}}, "knows no project spine"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := (&managed{files: tree{test.files}, project: "spine"}).History(t.Context(), "ers-live")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	none, err := (&managed{files: tree{fstest.MapFS{"stacks/spine/ers-live.json": {}}}, project: "spine"}).History(t.Context(), "ers-live")
	if err != nil || len(none) != 0 {
		t.Errorf("a stack that was never updated: %v, %v", none, err)
	}
}
