// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"errors"
	"hash/maphash"
	"math"
	"sync"
	"time"
)

// Errors of Use.
var (
	// ErrReplayed: the token was used before, or its count is so far behind the nonce's highest that this is not known.
	ErrReplayed = errors.New("this Authorization header was used before: make a new one, with a new nonce or the next count, for each request")
	// ErrForgotten: the token is in time, but so old that the guard no longer remembers which of its minute were used.
	ErrForgotten = errors.New("the timestamp in the Authorization header is too old to be told from a repeat: make a new one")
	// ErrFull: callers use up nonces faster than they can be remembered.
	ErrFull = errors.New("too many nonces in use: keep one nonce for a session and raise its count, or ask again in a minute")
)

const (
	// span is how far behind the highest count of a nonce a count may arrive: requests in flight overtake each other.
	span = 1024
	// kept is how long every nonce is remembered come what may; only older ones are forgotten to make room.
	kept = 2 * time.Minute
)

// Guard remembers the tokens that were used, in bounded memory, so that none is good twice. A replica has its own: a
// captured token could be repeated to another replica by somebody who also has the mailbox's certificate and its key.
//
// Tokens are kept by the minute of their timestamp. When there is no more room, the oldest minute is forgotten and its
// tokens are refused from then on; so room runs out in favour of refusing, and callers with a true clock do not notice.
type Guard struct {
	seed     maphash.Seed
	capacity int

	mu      sync.Mutex
	minutes map[int64]*minute
	size    int
	// floor is the first minute that is remembered.
	floor int64
}

// minute holds the nonces of one minute: the single count of those used once (most clients that take a new nonce for
// each request), and a window of counts for the others.
type minute struct {
	once    map[uint64]uint64
	windows map[uint64]*window
}

// NewGuard takes how many nonces are remembered: about 30 bytes each, 160 for one used more than once.
func NewGuard(capacity int) *Guard {
	return &Guard{seed: maphash.MakeSeed(), capacity: capacity, minutes: map[int64]*minute{}, floor: math.MinInt64}
}

// Use marks a checked header as used. The errors are ErrReplayed, ErrForgotten and ErrFull.
func (g *Guard) Use(h *Header, now time.Time) error {
	at, key := h.at.Unix()/60, g.key(h)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(now.Add(-Window).Unix()/60 - 1)
	if at < g.floor {
		return ErrForgotten
	}
	if m := g.minutes[at]; m != nil {
		if w := m.windows[key]; w != nil {
			return w.use(h.count)
		}
		if first, used := m.once[key]; used {
			w := newWindow(first)
			if err := w.use(h.count); err != nil {
				return err
			}
			delete(m.once, key)
			m.windows[key] = w
			return nil
		}
	}
	for g.size >= g.capacity {
		if !g.makeRoom(at, now) {
			return ErrFull
		}
	}
	m := g.minutes[at]
	if m == nil {
		m = &minute{once: map[uint64]uint64{}, windows: map[uint64]*window{}}
		g.minutes[at] = m
	}
	m.once[key] = h.count
	g.size++
	return nil
}

// Release takes back a Use: the request was refused before it had any effect, and asked to come again later. Clients
// that repeat by themselves then send the same token.
func (g *Guard) Release(h *Header) {
	key := g.key(h)
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.minutes[h.at.Unix()/60]
	if m == nil {
		return
	}
	if w := m.windows[key]; w != nil {
		w.release(h.count)
	} else if first, used := m.once[key]; used && first == h.count {
		delete(m.once, key)
		g.size--
	}
}

// makeRoom forgets the oldest minute, unless it is young or not older than the one that asks.
func (g *Guard) makeRoom(asking int64, now time.Time) bool {
	oldest := int64(math.MaxInt64)
	for at := range g.minutes {
		oldest = min(oldest, at)
	}
	if oldest >= asking || oldest >= now.Add(-kept).Unix()/60 {
		return false
	}
	g.forget(oldest)
	return true
}

// forget drops the minutes up to and including last.
func (g *Guard) forget(last int64) {
	if last < g.floor {
		return
	}
	g.floor = last + 1
	for at, m := range g.minutes {
		if at <= last {
			g.size -= len(m.once) + len(m.windows)
			delete(g.minutes, at)
		}
	}
}

// key is a keyed hash: 64 bits that nobody outside can aim at. That two of a million nonces share one by chance, and
// one of them is refused, happens once in 30 million times.
func (g *Guard) key(h *Header) uint64 {
	var hash maphash.Hash
	hash.SetSeed(g.seed)
	_, _ = hash.WriteString(h.Mailbox)
	_ = hash.WriteByte(':')
	_, _ = hash.WriteString(h.Nonce)
	return hash.Sum64()
}

// window holds which of the span counts up to the highest were used.
type window struct {
	highest uint64
	bits    [span / 64]uint64
}

func newWindow(first uint64) *window {
	w := &window{highest: first}
	w.set(first)
	return w
}

func (w *window) use(count uint64) error {
	switch {
	case count > w.highest:
		if count-w.highest >= span {
			clear(w.bits[:])
		} else {
			for c := w.highest + 1; c < count; c++ {
				w.clear(c)
			}
		}
		w.highest = count
	case w.highest-count >= span, w.has(count):
		return ErrReplayed
	}
	w.set(count)
	return nil
}

func (w *window) release(count uint64) {
	if count <= w.highest && w.highest-count < span {
		w.clear(count)
	}
}

func (w *window) has(c uint64) bool { return w.bits[c%span/64]&(1<<(c%64)) != 0 }
func (w *window) set(c uint64)      { w.bits[c%span/64] |= 1 << (c % 64) }
func (w *window) clear(c uint64)    { w.bits[c%span/64] &^= 1 << (c % 64) }
