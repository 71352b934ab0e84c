// SPDX-License-Identifier: Apache-2.0

// Package cost estimates what a planned resource costs a month, from a dated book of published prices. A price that the
// book does not have is said to be unknown; it is never taken for zero.
package cost

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

//go:embed book.json
var published []byte

// Published is the book that comes with this package: list prices of AWS in eu-west-2, on demand.
func Published() *Book {
	book, err := Parse(published)
	if err != nil {
		panic(fmt.Sprintf("the embedded price book: %v", err)) // Held by a test.
	}
	return book
}

// Book holds prices by type of resource.
type Book struct {
	// Date is when the prices were last read, as in 2026-10-05.
	Date string `json:"date"`
	// Currency is the ISO 4217 code of all prices.
	Currency string `json:"currency"`
	// Region is where the prices of cloud resources hold. A resource elsewhere has an unknown price.
	Region string `json:"region"`
	// HoursPerMonth turns prices by the hour into monthly ones; 730 is the clouds' own convention.
	HoursPerMonth float64 `json:"hoursPerMonth"`
	// Sources are the publications that prices refer to by name.
	Sources map[string]string `json:"sources"`
	// Unchecked are the sources whose prices nobody has read from a publication: they are good for comparing, and what
	// rests on them is said beside each sum.
	Unchecked []string `json:"unchecked,omitempty"`
	Prices    []Price  `json:"prices"`
	Free      []Free   `json:"free"`
}

// Unit is what a price is for.
type Unit string

const (
	// Hour is one piece running for an hour.
	Hour Unit = "hour"
	// Month is one piece, or one unit of its size, kept for a month.
	Month Unit = "month"
	// Usage is what only use decides: it is described, not estimated.
	Usage Unit = "usage"
)

// Price is one line of the bill of a type of resource.
type Price struct {
	Type string `json:"type"`
	// What the line pays for. Of the prices of one type with the same What, exactly one applies.
	What string `json:"what"`
	// Where the price applies: values by property path. Empty: to all of the type.
	Where map[string]string `json:"where,omitempty"`
	Unit  Unit              `json:"unit"`
	// Quantity is the path of the property that says how many: a number, or a list that is counted. Empty: one.
	Quantity string `json:"quantity,omitempty"`
	// Price of one unit, at least 0.
	Price float64 `json:"price,omitempty"`
	// Usage is what comes on top by use, in words.
	Usage string `json:"usage,omitempty"`
	// Source is a key of the book's Sources.
	Source string `json:"source"`
	// Published is the date of the source, as in 2026-09-25.
	Published string `json:"published"`
}

// Free says that types with a prefix cost nothing by themselves, and why.
type Free struct {
	Prefix string `json:"prefix"`
	Why    string `json:"why"`
}

// Parse reads a book and returns everything that is wrong with it.
func Parse(text []byte) (*Book, error) {
	var book Book
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&book); err != nil {
		return nil, fmt.Errorf("price book: %w", err)
	}
	return &book, book.check()
}

func (b *Book) check() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf("price book: "+format, args...)) }
	if !isDate(b.Date) {
		add("date is %q: write it as 2026-10-05", b.Date)
	}
	if len(b.Currency) != 3 {
		add("currency is %q: give its ISO 4217 code, such as USD", b.Currency)
	}
	if b.HoursPerMonth < 672 || b.HoursPerMonth > 744 {
		add("hoursPerMonth is %v: a month has 672 to 744", b.HoursPerMonth)
	}
	for _, name := range b.Unchecked {
		if b.Sources[name] == "" {
			add("unchecked: %q is none of sources", name)
		}
	}
	for i, p := range b.Prices {
		at := fmt.Sprintf("prices[%d] (%s)", i, p.Type)
		if p.Type == "" || p.What == "" {
			add("%s: type and what are required", at)
		}
		if !slices.Contains([]Unit{Hour, Month, Usage}, p.Unit) {
			add("%s: unit is %q: it is hour, month or usage", at, p.Unit)
		}
		if p.Price < 0 || p.Price > 1e6 {
			add("%s: price is %v: it is 0 to 1000000", at, p.Price)
		}
		if p.Unit == Usage && (p.Usage == "" || p.Price != 0) {
			add("%s: a price by usage is described in usage, without price", at)
		}
		if b.Sources[p.Source] == "" {
			add("%s: source %q is none of sources", at, p.Source)
		}
		if !isDate(p.Published) {
			add("%s: published is %q: write it as 2026-10-05", at, p.Published)
		}
	}
	return errors.Join(errs...)
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
