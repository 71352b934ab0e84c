// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	leastPurpose, mostPurpose = 10, 160
	mostEgress                = 40
	mostEgressPurpose         = 255
)

var (
	accountNumber = regexp.MustCompile(`^[0-9]{12}$`)
	costCentre    = regexp.MustCompile(`^[A-Z]{2}-[0-9]{4}$`)
	clusterMinor  = regexp.MustCompile(`^1\.[1-9][0-9]$`)
	auroraVersion = regexp.MustCompile(`^1[0-9]\.[0-9]{1,2}$`)
	rabbitVersion = regexp.MustCompile(`^4\.[0-9]{1,2}$`)
	// instanceType is a family and a size; databases and brokers put db. and mq. before it.
	instanceType = regexp.MustCompile(`^[a-z][a-z0-9-]{1,9}\.[a-z0-9-]{1,12}$`)
)

// Validate returns everything that is wrong with the environment by itself, with the
// path of each field. It expects a resolved environment.
func (c *Cloud) Validate() field.ErrorList {
	errs := shortName(field.NewPath("name"), c.Name)
	if n := len(strings.TrimSpace(c.Purpose)); n < leastPurpose || len(c.Purpose) > mostPurpose {
		errs = append(errs, field.Invalid(field.NewPath("purpose"), c.Purpose, fmt.Sprintf("must say what the environment is for, in %d to %d characters", leastPurpose, mostPurpose)))
	}
	errs = append(errs, label(field.NewPath("owner"), c.Owner)...)
	errs = append(errs, oneOf(field.NewPath("service"), c.Service, ServiceERS, ServiceSpine)...)
	errs = append(errs, oneOf(field.NewPath("class"), c.Class, classOrder...)...)
	errs = append(errs, oneOf(field.NewPath("tier"), c.Tier, tierOrder...)...)
	if !costCentre.MatchString(c.CostCentre) {
		errs = append(errs, field.Invalid(field.NewPath("costCentre"), c.CostCentre, `must be as in finance's books, such as "ER-1001"`))
	}
	errs = append(errs, oneOf(field.NewPath("dataClass"), c.DataClass, DataPatient, DataPseudonymised, DataSynthetic)...)
	if c.Region != London {
		errs = append(errs, field.Invalid(field.NewPath("region"), c.Region,
			fmt.Sprintf("is outside the United Kingdom, where data, backups, logs and telemetry stay: use %s, the only region of AWS in it", London)))
	}
	errs = append(errs, c.validateFences()...)
	errs = append(errs, c.Network.validate(field.NewPath("network"))...)
	errs = append(errs, c.Cluster.validate(field.NewPath("cluster"))...)
	errs = append(errs, c.Database.validate(field.NewPath("database"))...)
	errs = append(errs, c.Broker.validate(field.NewPath("broker"))...)
	errs = append(errs, c.Edge.validate(field.NewPath("edge"))...)
	errs = append(errs, c.validateServices()...)
	errs = append(errs, c.validateOperate()...)
	return append(errs, validateWaivers(field.NewPath("waivers"), c.Waivers)...)
}

// validateFences checks that the environment is on one side of the fence, its class's.
func (c *Cloud) validateFences() field.ErrorList {
	live, nonLive := field.NewPath("live"), field.NewPath("nonLive")
	var errs field.ErrorList
	serving := c.Class.serving()
	if !slices.Contains(classOrder, c.Class) {
		serving = c.Live != nil // the class is wrong, and said to be
	}
	switch {
	case serving && c.Live == nil:
		errs = append(errs, field.Required(live, fmt.Sprintf("the class %s is on the live side: give its accounts here", c.Class)))
	case !serving && c.NonLive == nil:
		errs = append(errs, field.Required(nonLive, fmt.Sprintf("the class %s is not on the live side: give its accounts here", c.Class)))
	}
	if serving && c.NonLive != nil {
		errs = append(errs, field.Forbidden(nonLive, fmt.Sprintf("live and non-live accounts are fenced off from each other, and the class %s is live: remove this", c.Class)))
	}
	if !serving && c.Live != nil {
		errs = append(errs, field.Forbidden(live, fmt.Sprintf("live and non-live accounts are fenced off from each other, and the class %s is not live: remove this", c.Class)))
	}
	if !serving && c.DataClass == DataPatient {
		errs = append(errs, field.Invalid(field.NewPath("dataClass"), c.DataClass, "patients' data is on the live side only"))
	}
	return append(append(errs, validateFence(live, c, c.Live)...), validateFence(nonLive, c, c.NonLive)...)
}

