// SPDX-License-Identifier: Apache-2.0

package ledger

import "testing"

func TestWhatACopyLacksAndHasBack(t *testing.T) {
	print := func(text string) []byte { return []byte(text) }
	one := &found{seq: 50, print: print("one")}
	late := &found{seq: 150, print: print("late")}
	parts := func(numbers ...int16) *found {
		f := &found{seq: 50, print: print("parts"), parts: numbers}
		for _, n := range numbers {
			f.prints = append(f.prints, []byte{byte(n)})
		}
		return f
	}
	changed := parts(2, 3)
	changed.prints[1] = print("changed")
	for name, c := range map[string]struct {
		from, to *found
		want     Comparison
	}{
		"both":                        {one, one, Comparison{Both: 1, Last: 50}},
		"both, after the point":       {late, late, Comparison{Both: 1, Last: 150}},
		"lacking, before the point":   {one, nil, Comparison{OnlyFrom: 1}},
		"lacking, after the point":    {late, nil, Comparison{After: 1}},
		"destroyed":                   {nil, one, Comparison{OnlyTo: 1, Last: 50}},
		"destroyed, within a margin":  {nil, late, Comparison{OnlyTo: 1, Last: 150}},
		"changed":                     {&found{seq: 50, print: print("changed")}, one, Comparison{Both: 1, Differing: 1, Last: 50}},
		"parts":                       {parts(2, 3), parts(2, 3), Comparison{Both: 1, Last: 50}},
		"parts came after the point":  {parts(2, 3), parts(3), Comparison{Both: 1, After: 1, Last: 50}},
		"all parts came after":        {parts(2, 3), parts(), Comparison{Both: 1, After: 1, Last: 50}},
		"a part was destroyed":        {parts(3), parts(2, 3), Comparison{Both: 1, Differing: 1, Last: 50}},
		"a part was changed":          {changed, parts(2, 3), Comparison{Both: 1, Differing: 1, Last: 50}},
		"one destroyed and one came":  {parts(2, 4), parts(2, 3), Comparison{Both: 1, Differing: 1, After: 1, Last: 50}},
		"lacking, with parts, before": {parts(2), nil, Comparison{OnlyFrom: 1}},
	} {
		var got Comparison
		got.count(c.from, c.to, 100)
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}
