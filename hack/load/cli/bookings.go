// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/hack/load/arrival"
	"spine.nhs.uk/controlplane/hack/load/bookings"
	"spine.nhs.uk/controlplane/hack/load/fleet"
	"spine.nhs.uk/controlplane/hack/load/record"
	"spine.nhs.uk/controlplane/hack/load/stats"
)

// tokensFile of the clients' folder holds the tokens that staff sign in with, one a line.
const tokensFile = "staff.jwt"

// bookingFlags are those of `load bookings`.
type bookingFlags struct {
	url, serverName, nameServer string
	clients, record             string
	rate                        float64
	duration, timeout, progress time.Duration
	shape                       arrival.Shape
	options                     bookings.Options
}

func newBookings(o *options) *cobra.Command {
	f := &bookingFlags{shape: arrival.Poisson}
	cmd := &cobra.Command{
		Use:   "bookings",
		Short: "Use the booking service's pages: search, refer, slots, book, change, cancel, worklists",
		Long: `bookings has members of staff sign in with the tokens in ` + tokensFile + ` of the clients' folder, and go from page to page.
Each page is due at its own time; a form sent counts as a page. Users choose among few slots, so they often want the same
one. What is left without a clear answer is repeated with the same idempotency key.`,
		Example: `  load bookings --url https://10.90.0.101:8445 --clients ./clients --rate 50 --duration 60s --record /tmp/run/bookings
  load bookings --url https://10.90.0.101:8445 --clients ./clients --rate 400 --users 300 --record /tmp/fast -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), o) },
	}
	p := cmd.Flags()
	p.StringVar(&f.url, "url", "", "base URL of the booking service")
	p.StringVar(&f.serverName, "server-name", "", "name in the server's certificate, when it is not the URL's host")
	nameServerFlag(p, &f.nameServer)
	p.StringVar(&f.clients, "clients", "", "folder with ca.crt and "+tokensFile)
	p.StringVar(&f.record, "record", "", "folder for the record of bookings, not shared with messages")
	p.Float64Var(&f.rate, "rate", 50, "pages a second")
	p.DurationVar(&f.duration, "duration", time.Minute, "how long")
	p.Var(&f.shape, "arrival", "shape of the arrivals")
	p.IntVar(&f.options.Users, "users", 100, "members of staff, each with one page on the way")
	p.IntVar(&f.options.Services, "services", 5, "how many of the services found users choose from")
	p.IntVar(&f.options.Slots, "slots", 10, "how many of the free slots shown users choose from")
	p.Float64Var(&f.options.Cancel, "cancel", 0.2, "share of bookings that are cancelled")
	p.Float64Var(&f.options.Rebook, "rebook", 0.2, "share of bookings that are changed")
	p.DurationVar(&f.options.RetryFor, "retry-for", 2*time.Minute, "how long to retry what has no clear answer")
	p.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long one try may take; providers may need up to 2m0s")
	p.DurationVar(&f.progress, "progress", 10*time.Second, "how often to say how it goes; 0s for never")
	return cmd
}

func (f *bookingFlags) check() error {
	return problems(
		need("url", f.url, "https://HOST:8445"), need("clients", f.clients, "a folder with ca.crt and "+tokensFile), need("record", f.record, "a folder"), nameServer(f.nameServer),
		within("rate", f.rate, 0.01, 1e5), within("users", f.options.Users, 1, 65_000), within("services", f.options.Services, 1, 1000),
		within("slots", f.options.Slots, 1, 1000), within("cancel", f.options.Cancel, 0, 1), within("rebook", f.options.Rebook, 0, 1),
		positive("duration", f.duration), positive("timeout", f.timeout))
}

func (f *bookingFlags) run(ctx context.Context, o *options) error {
	if err := f.check(); err != nil {
		return err
	}
	roots, err := fleet.Roots(filepath.Join(f.clients, "ca.crt"))
	if err != nil {
		return err
	}
	tokens, err := os.ReadFile(filepath.Join(f.clients, tokensFile))
	if err != nil {
		return err
	}
	opts := f.options
	if opts.Tokens = strings.Fields(string(tokens)); len(opts.Tokens) == 0 {
		return fmt.Errorf("%s holds no token: make one and put it there", tokensFile)
	}
	if opts.Record, err = record.Create(f.record, "user"); err != nil {
		return err
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: f.serverName, ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	begin := time.Now().Add(100 * time.Millisecond)
	opts.URL, opts.Client, opts.Seed = trimmed(f.url), fleet.Client(conf, opts.Users, f.timeout, fleet.Names(f.nameServer)), uint64(begin.UnixNano())
	opts.Schedule = arrival.New(f.shape, f.rate, begin, f.duration, opts.Seed)
	opts.Pages = stats.NewMeter("pages", f.rate)
	watch, stop := context.WithCancel(ctx)
	defer stop()
	go o.every(watch, f.progress, opts.Pages.Tick)
	if err := errors.Join(bookings.Run(ctx, opts), opts.Record.Close()); err != nil {
		return err
	}
	report := opts.Pages.Report()
	if err := o.print(report); err != nil {
		return err
	}
	if report.Refused > 0 {
		return fmt.Errorf("%d pages were refused: %s", report.Refused, report.Refusal)
	}
	return nil
}