func validateFence[A Account](p *field.Path, c *Cloud, f *Fence[A]) field.ErrorList {
	if f == nil {
		return nil
	}
	own, backup := f.Numbers()
	var errs field.ErrorList
	if !accountNumber.MatchString(own) {
		errs = append(errs, field.Invalid(p.Child("account"), own, "must be the 12 digits of an account of AWS, in quotes"))
	}
	at := p.Child("backupAccount")
	switch wanted := c.Recovery.Vault == VaultOtherAccount; {
	case wanted && backup == "":
		errs = append(errs, field.Required(at, "recovery.vault is OtherAccount: give the account that holds copies of backups"))
	case !wanted && backup != "":
		errs = append(errs, field.Forbidden(at, "only for recovery.vault OtherAccount"))
	case backup != "" && !accountNumber.MatchString(backup):
		errs = append(errs, field.Invalid(at, backup, "must be the 12 digits of an account of AWS, in quotes"))
	case backup != "" && backup == own:
		errs = append(errs, field.Invalid(at, backup, "must be another account than account: whoever is in that one could delete both"))
	}
	at = p.Child("standbyOf")
	switch wanted := c.Recovery.Standby != StandbyNone; {
	case wanted && f.StandbyOf == "":
		errs = append(errs, field.Required(at, fmt.Sprintf("recovery.standby is %s: name the environment that this one takes over from", c.Recovery.Standby)))
	case !wanted && f.StandbyOf != "":
		errs = append(errs, field.Forbidden(at, "only where recovery.standby is PilotLight or WarmStandby"))
	case string(f.StandbyOf) == c.Name && c.Name != "":
		errs = append(errs, field.Invalid(at, f.StandbyOf, "is this environment itself"))
	}
	return errs
}

func (n CloudNetwork) validate(p *field.Path) field.ErrorList {
	cidr, errs := ipv4Prefix(p.Child("cidr"), n.CIDR)
	if len(errs) == 0 && (cidr.Bits() < 16 || cidr.Bits() > 20) {
		errs = append(errs, field.Invalid(p.Child("cidr"), n.CIDR, "must be a /16 to /20: AWS takes no larger one, and pods have an address each"))
	}
	if len(errs) == 0 && !cidr.Addr().IsPrivate() {
		errs = append(errs, field.Invalid(p.Child("cidr"), n.CIDR, "must be within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"))
	}
	if len(n.Egress) > mostEgress {
		errs = append(errs, field.TooMany(p.Child("egress"), len(n.Egress), mostEgress))
	}
	for i, e := range n.Egress {
		at := p.Child("egress").Index(i)
		to, wrong := ipv4Prefix(at.Child("cidr"), e.CIDR)
		errs = append(errs, wrong...)
		if len(wrong) == 0 && to.Bits() < 8 {
			errs = append(errs, field.Invalid(at.Child("cidr"), e.CIDR, "must be a /8 or smaller: all the Internet is no list"))
		}
		if e.Purpose == "" || len(e.Purpose) > mostEgressPurpose {
			errs = append(errs, field.Invalid(at.Child("purpose"), e.Purpose, "must say what is there, in 1 to 255 characters"))
		}
	}
	if n.EgressZones != 1 && n.EgressZones != zoneCount {
		errs = append(errs, field.Invalid(p.Child("egressZones"), n.EgressZones, "must be 1, or 3 for one in each zone"))
	}
	return errs
}
