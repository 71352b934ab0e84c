// SPDX-License-Identifier: Apache-2.0

package arrival

import (
	"math"
	"testing"
	"time"
)

func TestSchedules(t *testing.T) {
	begin := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for shape, variation := range map[Shape]float64{Even: 0, Poisson: 1} {
		s := New(shape, 1000, begin, 20*time.Second, 1)
		var count, sum, squares float64
		last := int64(0)
		for {
			at, ok := s.Peek()
			if !ok {
				break
			}
			if at < last {
				t.Fatalf("%s: time goes back", shape)
			}
			if last != 0 {
				d := float64(at - last)
				sum, squares = sum+d, squares+d*d
			}
			last = at
			count++
			s.Pop()
		}
		if math.Abs(count-20_000) > 600 {
			t.Errorf("%s: %.0f arrivals in 20 s at 1000/s", shape, count)
		}
		// The coefficient of variation of the distances tells the shapes apart.
		mean := sum / (count - 1)
		got := math.Sqrt(max(squares/(count-1)-mean*mean, 0)) / mean
		if math.Abs(got-variation) > 0.05 {
			t.Errorf("%s: distances vary by %.2f of their mean, want %.2f", shape, got, variation)
		}
	}
}

func TestShape(t *testing.T) {
	var s Shape
	if s.Set("poisson") != nil || s != Poisson || s.Set("even") != nil || s != Even || s.Set("odd") == nil {
		t.Errorf("got %s", s)
	}
}
