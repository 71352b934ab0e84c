// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// Row is one line of a report's first page: things to which the same happens, in all environments.
type Row struct {
	Class    Class
	Level    Level
	Subjects []string
	Words    string
	// In are indexes of the environments that it happens in.
	In []int
	// Changes are where the row comes from, in the order of subjects.
	Changes []*Change
}

// Rows puts equal words about several things together, and equal lines of several environments. They are sorted by
// class, then the riskiest first. Of a history they are of the given update.
func Rows(differences []*Difference, names []string) []Row {
	type key struct {
		level   Level
		class   Class
		words   string
		subject string
	}
	lines := map[key]*Row{}
	var order []key
	own := ownNames(names)
	for i, d := range differences {
		if d == nil {
			continue
		}
		for j := range d.Changes {
			c := &d.Changes[j]
			for _, l := range c.Lines {
				k := key{l.Level, l.Class, neutral(l.Words, own[i]), neutral(l.Subject, own[i])}
				row := lines[k]
				if row == nil {
					row = &Row{Class: l.Class, Level: l.Level, Words: l.Words, Subjects: []string{l.Subject}}
					lines[k], order = row, append(order, k)
				} else if !slices.Contains(row.In, i) {
					row.Words, row.Subjects[0] = k.words, k.subject
				}
				if !slices.Contains(row.In, i) {
					row.In = append(row.In, i)
				}
				row.Changes = append(row.Changes, c)
			}
		}
	}
	return sortRows(together(order, func(k key) *Row { return lines[k] }))
}

// together joins rows that differ in their subject only.
func together[K comparable](order []K, row func(K) *Row) []Row {
	var out []Row
	at := map[string]int{}
	for _, k := range order {
		r := row(k)
		id := string(r.Class) + "\x00" + string(r.Level) + "\x00" + r.Words
		for _, i := range r.In {
			id += "\x00" + string(rune(i))
		}
		if i, there := at[id]; there {
			out[i].Subjects = append(out[i].Subjects, r.Subjects...)
			out[i].Changes = append(out[i].Changes, r.Changes...)
			continue
		}
		at[id] = len(out)
		out = append(out, *r)
	}
	return out
}

func sortRows(rows []Row) []Row {
	for i := range rows {
		slices.Sort(rows[i].Subjects)
		rows[i].Subjects = slices.Compact(rows[i].Subjects)
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(classRank(a.Class)-classRank(b.Class), rankOf(a.Level)-rankOf(b.Level), len(b.In)-len(a.In),
			cmp.Compare(a.Subjects[0], b.Subjects[0]), cmp.Compare(a.Words, b.Words))
	})
	return rows
}

// neutral writes an environment's own name as ENV, so that the same line in two environments is one.
func neutral(text string, own *regexp.Regexp) string {
	if own == nil {
		return text
	}
	return own.ReplaceAllString(text, "${1}ENV${2}")
}

// ownNames find each environment's name as a word; none where there is only one environment.
func ownNames(names []string) []*regexp.Regexp {
	out := make([]*regexp.Regexp, len(names))
	for i, name := range names {
		if len(names) > 1 && name != "" {
			out[i] = regexp.MustCompile(`(^|[^A-Za-z0-9])` + regexp.QuoteMeta(name) + `([^A-Za-z0-9]|$)`)
		}
	}
	return out
}

// mostSubjects is how many a row names; the others are counted.
const mostSubjects = 6

// Who is the row's subjects in words.
func (r Row) Who() string {
	if len(r.Subjects) <= mostSubjects {
		return strings.Join(r.Subjects, ", ")
	}
	return strings.Join(r.Subjects[:mostSubjects-1], ", ") + " and " + plural(len(r.Subjects)-mostSubjects+1, "other", "others")
}
