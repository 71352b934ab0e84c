// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"fmt"
	"strconv"
)

// Annotations of a service at one of two sites, written together by its site's manager and
// by nobody else.
const (
	// RoleAnnotation is the role in force: Active, Quiesced or Standby.
	RoleAnnotation = "spine.nhs.uk/role"
	// EpochAnnotation is the epoch of the witness's vote by which it is in force.
	EpochAnnotation = "spine.nhs.uk/epoch"
	// PromotionTokenAnnotation is the other site's demotion token, only with the role Active.
	// Active after Standby without it is an unplanned promotion.
	PromotionTokenAnnotation = "spine.nhs.uk/promotion-token"
	// AcknowledgeAnnotation is Site while the witness has it on record that this site is alone;
	// otherwise the specification counts.
	AcknowledgeAnnotation = "spine.nhs.uk/acknowledge"
)

// SiteOrder is what a service has to be at its site.
type SiteOrder struct {
	// Role that it has to have.
	Role SiteRole
	// Epoch of the vote by which; 0 before the first.
	Epoch int64
	// PromotionToken of the other site; empty unless the role was handed over.
	PromotionToken string
	// Alone: what is acknowledged does not wait for the other site.
	Alone bool
}

// Order in force for a service, by its annotations or, without any, its specification. What
// makes no sense is an error: the service is then left as it is.
func Order(annotations map[string]string, site *SiteSpec) (SiteOrder, error) {
	role, said := annotations[RoleAnnotation]
	switch {
	case site == nil:
		return SiteOrder{Role: SiteActive}, nil
	case !said:
		// Nobody has voted yet: not even the site that is to be active serves before.
		if site.Role == RoleStandby {
			return SiteOrder{Role: SiteStandby}, nil
		}
		return SiteOrder{Role: SiteQuiesced}, nil
	}
	o := SiteOrder{Role: SiteRole(role), PromotionToken: annotations[PromotionTokenAnnotation], Alone: annotations[AcknowledgeAnnotation] == "Site"}
	if o.Role != SiteActive && o.Role != SiteQuiesced && o.Role != SiteStandby {
		return SiteOrder{}, fmt.Errorf("annotation %s is %q: expected Active, Quiesced or Standby", RoleAnnotation, role)
	}
	epoch, err := strconv.ParseInt(annotations[EpochAnnotation], 10, 64)
	if err != nil || epoch < 0 {
		return SiteOrder{}, fmt.Errorf("annotation %s is %q: expected a whole number", EpochAnnotation, annotations[EpochAnnotation])
	}
	o.Epoch = epoch
	return o, nil
}

// InForce is what has to hold a piece of work before it is acknowledged, by the specification
// and the order.
func InForce(specified Acknowledge, o SiteOrder) Acknowledge {
	if o.Alone || specified == "" {
		return AcknowledgeSite
	}
	return specified
}

// Annotations that say an order. Those that are empty are to be taken away.
func (o SiteOrder) Annotations() map[string]string {
	out := map[string]string{
		RoleAnnotation: string(o.Role), EpochAnnotation: strconv.FormatInt(o.Epoch, 10),
		PromotionTokenAnnotation: o.PromotionToken, AcknowledgeAnnotation: "",
	}
	if o.Alone {
		out[AcknowledgeAnnotation] = "Site"
	}
	return out
}
