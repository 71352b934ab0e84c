// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// reportTimeout is how long the whole of a report may take.
const reportTimeout = 2 * time.Minute

// bundle collects a report's files.
type bundle struct {
	files map[string][]byte
	// gaps says what is missing and why.
	gaps []string
}

func (b *bundle) add(name string, text []byte) { b.files[name] = text }

func (b *bundle) gap(err error) {
	if err != nil {
		b.gaps = append(b.gaps, err.Error())
	}
}

func (a *app) reportCommand() *cobra.Command {
	var file string
	var lines int64
	c := &cobra.Command{
		Use:   "report",
		Short: "A support bundle: resources, events and logs of our components, without secrets or patient data",
		Long: `Writes a .tar.gz for whoever helps. What gets in is listed in the program: for each kind its fields,
for each log line its fields. No Secret, ConfigMap, environment, annotation, message or log of an
engine is among them. What you may not read is left out, and gaps.txt says so.`,
		Example: `  kubectl spine report
  kubectl spine report -f INC0012345.tar.gz`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if lines < 1 || lines > 100000 {
				return fmt.Errorf("--tail: %d is not between 1 and 100000", lines)
			}
			return a.report(c.Context(), file, lines)
		},
	}
	c.Flags().StringVarP(&file, "file", "f", "", "file to write; it must not exist (default: spine-report-CONTEXT-TIME.tar.gz)")
	c.Flags().Int64Var(&lines, "tail", 5000, "last lines of each log: 1 to 100000")
	return c
}

func (a *app) report(ctx context.Context, file string, lines int64) error {
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	s, err := a.connect("")
	if err != nil {
		return err
	}
	now := a.now().UTC()
	if file == "" {
		file = fmt.Sprintf("spine-report-%s-%s.tar.gz", fileName(s.name), now.Format("20060102-150405"))
	}
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("%s exists, and is not overwritten: choose another name with -f", file)
	}
	b, err := a.collect(ctx, s, lines)
	if err != nil {
		return err
	}
	if err := b.write(file, now); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "Written: %s (%d files)\n", file, len(b.files))
	for _, g := range b.gaps {
		fmt.Fprintln(a.out, "Left out:", g)
	}
	return nil
}

// collect reads all there is for a report. It fails only when the site does not answer.
func (a *app) collect(ctx context.Context, s *site, lines int64) (*bundle, error) {
	b := &bundle{files: map[string][]byte{}}
	look, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	status := s.gather(look, a.now())
	if status.failed != nil {
		return nil, status.failed
	}
	plain := *a
	plain.color = false
	report := statusReport{Sites: []siteStatus{status}, Well: len(status.Problems) == 0}
	report.At.Time = a.now().UTC()
	b.add("status.txt", []byte(plain.statusScreen(report)))
	a.resources(ctx, s, b)
	a.events(ctx, s, b)
	a.logs(ctx, s, b, lines)
	if len(b.gaps) > 0 {
		b.add("gaps.txt", []byte(strings.Join(b.gaps, "\n")+"\n"))
	}
	return b, nil
}

// write makes the archive: sorted, readable by its owner only.
func (b *bundle) write(file string, now time.Time) (err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(file))
		}
	}()
	return b.archive(f, strings.TrimSuffix(path.Base(file), ".tar.gz"), now)
}

func (b *bundle) archive(w io.Writer, folder string, now time.Time) error {
	zipped := gzip.NewWriter(w)
	out := tar.NewWriter(zipped)
	var names []string
	for name := range b.files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		text := b.files[name]
		h := &tar.Header{Name: folder + "/" + name, Mode: 0o600, Size: int64(len(text)), ModTime: now.Truncate(time.Second)}
		if err := out.WriteHeader(h); err != nil {
			return err
		}
		if _, err := out.Write(text); err != nil {
			return err
		}
	}
	return errors.Join(out.Close(), zipped.Close())
}

// fileName of a context, whose name may hold anything.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, name)
}
