// SPDX-License-Identifier: Apache-2.0

package restore

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

func TestSaysInOneLineWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"no flags":     {nil, []string{"--from-dir", "--to-dir", `--until is ""`}},
		"not a time":   {[]string{"--from-dir=a", "--to-dir=b", "--until=yesterday"}, []string{`--until is "yesterday"`}},
		"not yet":      {[]string{"--from-dir=a", "--to-dir=b", "--until=" + time.Now().Add(time.Hour).Format(time.RFC3339)}, []string{"has passed"}},
		"no directory": {[]string{"--from-dir=a", "--to-dir=b", "--until=2026-01-02T03:04:05Z"}, []string{"the database before", "username"}},
	} {
		t.Run(name, func(t *testing.T) {
			var f Flags
			flags := pflag.NewFlagSet("restore", pflag.ContinueOnError)
			f.Add(flags, "accepted")
			if err := flags.Parse(c.args); err != nil {
				t.Fatal(err)
			}
			err := f.Run(context.Background(), io.Discard, func(database.Source, database.Source, time.Time) (Report, error) {
				t.Error("it was done all the same")
				return Report{}, nil
			})
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
