// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/cost"
	"spine.nhs.uk/controlplane/infra/policy"
)

func newSummary(book *cost.Book) CostSummary {
	return CostSummary{Currency: book.Currency, Book: book.Date, Unknown: map[string]int{}}
}

// price takes a step into the sums, and returns what changes; nil when nothing does.
func (b *builder) price(s engine.Step) *CostChange {
	if !s.Custom {
		return nil
	}
	var change CostChange
	sum := &b.out.Cost
	if s.Operation != policy.Create {
		e := b.estimate(s, s.OldInputs)
		change.BeforeCents, change.UnknownBefore = e.Cents, e.Unknown
		sum.BeforeCents += e.Cents
		if e.Unknown != "" {
			sum.UnknownBefore++
		}
	}
	if s.Operation != policy.Delete {
		e := b.estimate(s, s.Inputs)
		change.AfterCents, change.UnknownAfter, change.Usage = e.Cents, e.Unknown, e.Usage
		sum.AfterCents += e.Cents
		if e.Unknown != "" {
			sum.UnknownAfter++
			sum.Unknown[e.Unknown]++
		}
		if len(e.Usage) > 0 {
			sum.Usage++
		}
	} else if change.UnknownBefore != "" {
		sum.Unknown[change.UnknownBefore]++
	}
	if reflect.DeepEqual(change, CostChange{}) {
		return nil
	}
	return &change
}

func (b *builder) estimate(s engine.Step, inputs map[string]any) cost.Estimate {
	return b.book.Estimate(asked(s, inputs))
}

// asked is a resource as the price book asks about it.
func asked(s engine.Step, inputs map[string]any) cost.Resource {
	region := ""
	if s.Provider != nil {
		region = s.Setting("region").Text()
	}
	return cost.Resource{Type: s.Type, Region: region, Lookup: func(path string) (any, bool) {
		at, err := resource.ParsePropertyPath(path)
		if err != nil {
			return nil, false
		}
		n := node(inputs).At(at...)
		return n.Value, !n.Missing() && !n.Hidden()
	}}
}

// Cents above which a change of the monthly cost is high, and medium.
const (
	muchCents = 50_000
	someCents = 5_000
)

// money adds a line on cost where it changes, or cannot be told.
func (b *builder) money(s *subject, c *CostChange) {
	if c == nil {
		return
	}
	currency := b.book.Currency
	switch diff := c.AfterCents - c.BeforeCents; {
	case c.UnknownAfter != "" && c.UnknownAfter != c.UnknownBefore:
		s.say(Cost, Low, "what it will cost is unknown: %s", c.UnknownAfter)
	case c.UnknownAfter != "":
	case c.UnknownBefore != "":
		s.say(Cost, Low, "%s a month; what it cost before is unknown: %s", Money(c.AfterCents, currency), c.UnknownBefore)
	case diff != 0:
		level := Low
		if size := max(diff, -diff); diff > 0 && size >= muchCents {
			level = High
		} else if diff > 0 && size >= someCents {
			level = Medium
		}
		s.say(Cost, level, "%s -> %s a month (%s)", Money(c.BeforeCents, currency), Money(c.AfterCents, currency), signed(diff, currency))
	}
}

// Money is an amount in words.
func Money(cents int64, currency string) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	return fmt.Sprintf("%s%d.%02d %s", sign, cents/100, cents%100, currency)
}

func signed(cents int64, currency string) string {
	if cents > 0 {
		return "+" + Money(cents, currency)
	}
	return Money(cents, currency)
}

// Priced are the resources that a plan leaves behind, as the price book asks about them.
func Priced(p *engine.Preview) []cost.Resource {
	var out []cost.Resource
	for _, s := range p.Steps {
		if s.Custom && s.Operation != policy.Delete {
			out = append(out, asked(s, s.Inputs))
		}
	}
	return out
}
