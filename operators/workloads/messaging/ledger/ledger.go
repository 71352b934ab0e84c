// SPDX-License-Identifier: Apache-2.0

// Package ledger keeps the truth of the message gateway in PostgreSQL: which messages were accepted, which of them are
// not settled yet, and which requests were seen before. A write returns only when its commit is durable on as many
// replicas of the database as the site asks for (synchronous_commit = on), or in the storage of an Aurora.
package ledger

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Advisory locks of the ledger's database; one number each.
const (
	lockMigrate = 7_301_001
	lockKeeper  = 7_301_002
)

// Config says where the database is and how much may be in flight.
type Config struct {
	// Database is asked before every new connection.
	Database database.Source
	// Writers is the number of connections that commit batches side by side, 1 to 16; 0 means 3.
	Writers int
	// BatchMessages and BatchBytes bound one commit; 0 means 400 messages and 2 MiB.
	BatchMessages, BatchBytes int
	// InFlightBytes bounds what waits for its commit, in bytes of bodies; 0 means 64 MiB.
	InFlightBytes int64
	// Readers is the number of other connections; 0 means 8.
	Readers int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Ledger is safe for concurrent use.
type Ledger struct {
	config Config
	engine database.Engine
	pool   *pgxpool.Pool
	clock  *message.Clock
	node   int

	appending gatherer[*group]
	settling  gatherer[*settlement]
	inFlight  atomic.Int64
	// hands are the workers': first the settlers', then the writers'.
	hands   []hand
	stop    chan struct{}
	workers sync.WaitGroup

	acknowledged, settled atomic.Int64
	connected             atomic.Bool
	// reached is when the database was last reached, in nanoseconds since 1970.
	reached atomic.Int64
}

// Open connects, brings the schema up to date, and takes a replica number.
func Open(ctx context.Context, config Config) (*Ledger, error) {
	setDefaults(&config)
	engine, err := config.Database.Engine()
	if err != nil {
		return nil, unavailable(err)
	}
	pool, err := database.Pool(ctx, keyed(config.Database), "message-gateway", config.Readers)
	if err != nil {
		return nil, unavailable(err)
	}
	l := &Ledger{
		config: config,
		engine: engine,
		pool:   pool,
		appending: gatherer[*group]{
			queue: make(chan *group, 4096), linger: linger, spacing: messageSpacing,
			enough: config.BatchMessages / 4, most: config.BatchMessages, mostBytes: int64(config.BatchBytes),
			measure: func(g *group) (int, int64) { return len(g.entries), g.bytes },
		},
		settling: gatherer[*settlement]{
			queue: make(chan *settlement, 4096), spacing: settleSpacing,
			enough: settleBatch / 4, most: settleBatch, mostBytes: math.MaxInt64,
			measure: func(s *settlement) (int, int64) { return len(s.refs), 0 },
		},
		hands: make([]hand, settlers+config.Writers),
		stop:  make(chan struct{}),
	}
	if err := l.begin(ctx); err != nil {
		l.pool.Close()
		return nil, err
	}
	for i := range l.hands {
		h := &l.hands[i]
		if i < settlers {
			l.workers.Go(func() { l.settleLoop(h) })
		} else {
			l.workers.Go(func() { l.write(h) })
		}
	}
	return l, nil
}

func setDefaults(c *Config) {
	defaultTo(&c.Writers, 3)
	defaultTo(&c.BatchMessages, 400)
	defaultTo(&c.BatchBytes, 2<<20)
	defaultTo(&c.InFlightBytes, 64<<20)
	defaultTo(&c.Readers, 8)
	if c.Now == nil {
		c.Now = time.Now
	}
}

func defaultTo[T int | int64](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}

func (l *Ledger) begin(ctx context.Context) error {
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer conn.Release()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	if err := database.Migrate(ctx, conn.Conn(), "ledger", lockMigrate, files); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if err := ensurePartitions(ctx, conn.Conn(), l.config.Now()); err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, `SELECT nextval('ledger.node')`).Scan(&l.node); err != nil {
		return unavailable(err)
	}
	l.clock = message.NewClock(l.node)
	l.reach(nil)
	return l.Beat(ctx, message.SeqAt(l.config.Now()))
}

// Close waits for what is queued to be written, then disconnects. Nothing may be appended afterwards.
func (l *Ledger) Close() {
	close(l.stop)
	l.workers.Wait()
	l.pool.Close()
}

// Next numbers a message.
func (l *Ledger) Next() message.Seq { return l.clock.Next(l.config.Now()) }

// Node is this replica's number.
func (l *Ledger) Node() int { return l.node }

// Connected says whether the last use of the database succeeded in reaching it.
func (l *Ledger) Connected() bool { return l.connected.Load() }

// reach notes whether the database was reached.
func (l *Ledger) reach(err error) {
	l.connected.Store(err == nil)
	if err == nil {
		l.reached.Store(time.Now().UnixNano())
	}
}

// Away is for how long the database has not been reached; it is used every second at least.
func (l *Ledger) Away() time.Duration { return time.Since(time.Unix(0, l.reached.Load())) }

// InFlight is the bytes of bodies that wait for their commit.
func (l *Ledger) InFlight() int64 { return l.inFlight.Load() }

// unavailable wraps an error of the database: what was asked may or may not have happened.
func unavailable(err error) error {
	if err == nil || errors.Is(err, message.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", message.ErrUnavailable, err)
}
