// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	mostDomain = 200
	mostAlerts = 10
	mostBudget = 1_000_000
	// mostPerZone is how many machines a zone may have at all.
	mostPerZone = 40
	mostClients = 20
	// mostHours is how long recovery may be promised to take: a week.
	mostHours = 168
)

var (
	// clock is a time of day.
	clock      = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
	roleName   = regexp.MustCompile(`^[A-Za-z0-9+=,.@_/-]{1,512}$`)
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)
	keyName    = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// logDays are the lengths for which CloudWatch keeps logs, from a year on
// (PutRetentionPolicy in its API reference).
var logDays = []int{365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func (k CloudCluster) validate(p *field.Path) field.ErrorList {
	errs := matches(p.Child("version"), k.Version, clusterMinor, `a minor release of Kubernetes in quotes, such as "1.33"`)
	errs = append(errs, matches(p.Child("instanceType"), k.InstanceType, instanceType, "a type of machine, such as m6i.large")...)
	errs = append(errs, between(p.Child("nodesPerZone"), k.NodesPerZone, 1, mostPerZone/2)...)
	if k.MostPerZone <= k.NodesPerZone || k.MostPerZone > mostPerZone {
		errs = append(errs, field.Invalid(p.Child("mostPerZone"), k.MostPerZone, fmt.Sprintf("must be more than nodesPerZone (%d), and at most %d: an update adds a machine before it takes one away", k.NodesPerZone, mostPerZone)))
	}
	if len(k.Clients) > mostClients {
		errs = append(errs, field.TooMany(p.Child("clients"), len(k.Clients), mostClients))
	}
	for i, c := range k.Clients {
		from, wrong := ipv4Prefix(p.Child("clients").Index(i), c)
		errs = append(errs, wrong...)
		if len(wrong) == 0 && !from.Addr().IsPrivate() {
			errs = append(errs, field.Invalid(p.Child("clients").Index(i), c, "must be within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"))
		}
	}
	return append(errs, between(p.Child("diskGiB"), k.DiskGiB, 20, 1000)...)
}

func (d CloudDatabase) validate(p *field.Path) field.ErrorList {
	errs := matches(p.Child("engineVersion"), d.EngineVersion, auroraVersion, `a release of Aurora PostgreSQL in quotes, such as "16.8"`)
	errs = append(errs, prefixed(p.Child("instanceClass"), d.InstanceClass, "db.", "db.r6g.large")...)
	errs = append(errs, projectFile(p.Child("authoritiesFile"), d.AuthoritiesFile)...)
	return append(errs, between(p.Child("instances"), d.Instances, 1, zoneCount)...)
}

func (b CloudBroker) validate(p *field.Path) field.ErrorList {
	errs := oneOf(p.Child("kind"), b.Kind, BrokerAmazonMQ, BrokerInCluster)
	if b.Kind == BrokerAmazonMQ {
		errs = append(errs, matches(p.Child("engineVersion"), b.EngineVersion, rabbitVersion, `a release of RabbitMQ 4 in quotes, such as "4.2": the services' queues need it`)...)
		if b.Member != (Store{}) {
			errs = append(errs, field.Forbidden(p.Child("member"), "only for kind InCluster"))
		}
		return append(errs, prefixed(p.Child("instanceType"), b.InstanceType, "mq.", "mq.m7g.large")...)
	}
	if b.Kind == BrokerInCluster {
		errs = append(errs, b.Member.validate(p.Child("member"))...)
	}
	for _, f := range []struct{ name, value string }{{"engineVersion", b.EngineVersion}, {"instanceType", b.InstanceType}} {
		if f.value != "" {
			errs = append(errs, field.Forbidden(p.Child(f.name), "only for kind AmazonMQ"))
		}
	}
	return errs
}

func (g CloudEdge) validate(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if g.Domain != "" && (validation.IsDNS1123Subdomain(g.Domain) != nil || !strings.Contains(g.Domain, ".") || len(g.Domain) > mostDomain) {
		errs = append(errs, field.Invalid(p.Child("domain"), g.Domain, "must be a DNS name of two parts or more, without a closing dot"))
	}
	errs = append(errs, oneOf(p.Child("exposure"), g.Exposure, ExposureInternet, ExposureInternal)...)
	errs = append(errs, oneOf(p.Child("shield"), g.Shield, ShieldStandard, ShieldAdvanced)...)
	if g.ClientAuthoritiesFile != "" {
		errs = append(errs, projectFile(p.Child("clientAuthoritiesFile"), g.ClientAuthoritiesFile)...)
	}
	return errs
}

// validateOperate checks what keeps the environment running, and within its means.
func (c *Cloud) validateOperate() field.ErrorList {
	p := field.NewPath("recovery")
	errs := between(p.Child("pointInTimeDays"), c.Recovery.PointInTimeDays, pointInTime, pointInTime)
	errs = append(errs, oneOf(p.Child("vault"), c.Recovery.Vault, VaultOtherAccount, VaultNone)...)
	switch at := p.Child("lockAfterDays"); {
	case c.Recovery.LockAfterDays == 0:
	case c.Recovery.Vault != VaultOtherAccount:
		errs = append(errs, field.Forbidden(at, "only for vault OtherAccount"))
	default:
		errs = append(errs, between(at, c.Recovery.LockAfterDays, 3, 30)...)
	}
	errs = append(errs, between(p.Child("hours"), c.Recovery.Hours, 1, mostHours)...)
	errs = append(errs, oneOf(p.Child("deletion"), c.Recovery.Deletion, DeletionRefused, DeletionAllowed)...)
	errs = append(errs, oneOf(p.Child("standby"), c.Recovery.Standby, StandbyNone, StandbyPilotLight, StandbyWarm)...)
	if c.Class.serving() {
		errs = append(errs, c.validateServing()...)
	}
	if !slices.Contains(logDays, c.Logs.RetentionDays) {
		errs = append(errs, field.Invalid(field.NewPath("logs", "retentionDays"), c.Logs.RetentionDays, fmt.Sprintf("must be one of %v", logDays)))
	}
	errs = append(errs, between(field.NewPath("documents", "lockDays"), c.Documents.LockDays, 1, 3650)...)
	errs = append(errs, c.Deployment.validate(field.NewPath("deployment"))...)
	return append(errs, c.Finance.validate(field.NewPath("finance"), c.Class)...)
}

// validateServing holds an environment of patients to what its tier promises: a file may
// raise what its tier sets, and not lower it.
func (c *Cloud) validateServing() field.ErrorList {
	var errs field.ErrorList
	if _, known := tiers[c.Tier]; known && !c.Tier.serving() {
		errs = append(errs, field.Invalid(field.NewPath("tier"), c.Tier, fmt.Sprintf("the class %s is gold or platinum", c.Class)))
	}
	if c.Recovery.Vault == VaultNone {
		errs = append(errs, field.Invalid(field.NewPath("recovery", "vault"), c.Recovery.Vault, "patients' data has a copy in another account: use OtherAccount"))
	}
	if most := tiers[c.likelyTier()].Recovery.Hours; most > 0 && c.Recovery.Hours > most {
		errs = append(errs, field.Invalid(field.NewPath("recovery", "hours"), c.Recovery.Hours, fmt.Sprintf("the tier %s promises %d at most", c.likelyTier(), most)))
	}
	if c.Database.Instances < zoneCount {
		errs = append(errs, field.Invalid(field.NewPath("database", "instances"), c.Database.Instances, "a database of patients has one in each of 3 zones"))
	}
	if c.Network.EgressZones < zoneCount {
		errs = append(errs, field.Invalid(field.NewPath("network", "egressZones"), c.Network.EgressZones, "the loss of a zone must not be that of the way out: use 3"))
	}
	return errs
}

func (d Deployment) validate(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, list := range []struct {
		name  string
		roles []string
		most  int
	}{{"deployers", d.Deployers, 10}, {"administrators", d.Administrators, 9}} {
		if len(list.roles) > list.most {
			errs = append(errs, field.TooMany(p.Child(list.name), len(list.roles), list.most))
		}
		for i, role := range list.roles {
			errs = append(errs, matches(p.Child(list.name).Index(i), role, roleName, "the name of a role of the account, with its path but without its ARN")...)
		}
	}
	// It is empty only where the account is missing, which is said there.
	if d.StateBucket != "" {
		errs = append(errs, matches(p.Child("stateBucket"), d.StateBucket, bucketName, "the name of a bucket")...)
	}
	return append(errs, matches(p.Child("stateKey"), d.StateKey, keyName, "the identifier of a KMS key, such as 1234abcd-12ab-34cd-56ef-1234567890ab")...)
}

func (f Finance) validate(p *field.Path, class Class) field.ErrorList {
	errs := between(p.Child("monthlyBudgetUSD"), f.MonthlyBudgetUSD, 1, mostBudget)
	if n := len(f.AlertsTo); n > mostAlerts {
		errs = append(errs, field.TooMany(p.Child("alertsTo"), n, mostAlerts))
	}
	for i, to := range f.AlertsTo {
		if a, err := mail.ParseAddress(to); err != nil || a.Address != to {
			errs = append(errs, field.Invalid(p.Child("alertsTo").Index(i), to, "must be a mail address"))
		}
	}
	errs = append(errs, oneOf(p.Child("anomalies"), f.Anomalies, AnomaliesWatched, AnomaliesByPayer)...)
	errs = append(errs, oneOf(p.Child("running"), f.Running, RunningAlways, RunningWorkingHours)...)
	if class.serving() && f.Running == RunningWorkingHours {
		errs = append(errs, field.Invalid(p.Child("running"), f.Running, fmt.Sprintf("the class %s never sleeps: use Always", class)))
	}
	return append(errs, hours(p, "running", string(f.Running), f.Wake, f.Sleep)...)
}

// hours are those of WorkingHours, which is one value of a field, and of nothing else.
func hours(p *field.Path, of, value, wake, sleep string) field.ErrorList {
	var errs field.ErrorList
	for _, t := range []struct{ name, value string }{{"wake", wake}, {"sleep", sleep}} {
		switch {
		case value == workingHours && !clock.MatchString(t.value):
			errs = append(errs, field.Invalid(p.Child(t.name), t.value, `must be a time of day in quotes, such as "07:00"`))
		case value != workingHours && t.value != "":
			errs = append(errs, field.Forbidden(p.Child(t.name), "only for "+of+" WorkingHours"))
		}
	}
	if value == workingHours && clock.MatchString(wake) && clock.MatchString(sleep) && sleep <= wake {
		errs = append(errs, field.Invalid(p.Child("sleep"), sleep, "must be after wake"))
	}
	return errs
}

func matches(p *field.Path, value string, pattern *regexp.Regexp, wanted string) field.ErrorList {
	switch {
	case pattern.MatchString(value):
		return nil
	case value == "":
		return field.ErrorList{field.Required(p, wanted)}
	}
	return field.ErrorList{field.Invalid(p, value, "must be "+wanted)}
}

// prefixed checks a type of machine of one of AWS's services.
func prefixed(p *field.Path, value, prefix, example string) field.ErrorList {
	if rest, ok := strings.CutPrefix(value, prefix); ok && instanceType.MatchString(rest) {
		return nil
	}
	return matches(p, value, regexp.MustCompile(`$.`), "a type of machine, such as "+example)
}
