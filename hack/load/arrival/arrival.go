// SPDX-License-Identifier: Apache-2.0

// Package arrival makes the times at which requests are meant to begin. They do not depend on how fast the system
// answers (an open loop), so a system that stalls is charged for every request that would have come meanwhile.
package arrival

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Shape of the arrivals.
type Shape string

const (
	// Poisson arrivals are independent of each other, as those of many separate clients are.
	Poisson Shape = "poisson"
	// Even arrivals keep one distance.
	Even Shape = "even"
)

// Set reads the shape from a flag.
func (s *Shape) Set(text string) error {
	switch Shape(text) {
	case Poisson, Even:
		*s = Shape(text)
		return nil
	}
	return fmt.Errorf("%q is no shape of arrivals: expected %s or %s", text, Poisson, Even)
}

func (s *Shape) String() string { return string(*s) }

// Type names the flag's values.
func (s *Shape) Type() string { return string(Poisson) + "|" + string(Even) }

// Schedule yields rising times. It is not safe for concurrent use.
type Schedule struct {
	shape    Shape
	mean     float64
	random   *rand.Rand
	next     float64
	from, to int64
}

// New schedules rate arrivals a second (above 0) from begin, for as long as duration. Schedules of different seeds are
// independent; the same seed gives the same distances.
func New(shape Shape, rate float64, begin time.Time, duration time.Duration, seed uint64) *Schedule {
	s := &Schedule{
		shape: shape, mean: float64(time.Second) / rate, random: rand.New(rand.NewPCG(seed, 0x5350494e45)),
		from: begin.UnixNano(), to: begin.Add(duration).UnixNano(),
	}
	// Even schedules of several senders begin apart, so that they do not send in step.
	s.next = s.random.Float64() * s.mean
	return s
}

// Peek is the next arrival in Unix nanoseconds; false when there are no more.
func (s *Schedule) Peek() (int64, bool) {
	at := s.from + int64(s.next)
	return at, at < s.to
}

// End is when the last arrival may come.
func (s *Schedule) End() time.Time { return time.Unix(0, s.to) }

// Pop goes on to the arrival after it.
func (s *Schedule) Pop() {
	step := s.mean
	if s.shape == Poisson {
		step *= s.random.ExpFloat64()
	}
	s.next += step
}
