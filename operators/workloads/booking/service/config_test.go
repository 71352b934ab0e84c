// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const minimal = "tokens: {jwksFile: /etc/spine/tokens/jwks.json, issuer: i, audience: a}\n"

func TestChangedSettingsAreTakenUpAndMistakesAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "booking.yaml")
		write := func(text string, changed time.Time) {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(file, changed, changed); err != nil {
				t.Fatal(err)
			}
		}
		day := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
		write(minimal+"title: First\n", day)
		s, err := openSettings(file)
		if err != nil {
			t.Fatal(err)
		}
		var logs bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.watch(ctx, slog.New(slog.NewTextHandler(&logs, nil)))
		p := &program{settings: s}
		if got := p.pollSettings(); got.Hour != 18 || got.Minute != 0 || got.Zone.String() != "Europe/London" || !got.On {
			t.Errorf("%+v", got)
		}
		write(minimal+"title: Second\nintake: Closed\npoll: {start: \"19:30\"}\n", day.Add(time.Minute))
		time.Sleep(2 * lookEvery)
		synctest.Wait()
		if got := p.pageSettings().Title; got != "Second" || !p.rules().Closed || p.pollSettings().Minute != 30 {
			t.Errorf("title %q, closed %v", got, p.rules().Closed)
		}
		write(minimal+"title: Second\nintake: Stopped\n", day.Add(90*time.Second))
		time.Sleep(2 * lookEvery)
		synctest.Wait()
		if p.pollSettings().On || !p.rules().Closed {
			t.Errorf("stopped: poll %v, closed %v", p.pollSettings().On, p.rules().Closed)
		}
		write("titel: Third\n", day.Add(2*time.Minute))
		time.Sleep(5 * lookEvery)
		synctest.Wait()
		if got := p.pageSettings().Title; got != "Second" || strings.Count(logs.String(), "cannot be used") != 1 {
			t.Errorf("title %q, logs %s", got, logs.String())
		}
	})
}

func TestAStartWithAMistakeIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "booking.yaml")
	if err := os.WriteFile(file, []byte("tokens: {}\ntimeZone: Mars\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := openSettings(file)
	if err == nil || !strings.Contains(err.Error(), "timeZone") || !strings.Contains(err.Error(), "jwksFile") {
		t.Errorf("%v", err)
	}
}
