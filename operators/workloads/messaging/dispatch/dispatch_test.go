// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

func TestReferencesComeBack(t *testing.T) {
	seqs := []message.Seq{1, 1 << 40, 1<<63 - 1}
	if got := decode(encode(seqs)); !slices.Equal(got, seqs) {
		t.Errorf("%v", got)
	}
	// What is cut off or no reference is left out.
	if got := decode(append(encode([]message.Seq{7, -1, 0}), 1, 2)); !slices.Equal(got, []message.Seq{7}) {
		t.Errorf("%v", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode([]message.Seq{1, 2}))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range decode(b) {
			if s <= 0 {
				t.Errorf("reference %d", s)
			}
		}
	})
}

const authority = `-----BEGIN CERTIFICATE-----
MIIBITCByaADAgECAgEBMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMTAWEwHhcNMjYw
MTAxMDAwMDAwWhcNMzYwMTAxMDAwMDAwWjAMMQowCAYDVQQDEwFhMFkwEwYHKoZI
-----END CERTIFICATE-----
`

func TestDirNamesWhatIsWrongAndNotThePassword(t *testing.T) {
	good := map[string]string{"username": "u", "password": "hunter2", "host": "broker", "port": "5672", "ca.crt": authority}
	for key, c := range map[string]struct{ value, want string }{
		"port": {"56x2", "port: expected a number"}, "ca.crt": {"nonsense", "ca.crt: expected PEM"}, "host": {"", "host"},
	} {
		dir := t.TempDir()
		for k, v := range good {
			if k == key {
				v = c.value
			}
			if k == key && v == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, k), []byte(v), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err := Dir(dir)()
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestBusyLanesTravelInLargerBatches(t *testing.T) {
	for _, c := range []struct {
		n     int
		since time.Duration
		want  time.Duration
	}{
		{1, time.Hour, spacing},                   // an idle lane's first
		{2, time.Millisecond, spacing},            // two at once are no rate
		{29, 100 * time.Millisecond, spacing},     // below busyRate
		{30, 100 * time.Millisecond, busySpacing}, // at it
		{59, 200 * time.Millisecond, spacing},     // no longer
	} {
		if got := spacingAfter(c.n, c.since); got != c.want {
			t.Errorf("%d in %v: %v, expected %v", c.n, c.since, got, c.want)
		}
	}
}
