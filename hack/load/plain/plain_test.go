// SPDX-License-Identifier: Apache-2.0

//go:build engines

package plain

import (
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"spine.nhs.uk/controlplane/hack/load/arrival"
	"spine.nhs.uk/controlplane/hack/load/messages"
	"spine.nhs.uk/controlplane/hack/load/stats"
	"spine.nhs.uk/controlplane/operators/operatortest/engines"
)

func TestRun(t *testing.T) {
	url := engines.RabbitMQ(t)
	payload, err := messages.NewPayload(2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, rate := range map[string]float64{"open loop": 200, "as many as possible": 0} {
		meter := stats.NewMeter("plain", rate)
		o := Options{URL: url, Queue: "spine-load-plain", Connections: 4, Rate: rate, Duration: time.Second, Shape: arrival.Even, Payload: payload}
		if err := Run(t.Context(), o, meter); err != nil {
			t.Fatal(err)
		}
		if r := meter.Report(); r.Acknowledged < 50 || rate != 0 && (r.Acknowledged < 195 || r.Acknowledged > 205) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	connection, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	channel, err := connection.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := channel.QueueDeclarePassive("spine-load-plain", true, false, false, false, nil); err == nil {
		t.Error("the queue was left behind")
	}
}
