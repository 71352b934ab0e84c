// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"strings"
	"time"

	"spine.nhs.uk/controlplane/infra/policy"
)

// reliableRoutes: an acknowledged message is processed, once.
func reliableRoutes(o object) []policy.Finding {
	var found []policy.Finding
	for _, route := range o.At("spec", "routes").Items() {
		if !strings.HasSuffix(route.At("pattern").Text(), "Reliable") {
			continue
		}
		contract := route.At("reliability")
		found = append(found, policy.Unmet(contract,
			policy.OneOf([]string{"Always"}, "duplicateElimination"), policy.IsSet("persistDuration"), policy.AtLeast(1, "retries"))...)
	}
	return found
}

// bothSites asks services of a pair of live sites not to promise what one alone holds.
func bothSites(r policy.Resource, in policy.Environment) []policy.Finding {
	if !in.Live() {
		return nil
	}
	return eachObject(func(o object) []policy.Finding {
		if o.At("spec", "site").Missing() {
			return nil
		}
		return policy.Unmet(o.At("spec"), policy.OneOf([]string{"BothSites"}, "acknowledge"))
	}, "MessagingService", "BookingService")(r, in)
}

// archived asks services of a live site to have a way back for their databases. Those that somebody
// else runs have their own.
func archived(r policy.Resource, in policy.Environment) []policy.Finding {
	if !in.Live() {
		return nil
	}
	return eachObject(func(o object) []policy.Finding {
		if database := o.At("spec", "database"); database.At("endpoint").Missing() {
			return policy.Unmet(database, policy.IsSet("backup"), policy.AtLeast(leastRetention, "backup", "retentionDays"))
		}
		return nil
	}, "MessagingService", "BookingService")(r, in)
}

// leastRetention is for how many days there has to be a way back: as many as in AWS, by the rule database-backups.
const leastRetention = 35

// mostLife is the longest life of a certificate that is no authority's: what browsers
// and their authorities agreed on in 2020.
const mostLife = 398 * 24 * time.Hour

func certificates(o object) []policy.Finding {
	spec := o.At("spec")
	if spec.At("isCA").True() {
		return nil
	}
	var found []policy.Finding
	if d := spec.At("duration"); !d.Hidden() {
		life, err := time.ParseDuration(d.Text())
		if err != nil || life > mostLife {
			found = append(found, d.Found("the certificate must end within %d days", int(mostLife.Hours()/24)))
		}
	}
	return append(found, policy.Unmet(spec.At("privateKey"), policy.OneOf([]string{"Always"}, "rotationPolicy"))...)
}
