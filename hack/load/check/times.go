// SPDX-License-Identifier: Apache-2.0

package check

import (
	"math/bits"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies are percentiles in milliseconds, from intended start times.
type Latencies struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"meanMs"`
	P50   float64 `json:"p50Ms"`
	P90   float64 `json:"p90Ms"`
	P99   float64 `json:"p99Ms"`
	P999  float64 `json:"p999Ms"`
	Max   float64 `json:"maxMs"`
}

// Histogram counts latencies from a microsecond to an hour, to three digits. It is not safe for concurrent use.
type Histogram struct{ h *hdrhistogram.Histogram }

// NewHistogram is empty.
func NewHistogram() *Histogram {
	return &Histogram{hdrhistogram.New(1, time.Hour.Microseconds(), 3)}
}

// Add counts one; what is outside the range counts as its nearest end.
func (h *Histogram) Add(d time.Duration) {
	// The value is within the histogram's range, so it cannot be refused.
	_ = h.h.RecordValue(min(max(d.Microseconds(), 1), time.Hour.Microseconds()))
}

// Merge adds all that another one counted.
func (h *Histogram) Merge(o *Histogram) { h.h.Merge(o.h) }

// Latencies of what was counted.
func (h *Histogram) Latencies() Latencies {
	ms := func(v int64) float64 { return float64(v) / 1e3 }
	at := func(q float64) float64 { return ms(h.h.ValueAtQuantile(q)) }
	return Latencies{
		Count: h.h.TotalCount(), Mean: h.h.Mean() / 1e3, P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: ms(h.h.Max()),
	}
}

// Timeline remembers in which milliseconds something happened, one bit each: a day takes 11 MB.
type Timeline struct {
	// first is the millisecond of bit 0, rounded down to a whole word.
	first int64
	words []uint64
}

// spread is the longest run that a Timeline covers: beyond it, a clock was wrong.
const spread = 62 * 24 * int64(time.Hour/time.Millisecond)

// Add marks a time in Unix nanoseconds; false when it lies further from the others than any run lasts.
func (t *Timeline) Add(at int64) bool {
	ms := at / 1e6
	if t.words == nil {
		t.first = ms &^ 63
		t.words = make([]uint64, 1)
	}
	if ms < t.first {
		grow := (t.first - ms + 63) / 64
		if grow*64+int64(len(t.words))*64 > spread {
			return false
		}
		t.words = append(make([]uint64, grow, int(grow)+len(t.words)), t.words...)
		t.first -= grow * 64
	}
	n := (ms - t.first) / 64
	if n*64 > spread {
		return false
	}
	if need := int(n) + 1 - len(t.words); need > 0 {
		t.words = append(t.words, make([]uint64, need)...)
	}
	t.words[n] |= 1 << uint((ms-t.first)%64)
	return true
}

// Span is the time from the first to the last mark.
func (t *Timeline) Span() time.Duration {
	first, last := int64(-1), int64(0)
	for i, w := range t.words {
		if w == 0 {
			continue
		}
		if first < 0 {
			first = int64(i)*64 + int64(bits.TrailingZeros64(w))
		}
		last = int64(i)*64 + 63 - int64(bits.LeadingZeros64(w))
	}
	return time.Duration(last-max(first, 0)) * time.Millisecond
}

// Gap is a time in which nothing was acknowledged.
type Gap struct {
	// Start is zero when there was no gap.
	Start time.Time     `json:"start,omitzero"`
	Long  time.Duration `json:"-"`
	// Seconds is Long, true to a millisecond.
	Seconds float64 `json:"seconds"`
}

// LongestGap between two marks that follow each other; zero when there are fewer than two.
func (t *Timeline) LongestGap() Gap {
	var longest, longestFrom, last int64
	last = -1
	for i, w := range t.words {
		for w != 0 {
			ms := int64(i)*64 + int64(bits.TrailingZeros64(w))
			if last >= 0 && ms-last > longest {
				longest, longestFrom = ms-last, last
			}
			last = ms
			w &= w - 1
		}
	}
	if longest == 0 {
		return Gap{}
	}
	long := time.Duration(longest) * time.Millisecond
	return Gap{Start: time.UnixMilli(t.first + longestFrom).UTC(), Long: long, Seconds: long.Seconds()}
}
