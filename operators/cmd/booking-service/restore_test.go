// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

func TestRestoreSaysInOneLineWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"no flags":      {nil, []string{"--from-dir", "--to-dir", `--until is ""`}},
		"not a time":    {[]string{"--from-dir=a", "--to-dir=b", "--until=yesterday"}, []string{`--until is "yesterday"`}},
		"not yet":       {[]string{"--from-dir=a", "--to-dir=b", "--until=" + time.Now().Add(time.Hour).Format(time.RFC3339)}, []string{"has passed"}},
		"no directory":  {[]string{"--from-dir=a", "--to-dir=b", "--until=2026-01-02T03:04:05Z"}, []string{"the database before", "username"}},
		"more than one": {[]string{"a"}, []string{"unknown command"}},
	} {
		t.Run(name, func(t *testing.T) {
			program := command()
			program.SetArgs(append([]string{"restore"}, c.args...))
			program.SetOut(io.Discard)
			err := program.ExecuteContext(context.Background())
			if err == nil || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %s", err, want)
				}
			}
		})
	}
}
