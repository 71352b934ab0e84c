// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/hack/load/arrival"
	"spine.nhs.uk/controlplane/hack/load/fleet"
	"spine.nhs.uk/controlplane/hack/load/messages"
	"spine.nhs.uk/controlplane/hack/load/plain"
	"spine.nhs.uk/controlplane/hack/load/stats"
)

// brokerURL is the variable that holds the broker's URL: it carries a password, which command lines show to everybody.
const brokerURL = "LOAD_BROKER_URL"

func newPlain(o *options) *cobra.Command {
	opts := plain.Options{Shape: arrival.Poisson}
	var size int
	var ca, serverName string
	cmd := &cobra.Command{
		Use:   "plain",
		Short: "Publish to RabbitMQ with one confirm per message, to compare with",
		Long: "plain publishes to a quorum queue of its own, waiting for each message's confirm, and consumes it again.\n" +
			"The broker's URL, with its password, is taken from the variable " + brokerURL + ".",
		Example: `  ` + brokerURL + `=amqp://user:password@127.0.0.1:5672 load plain --rate 1000 --duration 30s
  ` + brokerURL + `=amqps://user:password@10.90.0.1:5671 load plain --ca ca.crt --rate 0 --connections 16 -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.URL = os.Getenv(brokerURL)
			payload, err := messages.NewPayload(size)
			if err := problems(err, brokerProblem(opts.URL, ca), within("rate", opts.Rate, 0, 1e6), within("connections", opts.Connections, 1, 1000), positive("duration", opts.Duration)); err != nil {
				return err
			}
			opts.Payload = payload
			if ca != "" {
				roots, err := fleet.Roots(ca)
				if err != nil {
					return err
				}
				opts.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: serverName}
			}
			return runPlain(cmd.Context(), o, opts)
		},
	}
	p := cmd.Flags()
	p.Float64Var(&opts.Rate, "rate", 1000, "messages a second; 0 for as many as possible")
	p.IntVar(&opts.Connections, "connections", 16, "connections, each with one message on its way")
	p.DurationVar(&opts.Duration, "duration", time.Minute, "how long to publish")
	p.Var(&opts.Shape, "arrival", "shape of the arrivals")
	p.StringVar(&opts.Queue, "queue", "spine-load-plain", "queue to declare, and to delete in the end")
	p.IntVar(&size, "size", 2048, "bytes of each body")
	p.StringVar(&ca, "ca", "", "what the broker's certificate is checked against")
	p.StringVar(&serverName, "server-name", "", "name in the broker's certificate, when it is not the URL's host")
	return cmd
}

func brokerProblem(url, ca string) error {
	if strings.HasPrefix(url, "amqps://") {
		return need("ca", ca, "a file, as "+brokerURL+" begins with amqps")
	}
	if !strings.HasPrefix(url, "amqp://") {
		return fmt.Errorf("%s: expected amqp://USER:PASSWORD@HOST:5672 or amqps://USER:PASSWORD@HOST:5671", brokerURL)
	}
	return nil
}

func runPlain(ctx context.Context, o *options, opts plain.Options) error {
	meter := stats.NewMeter("plain", opts.Rate)
	if err := plain.Run(ctx, opts, meter); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return o.print(meter.Report())
}
