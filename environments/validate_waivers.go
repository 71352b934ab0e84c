// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	maxWaivers = 64
	// maxWaiverDays is how long a waiver may hold: what has to be for longer is for the
	// rule to know.
	maxWaiverDays = 366
	// leastNamed is how much of a resource's name a waiver gives: "*" alone would be
	// every resource there will ever be.
	leastNamed  = 3
	leastReason = 20
	mostReason  = 500
	mostPath    = 1024
)

var ruleName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

func validateWaivers(p *field.Path, waivers []Waiver) field.ErrorList {
	var errs field.ErrorList
	if n := len(waivers); n > maxWaivers {
		errs = append(errs, field.TooMany(p, n, maxWaivers))
	}
	seen := map[[3]string]bool{}
	for i, w := range waivers {
		at := p.Index(i)
		errs = append(errs, w.validate(at)...)
		what := [3]string{w.Rule, w.Resource, w.Property}
		if seen[what] {
			errs = append(errs, field.Duplicate(at, strings.Join(what[:], " ")))
		}
		seen[what] = true
	}
	return errs
}

func (w Waiver) validate(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if !ruleName.MatchString(w.Rule) {
		errs = append(errs, field.Invalid(p.Child("rule"), w.Rule, "must be the name of a rule, such as residency"))
	}
	if named := strings.ReplaceAll(w.Resource, "*", ""); len(named) < leastNamed || len(w.Resource) > mostPath {
		errs = append(errs, field.Invalid(p.Child("resource"), w.Resource,
			fmt.Sprintf("must be a resource's name or URN, with at least %d characters besides \"*\"", leastNamed)))
	}
	if len(w.Property) > mostPath || strings.ContainsAny(w.Property, "\n*") {
		errs = append(errs, field.Invalid(p.Child("property"), w.Property, `must be a path as reports show it, without "*"`))
	}
	if address, err := mail.ParseAddress(w.Owner); err != nil || address.Address != w.Owner {
		errs = append(errs, field.Invalid(p.Child("owner"), w.Owner, "must be the mail address of the person who answers for it"))
	}
	if n := len(strings.TrimSpace(w.Reason)); n < leastReason || len(w.Reason) > mostReason {
		errs = append(errs, field.Invalid(p.Child("reason"), w.Reason, fmt.Sprintf("must say why it has to be, in %d to %d characters", leastReason, mostReason)))
	}
	from, wrongFrom := day(p.Child("from"), w.From)
	until, wrongUntil := day(p.Child("until"), w.Until)
	errs = append(append(errs, wrongFrom...), wrongUntil...)
	switch {
	case len(wrongFrom)+len(wrongUntil) > 0:
	case until.Before(from):
		errs = append(errs, field.Invalid(p.Child("until"), w.Until, "must not be before from"))
	case until.After(from.AddDate(0, 0, maxWaiverDays)):
		errs = append(errs, field.Invalid(p.Child("until"), w.Until, fmt.Sprintf("must be at most %d days after from", maxWaiverDays)))
	}
	return errs
}

func day(p *field.Path, s string) (time.Time, field.ErrorList) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, field.ErrorList{field.Invalid(p, s, `must be a day such as "2026-11-30", in quotes`)}
	}
	return t, nil
}
