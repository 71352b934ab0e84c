// SPDX-License-Identifier: Apache-2.0

package database

import "testing"

// A primary has a successor once a higher timeline of the same database was seen, by whatever connection.
func TestTerms(t *testing.T) {
	s := &terms{}
	first := s.see(7, 1)
	if first.superseded() {
		t.Error("the only primary")
	}
	second := s.see(7, 2)
	if !first.superseded() || second.superseded() {
		t.Errorf("after a promotion: the first %t, the second %t", first.superseded(), second.superseded())
	}
	if late := s.see(7, 1); !late.superseded() {
		t.Error("a new connection to the former primary")
	}
	// A database that was made anew begins at its first timeline again.
	anew := s.see(8, 1)
	if anew.superseded() || !second.superseded() {
		t.Errorf("made anew: %t, before %t", anew.superseded(), second.superseded())
	}
}
