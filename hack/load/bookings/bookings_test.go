// SPDX-License-Identifier: Apache-2.0

package bookings

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

const confirmPage = `<!DOCTYPE html><html lang="en-GB"><body><a class="skip" href="#main">Skip</a>
<form method="post" action="/sign-out"><input type="hidden" name="csrf" value="t"><button class="plain">Sign out</button></form>
<a href="/slots?service=11000&amp;from=2026-11-23">Back</a>
<form method="post" action="/book"><input type="hidden" name="csrf" value="t"><input type="hidden" name="slot" value="10000042">
<input id="x" name="typed" value="not hidden"><button>Confirm booking</button></form>
<form method="post" action="/shortlist"><button name="add" value="11000">Add</button></form>
<form method="post" action="/shortlist"><button name="add" value="11001">Add</button><button name="remove" value="1">Remove</button></form>
<button name="add" value="outside">`

func TestParsePage(t *testing.T) {
	p, err := parsePage([]byte(confirmPage))
	if err != nil {
		t.Fatal(err)
	}
	f, ok := p.form("/book")
	if want := map[string]string{"csrf": "t", "slot": "10000042"}; !ok || !reflect.DeepEqual(f.hidden, want) {
		t.Errorf("form %+v", f)
	}
	if _, ok := p.form("/cancel"); ok {
		t.Error("found a form that is not there")
	}
	if got := p.buttons("/shortlist", "add"); !reflect.DeepEqual(got, []string{"11000", "11001"}) {
		t.Errorf("buttons %v", got)
	}
	if want := []string{"#main", "/slots?service=11000&from=2026-11-23"}; !reflect.DeepEqual(p.links, want) {
		t.Errorf("links %v", p.links)
	}
}

// The numbers that the generator makes up are valid, and of the range that is kept for tests.
func TestNHSNumbers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		n := nhsNumber(random)
		if _, err := domain.ParseNHSNumber(n); err != nil || n[:3] != "999" {
			t.Fatalf("%s: %v", n, err)
		}
	}
}

func FuzzParsePage(f *testing.F) {
	f.Add([]byte(confirmPage))
	f.Add([]byte("<form><input type=hidden name="))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := parsePage(body)
		if err == nil && p == nil {
			t.Error("neither a page nor an error")
		}
	})
}

// Users do not keep step: all of them on the same page would book, or do not, for seconds.
func TestUsersKeepNoStep(t *testing.T) {
	idle := make(chan *user, 100)
	for n := range cap(idle) {
		idle <- &user{number: uint16(n)}
	}
	random, pages := rand.New(rand.NewPCG(1, 2)), map[uint16]int{}
	for range 10 * cap(idle) {
		u := anyOf(idle, <-idle, random)
		pages[u.number]++
		idle <- u
	}
	fewest, most := 10, 10
	for n := range cap(idle) {
		fewest, most = min(fewest, pages[uint16(n)]), max(most, pages[uint16(n)])
	}
	if fewest > 7 || most < 13 || fewest == 0 {
		t.Errorf("of 10 pages each on average, a user has done %d to %d", fewest, most)
	}
}
