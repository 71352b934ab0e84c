// SPDX-License-Identifier: Apache-2.0

// Package dns is an environment's names: its zone, records that share or move
// traffic, and health checks on the deep probe.
package dns

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
)

// ZoneArgs say whose zone it is.
type ZoneArgs struct {
	Names naming.Namer
	// Zone is the name of the environment's zone, such as
	// ers-live.spine.nhs.uk, without a final dot. Its parent delegates to the
	// name servers in the results.
	Zone string
	// Public is false for a zone that only the environment's network sees; then
	// VpcID is that network.
	Public bool
	VpcID  pulumi.StringInput
}

// Args say what the names should be.
type Args struct {
	Names naming.Namer
	// ZoneID is the environment's zone.
	ZoneID pulumi.StringInput
	// Records are the names, 1 to 100.
	Records []Record
	// Probes are the services whose deep probe is watched, by name of the service.
	Probes []Probe
}

// Routing says how a name with several targets is answered.
type Routing string

const (
	// Single has one target.
	Single Routing = "Single"
	// Weighted shares clients out by Weight: for moving them gradually.
	Weighted Routing = "Weighted"
	// Failover answers with the primary while its probe succeeds, and else with
	// the secondary.
	Failover Routing = "Failover"
)

// Record is one name and one target.
type Record struct {
	// Name is relative to the zone: a DNS label, or empty for the zone's own.
	Name string
	// Routing is how it is answered; all records of a name have the same.
	Routing Routing
	// Set tells the records of a name apart, a DNS label; empty for Single.
	Set string
	// Weight is a share, 0 to 255, for Weighted. It is where the record begins:
	// afterwards it belongs to the operator that moves traffic, and an update does
	// not take it back, as recovery mechanisms must not fight each other.
	Weight int
	// Primary is for Failover.
	Primary bool
	// DNSName and ZoneID are those of a balancer.
	DNSName, ZoneID pulumi.StringInput
	// Probe names the probe whose failure takes the target out; empty for none.
	Probe string
}

// Probe is the deep probe of a service: the whole path, as a client goes it. Its
// result is a metric, because the probe proves itself with a certificate, which
// Route 53's own checkers have none of.
type Probe struct {
	// Name is the service's, a DNS label.
	Name string
	// Namespace and Metric say where the result is: 1 for success, 0 for failure,
	// once a minute.
	Namespace, Metric string
	// Dimensions of the metric.
	Dimensions map[string]string
	// Failures is how many minutes in succession have to fail, 2 to 15.
	Failures int
	// RunbookURL is the page of whoever is called, and is in the alarm's text.
	RunbookURL string
	// AlarmTopicArn is told; nil for nobody.
	AlarmTopicArn pulumi.StringInput
}

var (
	label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	zone  = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]{2,}$`)
)

// Limits of the arguments.
const (
	mostRecords                 = 100
	mostWeight                  = 255
	leastFailures, mostFailures = 2, 15
)

// Validate says everything that is wrong with the arguments.
func (a *ZoneArgs) Validate() error {
	var p component.Problems
	if !zone.MatchString(a.Zone) {
		p.Add("zone", "is %q; it must be a domain name in lower case without a final dot", a.Zone)
	}
	if !a.Public {
		p.Given("vpcId", a.VpcID, "the network that a zone which is not public belongs to")
	}
	return p.Err()
}

// Validate says everything that is wrong with the arguments.
func (a *Args) Validate() error {
	var p component.Problems
	p.Given("zoneId", a.ZoneID, "the ID of the environment's zone")
	p.Between("records", len(a.Records), 1, mostRecords)
	probes := map[string]bool{}
	for i, probe := range a.Probes {
		path := fmt.Sprintf("probes[%d]", i)
		if probes[probe.Name] {
			p.Add(path+".name", "is %q, as another's; names must differ", probe.Name)
		}
		probes[probe.Name] = true
		probe.validate(&p, path)
	}
	for i, r := range a.Records {
		r.validate(&p, fmt.Sprintf("records[%d]", i), probes)
	}
	a.together(&p)
	return p.Err()
}

func (b Probe) validate(p *component.Problems, path string) {
	if !label.MatchString(b.Name) {
		p.Add(path+".name", "is %q; it must be a DNS label", b.Name)
	}
	p.Need(path+".namespace", b.Namespace, "the namespace of the probe's metric")
	p.Need(path+".metric", b.Metric, "the name of the probe's metric")
	// One failure is no outage.
	p.Between(path+".failures", b.Failures, leastFailures, mostFailures)
	p.Need(path+".runbookURL", b.RunbookURL, "the page of whoever is called")
}

func (r Record) validate(p *component.Problems, path string, probes map[string]bool) {
	if r.Name != "" && !label.MatchString(r.Name) {
		p.Add(path+".name", "is %q; it must be a DNS label, or empty for the zone's own name", r.Name)
	}
	p.OneOf(path+".routing", string(r.Routing), string(Single), string(Weighted), string(Failover))
	switch {
	case r.Routing == Single && r.Set != "":
		p.Add(path+".set", "is %q; a single record has none", r.Set)
	case r.Routing != Single && !label.MatchString(r.Set):
		p.Add(path+".set", "is %q; it must be a DNS label that tells the records of a name apart", r.Set)
	}
	p.Between(path+".weight", r.Weight, 0, mostWeight)
	p.Given(path+".dnsName", r.DNSName, "the name of the balancer")
	p.Given(path+".zoneId", r.ZoneID, "the zone of the balancer's name")
	if r.Probe != "" && !probes[r.Probe] {
		p.Add(path+".probe", "is %q; no probe has that name", r.Probe)
	}
	if r.Routing == Failover && r.Primary && r.Probe == "" {
		p.Add(path+".probe", "is empty; a primary without a probe is never left")
	}
}

// together finds records of one name that do not go together.
func (a *Args) together(p *component.Problems) {
	routing, sets, primaries := map[string]Routing{}, map[string]bool{}, map[string]int{}
	for i, r := range a.Records {
		path := fmt.Sprintf("records[%d]", i)
		if first, seen := routing[r.Name]; seen && (first != r.Routing || r.Routing == Single) {
			p.Add(path+".routing", "is %q for another record of %q; all of a name are %s or all are %s", r.Routing, r.Name, Weighted, Failover)
		}
		routing[r.Name] = r.Routing
		if r.Set != "" && sets[r.Name+"/"+r.Set] {
			p.Add(path+".set", "is %q, as another's of %q; they must differ", r.Set, r.Name)
		}
		sets[r.Name+"/"+r.Set] = true
		if r.Primary {
			primaries[r.Name]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(routing)) {
		if routing[name] == Failover && primaries[name] != 1 {
			p.Add("records", "have %d primaries of the name %q; a failover has one", primaries[name], name)
		}
	}
}
