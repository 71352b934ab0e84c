// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	maxWindows = 16
	clockTime  = "15:04"
)

// operationActions may be asked for as a ServiceRecovery, the last two as a Failover.
var operationActions = []string{
	"RestartRolling", "RebuildBroker", "RebuildReplica", "ReplayDeadLetters", "QuarantineSupplier", "ReleaseSupplier", "ScaleOut",
	"CompareSites", "ResyncStandby", "RestoreDatabase", "DrainHost", "ReturnHost", "FenceHost", "PlannedFailover", "UnplannedFailover",
}

var weekdays = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

func (o *Operations) validate(p *field.Path) field.ErrorList {
	errs := several(p.Child("approval", "actions"), o.Approval.Actions, operationActions)
	errs = append(errs, duration(p.Child("maxApprovalAge"), o.MaxApprovalAge, time.Minute, 24*time.Hour)...)
	errs = append(errs, duration(p.Child("coolDown"), o.CoolDown, time.Second, time.Hour)...)
	if n := len(o.ChangeWindow); n > maxWindows {
		errs = append(errs, field.TooMany(p.Child("changeWindow"), n, maxWindows))
	}
	for i, w := range o.ChangeWindow {
		errs = append(errs, w.validate(p.Child("changeWindow").Index(i))...)
	}
	return errs
}

func (w ChangeWindow) validate(p *field.Path) field.ErrorList {
	errs := several(p.Child("days"), w.Days, weekdays)
	if len(w.Days) == 0 {
		errs = append(errs, field.Required(p.Child("days"), "the days on which the window begins, such as [Tuesday, Thursday]"))
	}
	for _, f := range []struct{ name, value string }{{"from", w.From}, {"to", w.To}} {
		if _, err := time.Parse(clockTime, f.value); err != nil {
			errs = append(errs, field.Invalid(p.Child(f.name), f.value, "must be a time of day such as \"22:00\""))
		}
	}
	if _, err := time.LoadLocation(w.TimeZone); err != nil || w.TimeZone == "Local" {
		errs = append(errs, field.Invalid(p.Child("timeZone"), w.TimeZone, "must be an IANA time zone such as \"Europe/London\""))
	}
	return errs
}

// several checks a list of words, of which each may stand once.
func several(p *field.Path, words, allowed []string) field.ErrorList {
	var errs field.ErrorList
	for i, w := range words {
		switch {
		case !slices.Contains(allowed, w):
			errs = append(errs, field.NotSupported(p.Index(i), w, allowed))
		case slices.Index(words, w) < i:
			errs = append(errs, field.Duplicate(p.Index(i), w))
		}
	}
	return errs
}
