// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ValidateAmong returns what is wrong with the environment next to the others: all of
// the catalogue, by the names of their stacks, with or without itself. It expects resolved
// environments.
func (c *Cloud) ValidateAmong(others map[string]*Cloud) field.ErrorList {
	var errs field.ErrorList
	live, nonLive := References[LiveAccount]{}, References[NonLiveAccount]{}
	for _, name := range sorted(others) {
		o := others[name]
		if name == c.Name {
			continue
		}
		if o.Live != nil {
			live[Reference[LiveAccount](name)] = o.Live
		}
		if o.NonLive != nil {
			nonLive[Reference[NonLiveAccount](name)] = o.NonLive
		}
		errs = append(errs, c.apart(name, o)...)
	}
	errs = append(errs, validateReferences(field.NewPath("live"), c.Live, live)...)
	errs = append(errs, validateReferences(field.NewPath("nonLive"), c.NonLive, nonLive)...)
	errs = append(errs, fenced(field.NewPath("live"), c.Live, "non-live", nonLive)...)
	return append(errs, fenced(field.NewPath("nonLive"), c.NonLive, "live", live)...)
}

// apart finds what two environments may not share.
func (c *Cloud) apart(name string, o *Cloud) field.ErrorList {
	var errs field.ErrorList
	at := field.NewPath("network", "cidr")
	mine, _ := netip.ParsePrefix(c.Network.CIDR)
	theirs, _ := netip.ParsePrefix(o.Network.CIDR)
	if mine.IsValid() && theirs.IsValid() && mine.Overlaps(theirs) {
		errs = append(errs, field.Invalid(at, c.Network.CIDR, fmt.Sprintf("overlaps network.cidr %s of %s: networks that overlap can never be joined", o.Network.CIDR, name)))
	}
	if c.Edge.Domain != "" && c.Edge.Domain == o.Edge.Domain {
		errs = append(errs, field.Invalid(field.NewPath("edge", "domain"), c.Edge.Domain, "is the domain of "+name+" too"))
	}
	return errs
}

// validateReferences checks that what is referred to is on the same side of the fence,
// and that no two environments have one account: budgets, the audit trail and its locks
// are an account's.
func validateReferences[A Account](p *field.Path, f *Fence[A], known References[A]) field.ErrorList {
	if f == nil {
		return nil
	}
	var errs field.ErrorList
	if to := f.StandbyOf; to != "" && known[to] == nil {
		errs = append(errs, field.Invalid(p.Child("standbyOf"), to, "is no environment on this side of the fence"))
	}
	for _, name := range sorted(known) {
		if o := known[name]; o.Account == f.Account && f.Account != "" {
			errs = append(errs, field.Invalid(p.Child("account"), f.Account, fmt.Sprintf("is the account of %s too: every environment has its own", name)))
		}
	}
	return errs
}

// fenced finds accounts of this side that are an environment's of the other side.
func fenced[A, B Account](p *field.Path, f *Fence[A], side string, beyond References[B]) field.ErrorList {
	if f == nil {
		return nil
	}
	own, backup := f.Numbers()
	var errs field.ErrorList
	for _, name := range sorted(beyond) {
		theirs, theirBackup := beyond[name].Numbers()
		for _, mine := range []struct{ key, number string }{{"account", own}, {"backupAccount", backup}} {
			if mine.number != "" && (mine.number == theirs || mine.number == theirBackup) {
				errs = append(errs, field.Invalid(p.Child(mine.key), mine.number,
					fmt.Sprintf("is an account of %s, which is %s: live and non-live accounts never refer to each other", name, side)))
			}
		}
	}
	return errs
}

func sorted[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
