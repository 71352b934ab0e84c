// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

const (
	step = 250 * time.Millisecond
	term = 20 * time.Second
	skew = 2 * time.Second
)

// message is one that somebody was told is safe.
type message struct {
	id    int
	at    time.Duration
	epoch int64
}

// place is one site: what its API server keeps, its programs and its database.
type place struct {
	name string
	// up: it has power. manager: its manager runs.
	up, manager bool
	// ahead is how far its clock is ahead of true time.
	ahead time.Duration
	// order of its services, as annotated, and what of it is brought about, at due.
	order, real common.SiteOrder
	due         time.Duration
	// log is what its database holds, and strict that it waits for the other one.
	log    []int
	strict bool
	// permit of its programs, which power cuts take away.
	permit Permit
	epoch  int64
	until  time.Time
	// held, promised, promise, taking, handover, heldAllAt, brokenSince and wholeSince are what
	// the FailoverPolicy of the site, or its manager, keeps.
	held        Vote
	promised    time.Time
	promise     api.Promise
	taking      int64
	handover    *api.Handover
	heldAllAt   time.Time
	brokenSince time.Duration
	wholeSince  time.Duration
	// token of its database when it was handed over, and the one that it is promoted by; -1: none.
	token, by int
	look      time.Duration
}

// flaws that are planted, to see the invariants notice them.
type flaws struct {
	noFence, blindSwap, noPromise, noSkew, deafPermit, early, unbounded, noLoss, hasty, boast, noTaking bool
}

// world is two sites, a witness and the wires between them, under a clock that is stepped.
type world struct {
	now    time.Duration
	random *rand.Rand
	both   bool
	flaws  flaws
	sites  [2]*place
	vote   Vote
	// link joins the sites; wire joins a site to the witness.
	link bool
	wire [2]bool
	// lag of the replication where nobody waits for it.
	lag time.Duration
	// sent counts messages; acked are those that somebody was told are safe.
	sent  int
	acked []message
	op    *op
	wrong []string
	trace strings.Builder
	// cutAlone is since when nothing but the link is down; served is when somebody last was.
	cutAlone, served time.Duration
}

var begin = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

func newWorld(seed uint64) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 4)), link: true, wire: [2]bool{true, true}}
	w.both = w.chance(50)
	for i, name := range []string{"a", "b"} {
		s := &place{name: name, up: true, manager: true, token: -1, by: -1, permit: PermitNone, strict: w.both}
		s.ahead = time.Duration(w.random.Int64N(int64(skew))) - skew/2
		s.real.Role = common.SiteQuiesced
		if i == 1 {
			s.real.Role = common.SiteStandby
		}
		s.order = s.real
		w.sites[i] = s
	}
	return w
}

func (w *world) chance(percent int) bool { return w.random.IntN(100) < percent }

func (w *world) clock(s *place) time.Time { return begin.Add(w.now + s.ahead) }

func (w *world) other(s *place) *place {
	if s == w.sites[0] {
		return w.sites[1]
	}
	return w.sites[0]
}

func (w *world) say(format string, args ...any) {
	fmt.Fprintf(&w.trace, "%7.2f ", w.now.Seconds())
	fmt.Fprintf(&w.trace, format+"\n", args...)
}

func (w *world) violate(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.say("WRONG %s", text)
	w.wrong = append(w.wrong, text)
}

// talks says that two sites' managers reach each other's API servers.
func (w *world) talks() bool { return w.link && w.sites[0].up && w.sites[1].up }

var errSilent = errors.New("silent")

// read asks the witness.
func (w *world) read(i int) *Vote {
	if !w.wire[i] || w.chance(3) {
		return nil
	}
	v := w.vote
	return &v
}

// swap is the witness's; its answer may get lost although it was done.
func (w *world) swap(i int, old, next Vote) error {
	if !w.wire[i] || w.chance(3) {
		return errSilent
	}
	if w.vote != old && !w.flaws.blindSwap {
		return errors.New("changed")
	}
	if w.vote.Site != next.Site || w.vote.Epoch != next.Epoch {
		w.say("witness: %s epoch %d alone %t", next.Site, next.Epoch, next.Alone)
	}
	w.vote = next
	if w.chance(3) {
		return errSilent
	}
	return nil
}

// follows says that the other site's database gets what s writes.
func (w *world) follows(s *place) bool {
	o := w.other(s)
	return w.talks() && o.real.Role == common.SiteStandby && (s.real.Role != common.SiteStandby || s.token >= 0) && s.by != -2
}

// serves says that a sender gets an answer at s now.
func (w *world) serves(s *place) bool {
	if !s.up || s.real.Role != common.SiteActive {
		return false
	}
	switch s.permit {
	case PermitEndless:
	case PermitUntil:
		if !w.clock(s).Before(s.until) && !w.flaws.deafPermit {
			return false
		}
	default:
		return false
	}
	return !s.strict || w.follows(s)
}

// send has a sender at each site, whatever names lead where.
func (w *world) send() {
	for _, s := range w.sites {
		if !w.serves(s) {
			continue
		}
		w.sent++
		s.log = append(s.log, w.sent)
		if s.strict {
			o := w.other(s)
			o.log = s.log[:len(s.log):len(s.log)]
		}
		for i := len(w.acked) - 1; i >= 0 && i >= len(w.acked)-400; i-- {
			if w.acked[i].epoch > s.real.Epoch {
				w.violate("site %s of epoch %d acknowledges after epoch %d did", s.name, s.real.Epoch, w.acked[i].epoch)
				break
			}
		}
		w.acked = append(w.acked, message{w.sent, w.now, s.real.Epoch})
		w.served = w.now
	}
	if w.serves(w.sites[0]) && w.serves(w.sites[1]) {
		w.violate("both sites serve")
	}
}

// replicate lets a standby get what it lacks, as late as the lag.
func (w *world) replicate() {
	for _, s := range w.sites {
		if !w.follows(s) || s.strict {
			continue
		}
		o, upTo := w.other(s), len(s.log)
		for upTo > len(o.log) && w.sentAt(s.log[upTo-1]) > w.now-w.lag {
			upTo--
		}
		if upTo > len(o.log) {
			o.log = s.log[:upTo:upTo]
		}
	}
}

func (w *world) sentAt(id int) time.Duration {
	for i := len(w.acked) - 1; i >= 0; i-- {
		if w.acked[i].id <= id {
			return w.acked[i].at
		}
	}
	return 0
}

// bring orders about.
func (w *world) bring() {
	for _, s := range w.sites {
		if !s.up || s.real == s.order || w.now < s.due {
			continue
		}
		if s.order.Role == common.SiteActive && s.by > len(s.log) {
			continue // a promotion by token waits for all of it
		}
		if s.real.Role != s.order.Role {
			w.say("site %s is %s, epoch %d", s.name, s.order.Role, s.order.Epoch)
		}
		if s.order.Role == common.SiteActive && s.real.Role == common.SiteStandby {
			w.promoted(s)
		}
		if s.order.Role == common.SiteStandby && s.real.Role != common.SiteStandby {
			s.token = len(s.log)
		}
		s.real, s.strict = s.order, w.both && !s.order.Alone
	}
}
