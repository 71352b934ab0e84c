// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"
)

func TestWriter(t *testing.T) {
	all, err := rows("NOTICE:  relation exists\n1 1000.000000000\n2 1000.100000000\n4 1007.500000000\n5 1008.0\n")
	if err != nil || len(all) != 4 {
		t.Fatalf("%v, %v", all, err)
	}
	at := func(s float64) time.Time { return time.UnixMilli(int64(s * 1000)) }
	for name, test := range map[string]struct {
		begin, end float64
		want       time.Duration
	}{
		"between two":       {1000.05, 1008.1, 7400 * time.Millisecond},
		"since it began":    {1001, 1008.1, 6500 * time.Millisecond},
		"until it ended":    {1000.05, 1020, 12 * time.Second},
		"nothing after all": {1010, 1013, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			if got := longest(all, at(test.begin), at(test.end)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	if got := missing(all, []string{"5", "3", "1"}); got != 2 {
		t.Errorf("%d lost, want 2", got)
	}
	if _, err := rows("7 soon\n"); err == nil {
		t.Error("a row without its time")
	}
}
