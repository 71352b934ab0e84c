// SPDX-License-Identifier: Apache-2.0

// Command booking-service is the e-Referral booking service: the published
// FHIR API and the pages on one port, with its database, its outbox through
// the message gateway, and the evening poll of providers' slots.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
	_ "time/tzdata" // the image has no time zones

	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/operators/workloads/booking/service"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

func main() {
	if err := command().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "booking-service:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	c := &cobra.Command{
		Use:           "booking-service",
		Short:         "Refer patients and book appointments",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	c.AddCommand(serve(), seed(), restore(), alone(), version())
	return c
}

func serve() *cobra.Command {
	var o service.Options
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API and the pages",
		Long: `Serve the API (/FHIR/STU3/...) and the pages (/) until SIGTERM, then finish
what is in flight and exit.

/livez and /readyz of the other port are open; /metrics, /statusz, /deepz,
POST /drain and POST /permit are for spine-manager alone: its client certificate, of the
authority in --tls-dir.`,
		Example: `  # As the operator starts it:
  booking-service serve --address=:8445 --ops-address=:8446 --config=/etc/spine/config/booking.yaml \
    --database-dir=/etc/spine/database --tls-dir=/etc/spine/tls \
    --gateway-url=https://spine-gateway.spine-messaging.svc:8444 --gateway-tls-dir=/etc/spine/gateway-client`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			return service.Run(ctx, o, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
		},
	}
	f := c.Flags()
	f.StringVar(&o.Address, "address", ":8445", "where the API and the pages listen (HTTPS)")
	f.StringVar(&o.OpsAddress, "ops-address", ":8446", "where the platform's port listens (HTTPS)")
	f.StringVar(&o.Config, "config", "/etc/spine/config/booking.yaml", "configuration file; re-read when it changes")
	f.StringVar(&o.DatabaseDir, "database-dir", "/etc/spine/database", "folder with username, password, host, port, dbname and ca.crt")
	f.StringVar(&o.TLSDir, "tls-dir", "/etc/spine/tls", "folder with tls.crt, tls.key and ca.crt; re-read when they change")
	f.StringVar(&o.GatewayURL, "gateway-url", "https://spine-gateway.spine-messaging.svc:8444", "the message gateway's bulk interface")
	f.StringVar(&o.GatewayTLSDir, "gateway-tls-dir", "/etc/spine/gateway-client", "folder with the client certificate for the message gateway")
	f.BoolVar(&o.RequirePermit, "require-permit", false, "refuse clients until the site's manager permits to serve (POST /permit): for one of two sites")
	f.StringVar(&o.Peer, "peer", "", "name of the other site: /statusz then tells how far its database is behind")
	f.DurationVar(&o.DrainTimeout, "drain-timeout", 130*time.Second, "how long requests in flight may take after SIGTERM")
	return c
}

func seed() *cobra.Command {
	var o store.Seed
	var dir string
	c := &cobra.Command{
		Use:   "seed",
		Short: "Fill the directory with services and slots, for tries and measurements",
		Long: `Fill the directory with made-up services (numbers from 11000) and free slots of
half an hour, 14 a day from the day after tomorrow. May be repeated.`,
		Example: `  # In the cluster, beside a running service:
  kubectl --namespace=spine-booking exec deploy/ers-service -- /booking-service seed --services=300 --slots=200`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.Services < 1 || o.Services > 50_000 || o.Slots < 0 || o.Slots > 5_000 {
				return fmt.Errorf("--services: expected 1 to 50000; --slots: expected 0 to 5000")
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			opening, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			s, err := store.Open(opening, store.Options{Source: database.Dir(dir), Connections: 2, Now: time.Now})
			if err != nil {
				return err
			}
			defer s.Close()
			if err := s.Put(ctx, o); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%d services, %d slots each\n", o.Services, o.Slots)
			return err
		},
	}
	f := c.Flags()
	f.IntVar(&o.Services, "services", 300, "how many services, 1 to 50000; each twentieth is for triage and has no slots")
	f.IntVar(&o.Slots, "slots", 200, "how many slots each, 0 to 5000")
	f.StringVar(&o.Endpoint, "provider-url", "", "base URL of the providers' system that is asked at every booking (default: nobody is asked)")
	f.StringVar(&dir, "database-dir", "/etc/spine/database", "folder with username, password, host, port, dbname and ca.crt")
	return c
}

func version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return fmt.Errorf("this program was built without its version")
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "booking-service %s %s\n", info.Main.Version, info.GoVersion)
			return err
		},
	}
}
