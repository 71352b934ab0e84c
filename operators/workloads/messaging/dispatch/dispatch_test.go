// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

func TestReferencesComeBack(t *testing.T) {
	seqs := []message.Seq{1, 1 << 40, 1<<63 - 1}
	if got := decode(encode(seqs)); !slices.Equal(got, seqs) {
		t.Errorf("%v", got)
	}
	// What is cut off or no reference is left out.
	if got := decode(append(encode([]message.Seq{7, -1, 0}), 1, 2)); !slices.Equal(got, []message.Seq{7}) {
		t.Errorf("%v", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode([]message.Seq{1, 2}))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range decode(b) {
			if s <= 0 {
				t.Errorf("reference %d", s)
			}
		}
	})
}

const authority = `-----BEGIN CERTIFICATE-----
MIIBITCByaADAgECAgEBMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMTAWEwHhcNMjYw
MTAxMDAwMDAwWhcNMzYwMTAxMDAwMDAwWjAMMQowCAYDVQQDEwFhMFkwEwYHKoZI
-----END CERTIFICATE-----
`

func TestDirNamesWhatIsWrongAndNotThePassword(t *testing.T) {
	good := map[string]string{"username": "u", "password": "hunter2", "host": "broker", "port": "5672", "ca.crt": authority}
	for key, c := range map[string]struct{ value, want string }{
		"port": {"56x2", "port: expected a number"}, "ca.crt": {"nonsense", "ca.crt: expected PEM"}, "host": {"", "host"},
	} {
		dir := t.TempDir()
		for k, v := range good {
			if k == key {
				v = c.value
			}
			if k == key && v == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, k), []byte(v), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err := Dir(dir)()
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestBusyLanesTravelInLargerBatches(t *testing.T) {
	for _, c := range []struct {
		n     int
		since time.Duration
		want  time.Duration
	}{
		{1, time.Hour, spacing},                   // an idle lane's first
		{2, time.Millisecond, spacing},            // two at once are no rate
		{29, 100 * time.Millisecond, spacing},     // below busyRate
		{30, 100 * time.Millisecond, busySpacing}, // at it
		{59, 200 * time.Millisecond, spacing},     // no longer
	} {
		if got := spacingAfter(c.n, c.since); got != c.want {
			t.Errorf("%d in %v: %v, expected %v", c.n, c.since, got, c.want)
		}
	}
}

// When a channel is cut, the library closes what listens to it, and a confirmation may come last: none of that keeps the
// publisher from connecting again.
func TestConfirmedAfterTheCut(t *testing.T) {
	p := NewPublisher(nil, nil, nil, nil)
	out := &sent{lane: &lane{}, refs: []message.Seq{7}}
	p.lanes["INT1"], p.sending, p.refs = out.lane, []*sent{out}, 1
	s := &session{
		publisher: p, known: map[string]bool{"INT1": true}, outstanding: map[uint64]*sent{1: out},
		returns: make(chan amqp.Return, 1), confirms: make(chan amqp.Confirmation),
	}
	s.returns <- amqp.Return{RoutingKey: Queue("INT1"), MessageId: "1"}
	close(s.returns)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.confirmed(amqp.Confirmation{DeliveryTag: 1, Ack: true}, true)
		s.confirmed(amqp.Confirmation{}, false)
		s.returned(amqp.Return{}, false)
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("it waits for something of a channel that is closed")
	}
	if p.Oldest() != 7 || p.Pending() != 1 || len(s.outstanding) != 0 {
		t.Errorf("what no queue took is not sent again: %+v", p)
	}
	if s.known["INT1"] {
		t.Error("the queue that was not there is not looked for")
	}
	if s.returns != nil || s.confirms != nil {
		t.Error("it listens on")
	}
}
