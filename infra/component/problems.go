// SPDX-License-Identifier: Apache-2.0

package component

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problems collects all that is wrong with a component's arguments, so that a
// person learns of everything at once. The zero Problems has none.
type Problems struct {
	errs []error
}

// Add says what is wrong with a field, and what to put there.
func (p *Problems) Add(field, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
}

// Need asks that a field is not empty; what it is for goes into the message.
func (p *Problems) Need(field, value, what string) {
	if value == "" {
		p.Add(field, "is empty; set it to %s", what)
	}
}

// Given asks that a value which comes from another resource was passed on.
func (p *Problems) Given(field string, value any, what string) {
	if value == nil {
		p.Add(field, "is not set; pass %s", what)
	}
}

// Between asks for a number in a range, both ends included.
func (p *Problems) Between(field string, value, least, most int) {
	if value < least || value > most {
		p.Add(field, "is %d; it must be %d to %d", value, least, most)
	}
}

// OneOf asks for one of the values.
func (p *Problems) OneOf(field, value string, values ...string) {
	if !slices.Contains(values, value) {
		p.Add(field, "is %q; it must be one of %s", value, strings.Join(values, ", "))
	}
}

// Account asks for the number of an AWS account: 12 digits.
func (p *Problems) Account(field, value string) {
	if len(value) != 12 || strings.Trim(value, "0123456789") != "" {
		p.Add(field, "is %q; an account's number has 12 digits", value)
	}
}

// leastRetention is how long logs are kept: an attack is often found months
// later (NCSC principle 13; the rule logs-kept).
const leastRetention = 365

// retentions are the days that CloudWatch knows, of a year and more.
var retentions = []int{365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// Retention asks for a number of days for which CloudWatch can keep logs, a year
// at least.
func (p *Problems) Retention(field string, days int) {
	if days < leastRetention || !slices.Contains(retentions, days) {
		p.Add(field, "is %d days; it must be one of %v", days, retentions)
	}
}

// Err joins the problems; nil when there are none.
func (p *Problems) Err() error { return errors.Join(p.errs...) }
