// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"errors"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/provider"
)

const (
	// attempts is how often a service is asked for before its system counts as silent about it.
	attempts = 3
	// firstBackOff and lastBackOff bound how long a system that did not answer is left alone; it doubles in between.
	firstBackOff = 2 * time.Second
	lastBackOff  = 5 * time.Minute
	// slowAnswer is an answer after which a system gets one request at a time: it must not hold the whole poll up, and the
	// poll must not be what slows it.
	slowAnswer = 5 * time.Second
)

// fleet is the providers' systems and what is still to be asked of them.
type fleet struct {
	perSystem int
	systems   []*system
	turn      int // whose turn it is
	left      int // tasks that wait, over all systems
}

// system is one provider's system.
type system struct {
	endpoint string
	tasks    []task
	asking   int
	// failures counts unanswered requests since the last answer.
	failures  int
	slow      bool
	notBefore time.Time
}

// task is a service to ask for.
type task struct {
	Target
	attempts int
}

func newFleet(targets []Target, perSystem int) *fleet {
	f := &fleet{perSystem: perSystem, left: len(targets)}
	known := map[string]*system{}
	for _, target := range targets {
		s := known[target.Endpoint]
		if s == nil {
			s = &system{endpoint: target.Endpoint}
			known[target.Endpoint] = s
			f.systems = append(f.systems, s)
		}
		s.tasks = append(s.tasks, task{Target: target})
	}
	return f
}

// idle says whether the system could be asked, apart from having to wait.
func (s *system) idle(most int) bool {
	if s.failures > 0 || s.slow {
		most = 1
	}
	return len(s.tasks) > 0 && s.asking < most
}

// next takes the next task, from each system in turn.
func (f *fleet) next(now time.Time) (*system, task, bool) {
	for range f.systems {
		f.turn = (f.turn + 1) % len(f.systems)
		s := f.systems[f.turn]
		if !s.idle(f.perSystem) || now.Before(s.notBefore) {
			continue
		}
		t := s.tasks[0]
		s.tasks = s.tasks[1:]
		s.asking++
		f.left--
		return s, t, true
	}
	return nil, task{}, false
}

// wake is when next will have a task again without an answer having come; false when only an answer can bring one.
func (f *fleet) wake() (time.Time, bool) {
	var first time.Time
	found := false
	for _, s := range f.systems {
		if s.idle(f.perSystem) && (!found || s.notBefore.Before(first)) {
			first, found = s.notBefore, true
		}
	}
	return first, found
}

// answered takes an answer in and says what came of the task; false when it waits for another attempt.
func (f *fleet) answered(s *system, t task, err error, took time.Duration, now time.Time) (Outcome, bool) {
	s.asking--
	var busy *provider.BusyError
	var silent *provider.NoAnswerError
	var invalid *provider.InvalidAnswerError
	switch {
	case err == nil:
		s.failures, s.slow = 0, took > slowAnswer
		return Updated, true
	case errors.As(err, &busy):
		// It works, and said when: no attempt is spent, and the window is the limit.
		s.failures = 0
		s.hold(now.Add(busy.After))
		f.again(s, t)
		return "", false
	case errors.As(err, &silent):
		t.attempts++
		s.hold(now.Add(backOff(s.failures)))
		s.failures++
		if t.attempts < attempts {
			f.again(s, t)
			return "", false
		}
		return Silent, true
	case errors.As(err, &invalid):
		s.failures, s.slow = 0, took > slowAnswer
		return Invalid, true
	default:
		s.failures = 0
		return Refused, true
	}
}

// again puts a task at the end, so that one bad service does not block the others of its system.
func (f *fleet) again(s *system, t task) {
	s.tasks = append(s.tasks, t)
	f.left++
}

// hold never shortens a wait: of several requests in flight the most pessimistic answer counts.
func (s *system) hold(until time.Time) {
	if until.After(s.notBefore) {
		s.notBefore = until
	}
}

func backOff(failures int) time.Duration {
	return min(firstBackOff<<min(failures, 10), lastBackOff)
}
