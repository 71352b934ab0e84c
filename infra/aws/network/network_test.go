// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/awstest"
	"spine.nhs.uk/controlplane/infra/aws/network"
	"spine.nhs.uk/controlplane/infra/naming"
)

func args() *network.Args {
	return &network.Args{
		Names: naming.New("ers-test"), Account: "111122223333", CIDR: "10.64.0.0/16", EgressZones: 3,
		Allowed:   []network.Allowed{{CIDR: "192.0.2.0/24", Purpose: "Providers' booking systems"}},
		LogKeyArn: pulumi.String("arn:key"), LogDays: 365,
	}
}

func plan(t *testing.T, a *network.Args) awstest.Plan {
	t.Helper()
	p, err := awstest.Run(t, nil, func(ctx *pulumi.Context) error {
		n, err := network.New(ctx, "ers-test", a)
		if err == nil && (len(n.Apps) != 3 || len(n.Data) != 3 || n.Apps[2].Zone != "eu-west-2c") {
			t.Errorf("the subnets of the result are %v and %v", n.Apps, n.Data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestOnlyTheEdgeIsPublic follows every route and rule: the Internet is reached from
// the edge's subnets, and no group lets everybody in.
func TestOnlyTheEdgeIsPublic(t *testing.T) {
	p := plan(t, args())
	for _, s := range p.Of("aws:ec2/subnet:Subnet") {
		if s.Inputs["mapPublicIpOnLaunch"] != false {
			t.Errorf("machines in %s get public addresses", s.Name)
		}
	}
	for _, r := range p.Of("aws:ec2/route:Route") {
		toInternet := r.Inputs["destinationCidrBlock"] == "0.0.0.0/0" || r.Inputs["gatewayId"] != nil
		if toInternet && r.Inputs["routeTableId"] != "ers-test-edge" {
			t.Errorf("route %s leads to the Internet from table %v", r.Name, r.Inputs["routeTableId"])
		}
	}
	for _, a := range p.Of("aws:ec2/routeTableAssociation:RouteTableAssociation") {
		if edge := strings.HasPrefix(a.Name, "ers-test-edge-"); edge != (a.Inputs["routeTableId"] == "ers-test-edge") {
			t.Errorf("subnet %v has table %v", a.Inputs["subnetId"], a.Inputs["routeTableId"])
		}
	}
	for _, r := range p.Of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule") {
		if r.Inputs["cidrIpv4"] != "10.64.0.0/16" {
			t.Errorf("rule %s lets %v in", r.Name, r.Inputs["cidrIpv4"])
		}
	}
	if g := p.One(t, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "ers-test-default"); g.Inputs["ingress"] != nil || g.Inputs["egress"] != nil {
		t.Error("the default group has rules")
	}
}

func TestEgress(t *testing.T) {
	none, one := args(), args()
	none.Allowed, one.EgressZones = nil, 1
	for name, c := range map[string]struct {
		args         *network.Args
		ways, routes int
	}{"three zones": {args(), 3, 3}, "one zone": {one, 1, 3}, "nothing allowed": {none, 0, 0}} {
		t.Run(name, func(t *testing.T) {
			p := plan(t, c.args)
			routes := 0
			for _, r := range p.Of("aws:ec2/route:Route") {
				if r.Inputs["natGatewayId"] == nil {
					continue
				}
				routes++
				if r.Inputs["destinationPrefixListId"] != "ers-test-egress" {
					t.Errorf("route %s leads out to more than the allow-list: %v", r.Name, r.Inputs)
				}
			}
			if ways := len(p.Of("aws:ec2/natGateway:NatGateway")); ways != c.ways || routes != c.routes {
				t.Errorf("%d ways out and %d routes to them, not %d and %d", ways, routes, c.ways, c.routes)
			}
		})
	}
}

// TestEndpoints holds that endpoints serve the account's credentials only.
func TestEndpoints(t *testing.T) {
	endpoints := plan(t, args()).Of("aws:ec2/vpcEndpoint:VpcEndpoint")
	if len(endpoints) < 10 {
		t.Errorf("only %d endpoints", len(endpoints))
	}
	for _, e := range endpoints {
		var document struct {
			Statement []struct {
				Action    []string
				Condition map[string]map[string][]string
			}
		}
		if err := json.Unmarshal([]byte(e.Inputs["policy"].(string)), &document); err != nil {
			t.Fatal(err)
		}
		for _, s := range document.Statement {
			if s.Action[0] == "*" && fmt.Sprint(s.Condition["StringEquals"]["aws:PrincipalAccount"]) != "[111122223333]" {
				t.Errorf("endpoint %s serves credentials of any account", e.Name)
			}
		}
		if e.Inputs["vpcEndpointType"] == "Interface" && len(e.Inputs["subnetIds"].([]any)) != 3 {
			t.Errorf("endpoint %s is not in every zone", e.Name)
		}
	}
}

func TestFlowLogs(t *testing.T) {
	p := plan(t, args())
	logs := p.One(t, "aws:cloudwatch/logGroup:LogGroup", "ers-test-flows")
	if logs.Inputs["kmsKeyId"] != "arn:key" || logs.Inputs["retentionInDays"] != 365.0 {
		t.Errorf("flow logs are kept as %v", logs.Inputs)
	}
	if f := p.One(t, "aws:ec2/flowLog:FlowLog", "ers-test-flows"); f.Inputs["vpcId"] != "ers-test" || f.Inputs["trafficType"] != "ALL" {
		t.Errorf("flows are recorded as %v", f.Inputs)
	}
}

func TestValidate(t *testing.T) {
	bad := &network.Args{
		Names: naming.New("x"), Account: "12", CIDR: "10.64.0.1/16", EgressZones: 2, LogDays: 30,
		Allowed: []network.Allowed{{CIDR: "0.0.0.0/0", Purpose: "everything"}, {CIDR: "192.0.2.0/24"}},
	}
	err := bad.Validate()
	for _, field := range []string{"account:", "cidr:", "egressZones:", "allowed[0].cidr:", "allowed[1].purpose:", "logKeyArn:", "logDays:"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not named in: %v", field, err)
		}
	}
	if err := args().Validate(); err != nil {
		t.Error(err)
	}
	public := args()
	public.CIDR = "8.8.0.0/16"
	if public.Validate() == nil {
		t.Error("a public range is taken")
	}
}
