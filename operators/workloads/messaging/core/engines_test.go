// SPDX-License-Identifier: Apache-2.0

//go:build engines

package core

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/dispatch"
)

// pair is one database server and one broker: starting them takes longer than most tests, so all tests share them, one
// after another. A test has a database of its own, and finds a broker without queues; it may kill either server when it
// starts it again.
type pair struct {
	dir        string
	db, broker *engines.Server
	databases  int
}

// shared are the servers of this run of the tests; nil until one needs them, and again after one failed.
var shared *pair

func TestMain(m *testing.M) {
	code := m.Run()
	shared.close()
	os.Exit(code)
}

func servers(t testing.TB) *pair {
	t.Helper()
	if shared != nil {
		return shared
	}
	dir, err := os.MkdirTemp("", "engines-")
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{dir: dir}
	var both sync.WaitGroup
	var dbErr, brokerErr error
	both.Go(func() { p.db, dbErr = engines.StartPostgres(t.Context(), engines.Options{Dir: dir + "/postgresql"}) })
	both.Go(func() {
		p.broker, brokerErr = engines.StartRabbitMQ(t.Context(), engines.Options{Dir: dir + "/rabbitmq"})
	})
	both.Wait()
	if err := errors.Join(dbErr, brokerErr); err != nil {
		p.close()
		t.Fatal(err)
	}
	shared = p
	return p
}

func (p *pair) close() {
	if p == nil {
		return
	}
	for _, s := range []*engines.Server{p.db, p.broker} {
		if s != nil {
			s.Kill()
		}
	}
	_ = os.RemoveAll(p.dir)
}

// database makes a database and returns where it is.
func (p *pair) database(t testing.TB) string {
	t.Helper()
	return p.copyOf(t, "template1")
}

// copyOf makes a copy of a database that nobody uses, and returns where it is.
func (p *pair) copyOf(t testing.TB, original string) string {
	t.Helper()
	p.databases++
	name := "test" + strconv.Itoa(p.databases)
	conn, err := pgx.Connect(t.Context(), p.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // nothing hangs on it
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+original); err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(p.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	at.Path = "/" + name
	return at.String()
}

// empty removes the queues of all lanes that tests use.
func (p *pair) empty(t testing.TB) {
	t.Helper()
	conn, err := amqp.Dial(p.broker.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // nothing hangs on it
	channel, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	lanes := []string{"INT1", "INT2", "INT3", "INT4"}
	for _, interaction := range []string{"BAD", "SLOW", "GOOD", "FAST"} {
		lanes = append(lanes, pushPrefix+interaction)
	}
	for node := range 10 {
		lanes = append(lanes, fmt.Sprintf("probe/%d", node))
	}
	for _, lane := range lanes {
		if _, err := channel.QueueDelete(dispatch.Queue(lane), false, false, false); err != nil {
			t.Fatal(err)
		}
	}
}

// free gives the servers back. What a failed test leaves behind is not trusted.
func (p *pair) free(t testing.TB) {
	if t.Failed() && shared == p {
		shared = nil
		p.close()
	}
}
