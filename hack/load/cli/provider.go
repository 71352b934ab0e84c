// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/hack/load/fleet"
	"spine.nhs.uk/controlplane/hack/load/provider"
)

// providerFlags are those of `load provider`.
type providerFlags struct {
	provider.Options
	listen, certificate, key, clientCA string
}

func newProvider(o *options) *cobra.Command {
	f := &providerFlags{}
	cmd := &cobra.Command{
		Use:   "provider",
		Short: "Simulate providers' booking systems over HTTPS",
		Long: `provider answers as a provider's system for any service: free slots on working days, bookings and cancellations,
each booking once. Delays and faults are shares of all requests. It runs until interrupted.`,
		Example: `  load provider --listen 127.0.0.1:45030 --certificate tls.crt --key tls.key
  load provider --listen 127.0.0.1:45030 --certificate tls.crt --key tls.key --delay 200ms --jitter 300ms --broken 0.01 --silent 0.001`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), o) },
	}
	p := cmd.Flags()
	p.StringVar(&f.listen, "listen", "127.0.0.1:45030", "address to listen on")
	p.StringVar(&f.certificate, "certificate", "", "file of the server's certificate")
	p.StringVar(&f.key, "key", "", "file of its key")
	p.StringVar(&f.clientCA, "client-ca", "", "file of the authority that clients' certificates must come from; any client when left out")
	p.IntVar(&f.SlotsPerDay, "slots-per-day", 20, "slots of each service on a working day")
	p.DurationVar(&f.Every, "every", 20*time.Minute, "length of a slot")
	p.DurationVar(&f.Delay, "delay", 20*time.Millisecond, "least time to an answer")
	p.DurationVar(&f.Jitter, "jitter", 30*time.Millisecond, "what chance may add to it")
	p.DurationVar(&f.Forget, "remember", 24*time.Hour, "how long a cancelled booking's ID stays dead")
	p.Float64Var(&f.Faults.Busy, "busy", 0, "share of requests answered 429")
	p.Float64Var(&f.Faults.Broken, "broken", 0, "share of requests answered 500 though they were done")
	p.Float64Var(&f.Faults.Silent, "silent", 0, "share of requests done and never answered")
	return cmd
}

// served is the result of `load provider`.
type served struct{ provider.Counts }

func (s served) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d asked for slots, %d booked, %d refused, %d cancelled, %d faults\n", s.Availability, s.Booked, s.Refused, s.Cancelled, s.Faults)
	return err
}

func (f *providerFlags) check() error {
	faults := f.Faults
	return problems(
		need("certificate", f.certificate, "a PEM file"), need("key", f.key, "a PEM file"),
		within("slots-per-day", f.SlotsPerDay, 1, 200), positive("every", f.Every), positive("remember", f.Forget),
		within("busy", faults.Busy, 0, 1), within("broken", faults.Broken, 0, 1), within("silent", faults.Silent, 0, 1))
}

func (f *providerFlags) run(ctx context.Context, o *options) error {
	if err := f.check(); err != nil {
		return err
	}
	certificate, err := tls.LoadX509KeyPair(f.certificate, f.key)
	if err != nil {
		return err
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}
	if f.clientCA != "" {
		if conf.ClientCAs, err = fleet.Roots(f.clientCA); err != nil {
			return err
		}
		conf.ClientAuth = tls.RequireAndVerifyClientCert
	}
	simulator := provider.New(f.Options)
	server := &http.Server{Handler: simulator, TLSConfig: conf, ReadHeaderTimeout: 10 * time.Second}
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return err
	}
	// Closing ends silent requests too; there is nothing to wait for.
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return o.print(served{simulator.Counts()})
}
