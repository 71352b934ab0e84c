// SPDX-License-Identifier: Apache-2.0

//go:build engines

package restore

import (
	"fmt"
	"testing"
	"time"
)

// Services, slots and evenings since the point go on; what was done to them by hand is undone.
func TestTheDirectoryGoesOn(t *testing.T) {
	w := newTwins(t)
	run(t, w.fromURL, `INSERT INTO booking.poll_runs VALUES ('2026-01-01', gen_random_uuid(), now() - interval '1 day', NULL, 2)`,
		`INSERT INTO booking.poll_progress VALUES ('2026-01-01', 11000, 'updated', 1, now() - interval '1 day')`)
	point := w.divide()
	key, err := w.SessionKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	own, moved, gone, deleted := w.slot(clinic, 0), w.slot(asked, 1), w.slot(asked, 2), w.slot(clinic, 3)
	run(t, w.fromURL,
		// The program.
		fmt.Sprintf(`UPDATE booking.slots SET starts = starts + interval '5 minutes', ends = ends + interval '5 minutes' WHERE id = %d`, moved),
		fmt.Sprintf(`UPDATE booking.slots SET state = 'WITHDRAWN' WHERE id = %d`, gone),
		`INSERT INTO booking.slots (service_id, reference, starts, ends) VALUES (11010, 'added', now(), now() + interval '1 hour')`,
		`UPDATE booking.poll_runs SET finished = now()`,
		`INSERT INTO booking.poll_runs VALUES ('2026-01-02', gen_random_uuid(), now(), NULL, 2)`,
		fmt.Sprintf(`INSERT INTO booking.poll_progress VALUES ('2026-01-01', %[1]d, 'updated', 1, now()), ('2026-01-02', %[1]d, 'updated', 2, now())`, asked),
		`UPDATE booking.services SET name = 'renamed', updated = now() WHERE id = 11001`,
		`INSERT INTO booking.services (id, name, organisation, specialty, bookable, priorities) VALUES (5, 'added', 'RX0', 'CARDIOLOGY', 'DIRECTLY_BOOKABLE', '{ROUTINE}')`,
		// A hand.
		`UPDATE booking.services SET name = 'damaged' WHERE id = 11002`,
		`UPDATE booking.poll_progress SET outcome = 'damaged' WHERE evening = '2026-01-01' AND service_id = 11000`,
		fmt.Sprintf(`UPDATE booking.slots SET starts = starts - interval '5 minutes', state = 'WITHDRAWN' WHERE id = %d`, own),
		fmt.Sprintf(`DELETE FROM booking.slots WHERE id = %d`, deleted))
	was := w.open()
	slotOwn, err := was.Slot(t.Context(), own)
	if err != nil {
		t.Fatal(err)
	}
	w.carry(point)

	to := w.toURL()
	for sql, want := range map[string]string{
		`SELECT name FROM booking.services WHERE id = 11001`:                                                                              "renamed",
		`SELECT name FROM booking.services WHERE id = 5`:                                                                                  "added",
		`SELECT (name <> 'damaged')::text FROM booking.services WHERE id = 11002`:                                                         "true",
		`SELECT count(*)::text FROM booking.slots WHERE reference = 'added' AND state = 'FREE'`:                                           "1",
		fmt.Sprintf(`SELECT state FROM booking.slots WHERE id = %d`, gone):                                                                "WITHDRAWN",
		fmt.Sprintf(`SELECT state FROM booking.slots WHERE id = %d`, deleted):                                                             "FREE",
		`SELECT count(*)::text FROM booking.poll_runs WHERE finished IS NULL`:                                                             "1",
		`SELECT string_agg(evening || ' ' || service_id || ' ' || outcome, ', ' ORDER BY evening, service_id) FROM booking.poll_progress`: "2026-01-01 11000 updated, 2026-01-01 11010 updated, 2026-01-02 11010 updated",
	} {
		if got := one[string](t, to, `%s`, sql); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
	now, err := was.Slot(t.Context(), own)
	if err != nil || !now.Free || !now.Start.Equal(slotOwn.Start) {
		t.Errorf("a slot that was moved by hand: %+v, %v", now, err)
	}
	start := fmt.Sprintf(`SELECT starts FROM booking.slots WHERE id = %d`, moved)
	if from, to := one[time.Time](t, w.fromURL, `%s`, start), one[time.Time](t, to, `%s`, start); !from.Equal(to) {
		t.Errorf("a slot that a poll moved starts %s, want %s", to, from)
	}
	if got, err := was.SessionKey(t.Context()); err != nil || got != key {
		t.Errorf("sessions are signed by another key: %v", err)
	}
}
