// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/hack/load/fleet"
)

// receiveFlags are those of `load receive`, which `load messages` shares.
type receiveFlags struct {
	url, serverName, nameServer  string
	clients, record, interaction string
	receivers, max               int
	wait, progress               time.Duration
}

func (f *receiveFlags) add(cmd *cobra.Command) {
	p := cmd.Flags()
	p.StringVar(&f.url, "url", "", "base URL of the bulk interface")
	p.StringVar(&f.serverName, "server-name", "", "name in the server's certificate, when it is not the URL's host")
	nameServerFlag(p, &f.nameServer)
	p.StringVar(&f.clients, "clients", "", "folder of the clients' certificates and mailboxes.yaml")
	p.StringVar(&f.record, "record", "", "folder for the record; those of several runs and processes may share it")
	p.StringVar(&f.interaction, "interaction", "SPINE_LOAD_TEST", "interaction (workflow ID) of the messages")
	p.IntVar(&f.receivers, "receivers", 4, "mailboxes that receive; 0 when other processes do")
	p.IntVar(&f.max, "max", 200, "most messages that a receiver asks for at a time")
	p.DurationVar(&f.wait, "wait", 5*time.Second, "how long a receiver waits for the first message of a request")
	p.DurationVar(&f.progress, "progress", 10*time.Second, "how often to say how it goes; 0s for never")
}

func (f *receiveFlags) check() error {
	return errors.Join(
		need("url", f.url, "https://HOST:8444"), need("clients", f.clients, "a folder with ca.crt and mailboxes.yaml"),
		need("record", f.record, "a folder"), nameServer(f.nameServer), within("receivers", f.receivers, 0, 999), within("max", f.max, 1, 500),
		within("wait", f.wait.Seconds(), 1, 20))
}

// received is the result of `load receive`.
type received struct {
	Handled int64 `json:"handled"`
}

func (r received) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d received and settled\n", r.Handled)
	return err
}

func newReceive(o *options) *cobra.Command {
	f := &receiveFlags{}
	var duration time.Duration
	cmd := &cobra.Command{
		Use:   "receive",
		Short: "Receive and settle what is sent to the load generator's mailboxes",
		Example: `  load receive --url https://10.90.0.101:8444 --clients ./clients --receivers 8 --record /tmp/run/messages
  load receive --url https://10.90.0.101:8444 --clients ./clients --record /tmp/run/messages --duration 10m`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := problems(f.check(), within("receivers", f.receivers, 1, 999)); err != nil {
				return err
			}
			clients, err := fleet.Open(f.clients)
			if err != nil {
				return err
			}
			if err := problems(within("receivers", f.receivers, 1, len(clients.Mailboxes))); err != nil {
				return err
			}
			r, err := f.start(o, clients)
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			go o.every(ctx, f.progress, func() string { return fmt.Sprintf("%d received and settled", r.handled()) })
			if duration == 0 {
				duration = math.MaxInt64
			}
			if err := r.finish(ctx, math.MaxInt64, duration); err != nil {
				return err
			}
			return o.print(received{r.handled()})
		},
	}
	f.add(cmd)
	cmd.Flags().DurationVar(&duration, "duration", 0, "how long to receive; until interrupted when left out")
	return cmd
}
