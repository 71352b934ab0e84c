// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"spine.nhs.uk/controlplane/hack/load/arrival"
	"spine.nhs.uk/controlplane/hack/load/fleet"
	"spine.nhs.uk/controlplane/hack/load/messages"
	"spine.nhs.uk/controlplane/hack/load/record"
	"spine.nhs.uk/controlplane/hack/load/stats"
)

// messageFlags are those of `load messages`.
type messageFlags struct {
	receiveFlags
	meshURL            string
	rate               float64
	size               int
	duration           time.Duration
	senders            int
	shape              arrival.Shape
	batch, inFlight    int
	linger, retryFor   time.Duration
	drain, sendTimeout time.Duration
}

func newMessages(o *options) *cobra.Command {
	f := &messageFlags{shape: arrival.Poisson}
	cmd := &cobra.Command{
		Use:   "messages",
		Short: "Send messages, and receive them too",
		Long: `messages sends over the bulk interface, or over MESH with --mesh-url, from the mailboxes LOAD001 onwards to the
first --receivers of them, and collects and settles them over the bulk interface. What is left without a clear answer
is retried with the same request ID. It ends when everything sent was answered and received, or --drain later.`,
		Example: `  load messages --url https://10.90.0.101:8444 --clients ./clients --rate 1000 --duration 60s --record /tmp/run/messages
  load messages --url https://10.90.0.101:8444 --mesh-url https://10.90.0.101:8443 --clients ./clients --rate 200 --record /tmp/mesh
  load messages --url https://10.90.0.101:8444 --clients ./clients --rate 10500 --senders 4 --linger 20ms --record /tmp/fast -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), o) },
	}
	f.receiveFlags.add(cmd)
	p := cmd.Flags()
	p.StringVar(&f.meshURL, "mesh-url", "", "send over MESH, to this base URL, one message a request")
	p.Float64Var(&f.rate, "rate", 1000, "messages a second")
	p.IntVar(&f.size, "size", 2048, "bytes of each body")
	p.DurationVar(&f.duration, "duration", time.Minute, "how long to send")
	p.IntVar(&f.senders, "senders", 4, "mailboxes that send")
	p.Var(&f.shape, "arrival", "shape of the arrivals")
	p.IntVar(&f.batch, "batch", 100, "most messages in a request")
	p.IntVar(&f.inFlight, "in-flight", 32, "most requests on their way for each sender; over MESH, 8 times as many")
	p.DurationVar(&f.linger, "linger", 10*time.Millisecond, "how long a message waits for others to share a request; not over MESH")
	p.DurationVar(&f.retryFor, "retry-for", 2*time.Minute, "how long to retry what has no clear answer")
	p.DurationVar(&f.drain, "drain", 2*time.Minute, "how long to go on receiving after the end")
	p.DurationVar(&f.sendTimeout, "timeout", 5*time.Second, "how long one try may take")
	return cmd
}

func (f *messageFlags) check() error {
	return errors.Join(f.receiveFlags.check(),
		within("rate", f.rate, 0.01, 1e6), within("senders", f.senders, 1, 999), within("batch", f.batch, 1, 500),
		within("in-flight", f.inFlight, 1, 1000), positive("duration", f.duration), positive("timeout", f.sendTimeout))
}

func (f *messageFlags) run(ctx context.Context, o *options) error {
	payload, err := messages.NewPayload(f.size)
	if err := problems(f.check(), err); err != nil {
		return err
	}
	clients, err := fleet.Open(f.clients)
	if err != nil {
		return err
	}
	if err := problems(within("senders", f.senders, 1, len(clients.Mailboxes)), within("receivers", f.receivers, 0, len(clients.Mailboxes))); err != nil {
		return err
	}
	w, err := record.Create(f.record, "sender")
	if err != nil {
		return err
	}
	name := "bulk"
	if f.meshURL != "" {
		name = "mesh"
	}
	meter := stats.NewMeter(name, f.rate)
	receivers, err := f.start(o, clients)
	if err != nil {
		return errors.Join(err, w.Close())
	}
	watch, stop := context.WithCancel(ctx)
	defer stop()
	go o.every(watch, f.progress, meter.Tick)

	group, sending := errgroup.WithContext(ctx)
	for _, s := range f.build(clients, payload, w, meter) {
		group.Go(func() error { return s.Send(sending) })
	}
	sendErr := group.Wait()
	report := meter.Report()
	err = errors.Join(sendErr, receivers.finish(ctx, report.Acknowledged, f.drain), w.Close())
	if err != nil {
		return err
	}
	if err := o.print(report); err != nil {
		return err
	}
	if report.Refused > 0 {
		return fmt.Errorf("%d messages were refused: %s", report.Refused, report.Trouble)
	}
	return nil
}

// build makes the senders; they share the rate.
func (f *messageFlags) build(clients *fleet.Fleet, payload *messages.Payload, w *record.Writer, meter *stats.Meter) []*messages.Sender {
	begin := time.Now().Add(100 * time.Millisecond)
	run := uint32(begin.Unix())
	to := make([]uint16, 0, len(clients.Mailboxes))
	for _, m := range clients.Mailboxes[:max(f.receivers, 1)] {
		to = append(to, m.Number)
	}
	senders := make([]*messages.Sender, f.senders)
	for i := range senders {
		m := &clients.Mailboxes[i]
		s := &messages.Sender{
			Schedule: arrival.New(f.shape, f.rate/float64(f.senders), begin, f.duration, uint64(run)<<16|uint64(i)),
			Record:   w, Meter: meter, Run: run, Number: m.Number, Recipients: to,
			Linger: f.linger, InFlight: f.inFlight, RetryFor: f.retryFor,
		}
		if f.meshURL == "" {
			client := fleet.Client(clients.TLS(m, f.serverName), f.inFlight, f.sendTimeout, fleet.Names(f.nameServer))
			s.Link = messages.NewBulk(client, trimmed(f.url), f.interaction, payload, f.batch)
		} else {
			s.Linger, s.InFlight = 0, 8*f.inFlight
			client := fleet.Client(clients.TLS(m, f.serverName), s.InFlight, f.sendTimeout, fleet.Names(f.nameServer))
			s.Link = messages.NewMesh(client, trimmed(f.meshURL), f.interaction, payload, clients, m)
		}
		senders[i] = s
	}
	return senders
}

func trimmed(url string) string { return strings.TrimRight(url, "/") }

// receiving is a set of receivers at work.
type receiving struct {
	all    []*messages.Receiver
	stop   context.CancelFunc
	group  *errgroup.Group
	record *record.Writer
}

// quietTime is for how long nothing must come before a receiver may end.
const quietTime = time.Second

// finish waits until as many messages were handled as were acknowledged, and quiet has set in, or for at most drain.
func (r *receiving) finish(ctx context.Context, acknowledged int64, drain time.Duration) error {
	if len(r.all) == 0 {
		return nil
	}
	deadline := time.Now().Add(drain)
	for ctx.Err() == nil && time.Now().Before(deadline) {
		if time.Since(r.last()) > quietTime && r.handled() >= acknowledged {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	r.stop()
	return errors.Join(r.group.Wait(), r.record.Close())
}

// last is when any of them got something.
func (r *receiving) last() time.Time {
	var last time.Time
	for _, one := range r.all {
		if at := one.Last(); at.After(last) {
			last = at
		}
	}
	return last
}

func (r *receiving) handled() int64 {
	n := int64(0)
	for _, one := range r.all {
		n += one.Handled()
	}
	return n
}

// start begins to receive, apart from the senders' context, so that what they sent last is received too.
func (f *receiveFlags) start(o *options, clients *fleet.Fleet) (*receiving, error) {
	r := &receiving{}
	if f.receivers == 0 {
		return r, nil
	}
	w, err := record.Create(f.record, "receiver")
	if err != nil {
		return nil, err
	}
	r.record = w
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.group, ctx = errgroup.WithContext(ctx)
	for i := range f.receivers {
		m := &clients.Mailboxes[i]
		client := fleet.Client(clients.TLS(m, f.serverName), 2, f.wait+5*time.Second, fleet.Names(f.nameServer))
		one := &messages.Receiver{
			Client: client, URL: trimmed(f.url), Mailbox: m, Record: w, Max: f.max, Wait: f.wait,
			Trouble: func(err error) { _, _ = fmt.Fprintln(o.stderr, "receive:", err) },
		}
		r.all = append(r.all, one)
		r.group.Go(func() error { return one.Run(ctx) })
	}
	return r, nil
}
