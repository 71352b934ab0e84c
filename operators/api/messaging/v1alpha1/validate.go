// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// Validate returns everything that is wrong with a defaulted configuration. The resource's
// schema says the same; a gateway may also run from a file that no API server has seen.
func (c *GatewayConfig) Validate() field.ErrorList {
	var errs field.ErrorList
	errs = append(errs, oneOf(field.NewPath("acknowledge"), c.Acknowledge, common.AcknowledgeSite, common.AcknowledgeBothSites)...)
	errs = append(errs, c.Limits.validate(field.NewPath("limits"))...)
	errs = append(errs, c.Retention.validate(field.NewPath("retention"))...)
	names := map[string]bool{}
	for i, s := range c.Suppliers {
		at := field.NewPath("suppliers").Index(i)
		if s.Name == "" {
			errs = append(errs, field.Required(at.Child("name"), "a supplier needs a name"))
		} else if names[s.Name] {
			errs = append(errs, field.Duplicate(at.Child("name"), s.Name))
		}
		names[s.Name] = true
		errs = append(errs, between(at.Child("messagesPerSecond"), int64(s.MessagesPerSecond), 0, 100_000)...)
		errs = append(errs, oneOf(at.Child("traffic"), s.Traffic, TrafficOpen, TrafficStopped)...)
	}
	seen := map[string]bool{}
	for i, r := range c.Routes {
		at := field.NewPath("routes").Index(i)
		if seen[r.Interaction] {
			errs = append(errs, field.Duplicate(at.Child("interaction"), r.Interaction))
		}
		seen[r.Interaction] = true
		if !names[r.Supplier] {
			errs = append(errs, field.Invalid(at.Child("supplier"), r.Supplier, "must be one of suppliers"))
		}
		errs = append(errs, r.validate(at)...)
	}
	return errs
}

func (l Limits) validate(at *field.Path) field.ErrorList {
	errs := between(at.Child("maxRequestBytes"), l.MaxRequestBytes, 1024, 20_000_000)
	errs = append(errs, between(at.Child("maxMessageBytes"), l.MaxMessageBytes, l.MaxRequestBytes, 1_000_000_000)...)
	return append(errs, between(at.Child("inFlightBytes"), l.InFlightBytes, max(1<<20, 2*l.MaxRequestBytes), 16<<30)...)
}

func (r Retention) validate(at *field.Path) field.ErrorList {
	errs := within(at.Child("undeliveredAfter"), r.UndeliveredAfter.Duration, time.Hour, 720*time.Hour)
	if r.DeleteAfter.Duration <= r.UndeliveredAfter.Duration {
		return append(errs, field.Invalid(at.Child("deleteAfter"), r.DeleteAfter.Duration.String(),
			"must be longer than undeliveredAfter: the sender hears of it first"))
	}
	return append(errs, within(at.Child("deleteAfter"), r.DeleteAfter.Duration, 24*time.Hour, 2160*time.Hour)...)
}

func (r Route) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if r.Interaction == "" || len(r.Interaction) > 100 {
		errs = append(errs, field.Invalid(at.Child("interaction"), r.Interaction, "must have 1 to 100 characters"))
	}
	errs = append(errs, oneOf(at.Child("pattern"), r.Pattern, PatternSync, PatternAsyncExpress, PatternAsyncReliable, PatternForwardExpress, PatternForwardReliable)...)
	errs = append(errs, oneOf(at.Child("delivery"), r.Delivery, DeliveryInbox, DeliveryPush)...)
	errs = append(errs, oneOf(at.Child("traffic"), r.Traffic, TrafficOpen, TrafficStopped)...)
	errs = append(errs, within(at.Child("timeout"), r.Timeout.Duration, time.Second, 2*time.Minute)...)
	errs = append(errs, between(at.Child("messagesPerSecond"), int64(r.MessagesPerSecond), 0, 100_000)...)
	if wants := r.Delivery == DeliveryPush || r.Pattern == PatternSync; wants {
		if u, err := url.Parse(r.Endpoint); err != nil || u.Scheme != "https" || u.Host == "" {
			errs = append(errs, field.Invalid(at.Child("endpoint"), r.Endpoint, "must be an https URL for delivery Push and pattern Sync"))
		}
	} else if r.Endpoint != "" {
		errs = append(errs, field.Forbidden(at.Child("endpoint"), "is only for delivery Push and pattern Sync: leave it out"))
	}
	if r.Reliability == nil {
		if r.Pattern.Reliable() {
			errs = append(errs, field.Required(at.Child("reliability"), "the reliable patterns state their contract"))
		}
		return errs
	}
	return append(errs, r.Reliability.validate(at.Child("reliability"), r.Pattern)...)
}

func (r Reliability) validate(at *field.Path, p Pattern) field.ErrorList {
	most, least := int64(20), time.Duration(0)
	if !p.Reliable() {
		most = 0 // express means one attempt
	}
	if r.Retries > 0 {
		least = time.Second
	}
	errs := between(at.Child("retries"), int64(r.Retries), 0, most)
	errs = append(errs, within(at.Child("retryInterval"), r.RetryInterval.Duration, least, 24*time.Hour)...)
	errs = append(errs, within(at.Child("persistDuration"), r.PersistDuration.Duration, 0, 720*time.Hour)...)
	return append(errs, oneOf(at.Child("duplicateElimination"), r.DuplicateElimination, DuplicateEliminationAlways, DuplicateEliminationNever)...)
}

func between(at *field.Path, v, least, most int64) field.ErrorList {
	if v < least || v > most {
		return field.ErrorList{field.Invalid(at, v, "must be between "+strconv.FormatInt(least, 10)+" and "+strconv.FormatInt(most, 10))}
	}
	return nil
}

func within(at *field.Path, v, least, most time.Duration) field.ErrorList {
	if v < least || v > most {
		return field.ErrorList{field.Invalid(at, v.String(), "must be between "+least.String()+" and "+most.String())}
	}
	return nil
}

func oneOf[T ~string](at *field.Path, v T, allowed ...T) field.ErrorList {
	if slices.Contains(allowed, v) {
		return nil
	}
	return field.ErrorList{field.NotSupported(at, v, allowed)}
}
