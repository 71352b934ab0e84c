// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/hack/load/check"
	"spine.nhs.uk/controlplane/hack/load/record"
)

func TestExitCodes(t *testing.T) {
	t.Setenv(brokerURL, "")
	empty := t.TempDir()
	cases := []struct {
		args string
		want int
	}{
		{"--help", exitOK},
		{"messages --help", exitOK},
		{"completion bash", exitOK},
		{"frobnicate", exitUsage},
		{"check", exitUsage},
		{"check --ledger postgres://x", exitUsage},
		{"check --messages x y", exitUsage},
		{"check --messages " + empty, exitFailure},
		{"report -o yaml --messages x", exitUsage},
		{"messages", exitUsage},
		{"messages --url x --clients x --record x --rate -1", exitUsage},
		{"messages --url x --clients x --record x --size 5", exitUsage},
		{"messages --url x --clients x --record x --arrival odd", exitUsage},
		{"messages --url x --clients " + empty + " --record x", exitFailure},
		{"bookings", exitUsage},
		{"bookings --url x --clients " + empty + " --record x", exitFailure},
		{"receive --url x --clients x --record x --receivers 0", exitUsage},
		{"plain", exitUsage},
		{"provider", exitUsage},
		{"provider --certificate x --key x --busy 2", exitUsage},
		{"provider --certificate x --key x", exitFailure},
	}
	for _, c := range cases {
		if got := Run(t.Context(), strings.Fields(c.args), io.Discard, io.Discard); got != c.want {
			t.Errorf("load %s exits with %d, want %d", c.args, got, c.want)
		}
	}
}

// All mistakes of a command line are said at once.
func TestAllProblemsAtOnce(t *testing.T) {
	var stderr bytes.Buffer
	Run(t.Context(), strings.Fields("messages --rate 0 --senders 0 --batch 501 --duration 0s"), io.Discard, &stderr)
	for _, flag := range []string{"--url", "--clients", "--record", "--rate 0", "--senders 0", "--batch 501", "--duration 0s"} {
		if !strings.Contains(stderr.String(), flag) {
			t.Errorf("%s is not mentioned: %s", flag, stderr.String())
		}
	}
}

func TestEveryCommandIsExplained(t *testing.T) {
	for _, c := range newRoot(&options{}).Commands() {
		if c.Short == "" || c.Example == "" {
			t.Errorf("%s has no explanation or no example", c.Name())
		}
	}
}

// A check says what was broken, in both forms, and exits with 1.
func TestCheckReportsALoss(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "record")
	w, err := record.Create(dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UnixNano()
	if err := w.Write([]record.Event{{Key: record.Mark{Sender: 1, Recipient: 2}.Key(), Kind: record.Acknowledged, Start: now - 1e6, At: now}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var text, asJSON bytes.Buffer
	if got := Run(t.Context(), []string{"check", "--messages", dir}, &text, io.Discard); got != exitFailure || !strings.Contains(text.String(), "lost: 1") {
		t.Errorf("exit %d: %s", got, text.String())
	}
	Run(t.Context(), []string{"check", "--messages", dir, "-o", "json"}, &asJSON, io.Discard)
	var r check.Result
	if err := json.Unmarshal(asJSON.Bytes(), &r); err != nil || r.Of(check.Lost) != 1 {
		t.Errorf("%v: %s", err, asJSON.String())
	}
	if got := Run(t.Context(), []string{"report", "--messages", dir}, io.Discard, os.Stderr); got != exitOK {
		t.Errorf("report exits with %d", got)
	}
}
