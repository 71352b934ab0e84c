// SPDX-License-Identifier: Apache-2.0

package dns_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/awstest"
	"spine.nhs.uk/controlplane/infra/aws/dns"
	"spine.nhs.uk/controlplane/infra/naming"
)

func record(name string, routing dns.Routing, set string) dns.Record {
	return dns.Record{Name: name, Routing: routing, Set: set, DNSName: pulumi.String("lb.example"), ZoneID: pulumi.String("Z1")}
}

func args() *dns.Args {
	here, there := record("mesh", dns.Failover, "here"), record("mesh", dns.Failover, "there")
	here.Primary, here.Probe = true, "messaging"
	blue := record("ers", dns.Weighted, "blue")
	blue.Weight = 100
	return &dns.Args{
		Names: naming.New("ers-test"), ZoneID: pulumi.String("Z2"),
		Records: []dns.Record{record("", dns.Single, ""), here, there, blue},
		Probes: []dns.Probe{{
			Name: "messaging", Namespace: "Spine", Metric: "DeepProbe", Dimensions: map[string]string{"Service": "messaging"},
			Failures: 3, RunbookURL: "https://runbooks/ProbeFails", AlarmTopicArn: pulumi.String("arn:topic"),
		}},
	}
}

func TestRecords(t *testing.T) {
	p, err := awstest.Run(t, nil, func(ctx *pulumi.Context) error {
		_, err := dns.New(ctx, "ers-test", args())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	here := p.One(t, "aws:route53/record:Record", "ers-test-name-mesh-here")
	there := p.One(t, "aws:route53/record:Record", "ers-test-name-mesh-there")
	if here.Inputs["healthCheckId"] != "ers-test-probe-messaging" || there.Inputs["healthCheckId"] != nil {
		t.Errorf("the primary follows %v, the secondary %v", here.Inputs["healthCheckId"], there.Inputs["healthCheckId"])
	}
	if f := here.Inputs["failoverRoutingPolicies"].([]any)[0].(map[string]any); f["type"] != "PRIMARY" {
		t.Errorf("the primary is %v", f)
	}
	if w := p.One(t, "aws:route53/record:Record", "ers-test-name-ers-blue").Inputs["weightedRoutingPolicies"].([]any)[0].(map[string]any); w["weight"] != 100.0 {
		t.Errorf("the share is %v", w)
	}
	p.One(t, "aws:route53/record:Record", "ers-test-name")
}

// TestUnknownMovesNothing holds that traffic moves when a probe fails, and not when
// nobody can say whether it does.
func TestUnknownMovesNothing(t *testing.T) {
	p, err := awstest.Run(t, nil, func(ctx *pulumi.Context) error {
		_, err := dns.New(ctx, "ers-test", args())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	check := p.One(t, "aws:route53/healthCheck:HealthCheck", "ers-test-probe-messaging")
	if check.Inputs["type"] != "CLOUDWATCH_METRIC" || check.Inputs["insufficientDataHealthStatus"] != "LastKnownStatus" {
		t.Errorf("the check is %v", check.Inputs)
	}
	alarm := p.One(t, "aws:cloudwatch/metricAlarm:MetricAlarm", "ers-test-probe-messaging")
	if alarm.Inputs["treatMissingData"] != "missing" || alarm.Inputs["evaluationPeriods"] != 3.0 || !strings.Contains(alarm.Inputs["alarmDescription"].(string), "https://runbooks/ProbeFails") {
		t.Errorf("the alarm is %v", alarm.Inputs)
	}
	if alarm.Inputs["insufficientDataActions"] == nil {
		t.Error("nobody is told of a probe that is not heard of")
	}
}

func TestZone(t *testing.T) {
	for name, c := range map[string]struct {
		public bool
		vpcs   int
	}{"public": {true, 0}, "private": {false, 1}} {
		t.Run(name, func(t *testing.T) {
			p, err := awstest.Run(t, nil, func(ctx *pulumi.Context) error {
				_, err := dns.NewZone(ctx, "z", &dns.ZoneArgs{Names: naming.New("ers-test"), Zone: "ers-test.spine.nhs.uk", Public: c.public, VpcID: pulumi.String("vpc")})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			z := p.One(t, "aws:route53/zone:Zone", "ers-test-zone")
			if vpcs, _ := z.Inputs["vpcs"].([]any); len(vpcs) != c.vpcs || z.Inputs["forceDestroy"] != false {
				t.Errorf("the zone is %v", z.Inputs)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	bad := args()
	two := record("mesh", dns.Failover, "here")
	two.Primary, two.Probe = true, "none"
	alone := record("x.y", dns.Single, "set")
	alone.Weight, alone.DNSName = 300, nil
	bad.Records = append(bad.Records, two, record("ers", dns.Single, ""), alone, record("z", "Random", ""))
	bad.Probes = append(bad.Probes, dns.Probe{Name: "messaging", Failures: 1})
	bad.ZoneID = nil
	err := bad.Validate()
	for _, field := range []string{
		"zoneId:", "probes[1].name:", "probes[1].namespace:", "probes[1].failures:", "probes[1].runbookURL:",
		"records[4].set:", "records[4].probe:", "records[5].routing:", "records[6].name:", "records[6].set:", "records[6].weight:", "records[6].dnsName:",
		"records[7].routing:", "records: have 2 primaries",
	} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not named in: %v", field, err)
		}
	}
	if err := args().Validate(); err != nil {
		t.Error(err)
	}
	zone := &dns.ZoneArgs{Zone: "Bad."}
	for _, field := range []string{"zone:", "vpcId:"} {
		if err := zone.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not named in: %v", field, err)
		}
	}
}
