// SPDX-License-Identifier: Apache-2.0

package alone

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// rows of a site, by their ages in seconds: a, only this site has it; s, so it does, and it was sent again; b, both have it.
func rows(t *testing.T, text string) (out []Row) {
	t.Helper()
	for _, word := range strings.Fields(text) {
		age, err := strconv.Atoi(word[1:])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Row{At: noon.Add(-time.Duration(age) * time.Second), Alone: word[0] != 'b', Again: word[0] == 's', Columns: []string{word}})
	}
	return out
}

func TestGoesBackToWhatBothHave(t *testing.T) {
	for name, c := range map[string]struct {
		batches string
		want    Report
		list    string
		// read is how many batches were asked for.
		read int
	}{
		"nothing at all":          {"", Report{}, "", 1},
		"nothing is missing":      {"b1 b2 | b70 | a80", Report{}, "", 2},
		"the newest are":          {"a1 s2 b3 | b70 | a80", Report{Alone: 2, Again: 1, Listed: 2}, "a1 s2", 2},
		"one is, out of order":    {"b1 a2 b3 | b30 a50 | b70 | a80", Report{Alone: 2, Listed: 2}, "a2 a50", 3},
		"all are":                 {"a1 a2 | a3 a90", Report{Alone: 4, Listed: 4}, "a1 a2 a3 a90", 3},
		"a batch of one time":     {"b1 | b1 | b1 | a1 | b62 | a63", Report{Alone: 1, Listed: 1}, "a1", 5},
		"clocks that are not one": {"a5 a2 a9 b3 b80", Report{Alone: 3, Listed: 3}, "a5 a2 a9", 1},
	} {
		t.Run(name, func(t *testing.T) {
			batches, read := strings.Split(c.batches, "|"), 0
			var out bytes.Buffer
			l := List{Header: []string{"row"}, Margin: time.Minute}
			got, err := l.walk(t.Context(), csv.NewWriter(&out), func(context.Context) ([]Row, error) {
				if read++; read > len(batches) {
					return nil, nil
				}
				return rows(t, batches[read-1]), nil
			})
			if err != nil || read != c.read {
				t.Errorf("%d batches, %v; want %d", read, err, c.read)
			}
			if list := strings.Join(strings.Fields(out.String())[1:], " "); list != c.list {
				t.Errorf("listed %q, want %q", list, c.list)
			}
			first, last := got.First, got.Last
			got.First, got.Last = "", ""
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			if name == "clocks that are not one" && (first != "2026-11-24T11:59:51Z" || last != "2026-11-24T11:59:58Z") {
				t.Errorf("from %s to %s", first, last)
			}
		})
	}
}

// What no list has room for is counted.
func TestAListEnds(t *testing.T) {
	var out bytes.Buffer
	n := 0
	got, err := List{Margin: time.Minute}.walk(t.Context(), csv.NewWriter(&out), func(context.Context) ([]Row, error) {
		if n++; n > 60 {
			return nil, nil
		}
		batch := make([]Row, 1000)
		for i := range batch {
			batch[i] = Row{At: noon, Alone: true, Columns: []string{"x"}}
		}
		return batch, nil
	})
	if err != nil || got.Alone != 60_000 || got.Listed != listed || strings.Count(out.String(), "x") != listed {
		t.Errorf("%+v, %d lines, %v", got, strings.Count(out.String(), "x"), err)
	}
}

func TestAnErrorIsNoEnd(t *testing.T) {
	broken := errors.New("broken")
	_, err := List{}.walk(t.Context(), csv.NewWriter(io.Discard), func(context.Context) ([]Row, error) { return nil, broken })
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestSaysInOneLineWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct{ args, want []string }{
		"no flags":     {nil, []string{"--here-dir", "--peer-dir", `--peer: "": expected an address as postgres://`}},
		"no user":      {[]string{"--here-dir=a", "--peer-dir=b", "--peer=postgres://h:1/d"}, []string{"--peer:", "site_reader@"}},
		"no database":  {[]string{"--here-dir=a", "--peer-dir=b", "--peer=postgres://u@h:1"}, []string{"--peer:"}},
		"a password":   {[]string{"--here-dir=a", "--peer-dir=b", "--peer=postgres://u:secret@h:1/d"}, []string{"expected no password"}},
		"settings":     {[]string{"--here-dir=a", "--peer-dir=b", "--peer=postgres://u@h:1/d?sslmode=disable"}, []string{"--peer:"}},
		"no directory": {[]string{"--here-dir=a", "--peer-dir=b", "--peer=postgres://u@h:1/d"}, []string{"this site's database", "the other site's database", "b/ca.crt"}},
	} {
		t.Run(name, func(t *testing.T) {
			var f Flags
			flags := pflag.NewFlagSet("alone", pflag.ContinueOnError)
			f.Add(flags)
			if err := flags.Parse(c.args); err != nil {
				t.Fatal(err)
			}
			err := f.Run(t.Context(), io.Discard, io.Discard, List{})
			if err == nil || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") {
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
