// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// session is a connection that one worker has for its commits alone: whatever the readers do, it waits for none of them.
type session struct {
	source  database.Source
	prepare func(context.Context, *pgx.Conn) error

	conn *pgx.Conn
	// doubt is set when the server warned during a statement: a commit whose wait for the standbys was cut short
	// succeeds with no more than a warning.
	doubt bool
}

// with runs a statement, after connecting where there is no connection. When it fails the connection is given up.
func (s *session) with(ctx context.Context, do func(*pgx.Conn) error) error {
	if s.conn == nil {
		if err := s.connect(ctx); err != nil {
			return err
		}
	}
	s.doubt = false
	err := do(s.conn)
	if err == nil && s.doubt {
		err = fmt.Errorf("%w: the server warned that a commit may not be on its standbys", message.ErrUnavailable)
	}
	if err != nil {
		s.close()
	}
	return err
}

func (s *session) connect(ctx context.Context) error {
	config, err := s.source()
	if err != nil {
		return err
	}
	config.RuntimeParams["application_name"] = "message-gateway-writer"
	config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
		if notice.SeverityUnlocalized == "WARNING" {
			s.doubt = true
		}
	}
	if s.conn, err = pgx.ConnectConfig(ctx, config.ConnConfig); err != nil {
		s.conn = nil
		return err
	}
	if err := s.prepare(ctx, s.conn); err != nil {
		s.close()
		return err
	}
	return nil
}

// close gives the connection up. It waits for nothing: the server may be gone.
func (s *session) close() {
	if s.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.conn.Close(ctx)
		s.conn = nil
	}
}

// keyed adds settings for statements that all go by keys. The tables grow and empty faster than statistics follow: a
// plan by them reads all of a table that was small when it was made. Joins with arrays are no use here all the same: of
// nested loops the planner still chooses the outer one, and that may be the table.
func keyed(source database.Source) database.Source {
	return planned(source, "enable_seqscan", "enable_hashjoin", "enable_mergejoin")
}

// listed adds settings for statements that take their rows as arrays. The plan is made once, without knowing how many
// rows come: nested loops over them would cost their square.
func listed(source database.Source) database.Source {
	return planned(source, "enable_seqscan", "enable_nestloop")
}

// planned turns off ways of the planner, and lets it make each plan once.
func planned(source database.Source, off ...string) database.Source {
	return func() (database.Settings, error) {
		c, err := source()
		if err != nil {
			return c, err
		}
		for _, name := range off {
			c.RuntimeParams[name] = "off"
		}
		c.RuntimeParams["jit"] = "off"
		c.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
		return c, nil
	}
}

// hand is what one worker is at: since when the oldest of it has waited, in nanoseconds since 1970; 0: nothing.
type hand struct{ since atomic.Int64 }

// late says whether any worker is at something that has waited for longer than patience.
func (l *Ledger) late() bool {
	now := time.Now().UnixNano()
	for i := range l.hands {
		if since := l.hands[i].since.Load(); since != 0 && now-since > int64(patience) {
			return true
		}
	}
	return false
}
