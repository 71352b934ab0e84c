// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/aws/dns"
	"spine.nhs.uk/controlplane/infra/aws/document"
	"spine.nhs.uk/controlplane/infra/aws/edge"
	"spine.nhs.uk/controlplane/infra/aws/identity"
	"spine.nhs.uk/controlplane/infra/aws/keys"
)

const (
	// messages and referrals are the names of the ways in, below the environment's domain.
	messages, referrals = "messages", "booking"
	// messagesPort and referralsPort are the nodes' ports of the services.
	messagesPort, referralsPort = 30443, 30445
	// requests of one address in five minutes: a hospital comes from a few addresses, and
	// 400 pages a second in all is 120,000.
	requests = 30000
	// probeFailures is how many minutes of failure take a target out: one is no outage.
	probeFailures = 3
	// probePage is what whoever is called reads.
	probePage = "runbooks/ProbeFailed.md"
	// wholeShare is that of the only target of a name; a second one takes from it while
	// clients are moved.
	wholeShare = 100
)

func (s *stack) makeEdge() (err error) {
	args := &edge.Args{
		Names: s.names, Account: s.account, Network: s.network, NodeSecurityGroup: s.cluster.NodeSecurityGroup, Groups: s.cluster.Groups,
		Internal: s.env.Edge.Exposure == environments.ExposureInternal, Shield: s.env.Edge.Shield == environments.ShieldAdvanced,
		Protect: s.serving(), Deletable: s.deletable(), LogKeyArn: s.keys.ARN[keys.Logs], LogDays: s.env.Logs.RetentionDays,
		Messaging: &edge.Messaging{TargetPort: messagesPort},
	}
	if s.hasBooking() {
		args.Booking = &edge.Booking{
			CertificateArn: s.keys.Certificate, TargetPort: referralsPort, HealthPath: "/readyz", ClientCA: s.authorities, RequestsPerFiveMinutes: requests,
		}
	}
	s.edge, err = edge.New(s.ctx, s.name, args, s.by())
	return err
}

func (s *stack) makeRecords() error {
	args := &dns.Args{Names: s.names, ZoneID: s.zone.ZoneID}
	add := func(name string, to *edge.Target) {
		args.Probes = append(args.Probes, dns.Probe{
			Name: name, Namespace: "Spine/Probes", Metric: "DeepProbe", Dimensions: map[string]string{"Environment": s.name, "Service": name},
			Failures: probeFailures, RunbookURL: probePage, AlarmTopicArn: s.alerts.ARN,
		})
		args.Records = append(args.Records, dns.Record{
			Name: name, Routing: dns.Weighted, Set: "first", Weight: wholeShare, DNSName: to.DNSName, ZoneID: to.ZoneID, Probe: name,
		})
	}
	add(messages, s.edge.Messaging)
	if s.hasBooking() {
		add(referrals, s.edge.Booking)
	}
	_, err := dns.New(s.ctx, s.name, args, s.by())
	return err
}

// makePods gives our manager what its adapters need: it moves the shares of names, and
// where patients are served it votes about which site serves them.
func (s *stack) makePods() error {
	manager := identity.Pod{Name: "manager", Namespace: "spine-system", ServiceAccount: "spine-manager", Statements: s.leads()}
	if s.serving() {
		manager.Statements = append(manager.Statements, s.votes()...)
	}
	var err error
	s.pods, err = identity.NewPods(s.ctx, s.name, &identity.PodsArgs{
		Names: s.names, ClusterName: pulumi.String(s.cluster.Name), Account: s.account, Pods: []identity.Pod{manager},
	}, s.by(), pulumi.DependsOn([]pulumi.Resource{s.cluster}))
	return err
}

// leads is the right to read the zone, and to change the weights of the services' names with the
// epoch that the traffic director keeps beside the first of them: nothing else in the zone, which
// also holds what proves the certificate. (Route 53 developer guide, "conditions".)
func (s *stack) leads() []identity.Statement {
	zone := []pulumi.StringInput{pulumi.Sprintf("arn:aws:route53:::hostedzone/%s", s.zone.ZoneID)}
	names := []string{"_epoch." + messages + "." + s.env.Edge.Domain, messages + "." + s.env.Edge.Domain}
	if s.hasBooking() {
		names = append(names, referrals+"."+s.env.Edge.Domain)
	}
	return []identity.Statement{
		{Actions: []string{"route53:ListResourceRecordSets"}, Resources: zone},
		{
			Actions: []string{"route53:ChangeResourceRecordSets"}, Resources: zone,
			Conditions: document.Conditions{"ForAllValues:StringEquals": {
				"route53:ChangeResourceRecordSetsNormalizedRecordNames": names,
				"route53:ChangeResourceRecordSetsRecordTypes":           {"A", "TXT"},
			}},
		},
	}
}

// votes is the right to read and write the one item that holds the vote about the environment's
// names. The table's key is used by reading and writing it, and no other way.
func (s *stack) votes() []identity.Statement {
	return []identity.Statement{
		{
			Actions: []string{"dynamodb:GetItem", "dynamodb:PutItem"}, Resources: []pulumi.StringInput{s.keys.WitnessTableARN},
			Conditions: document.Conditions{"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": {s.env.Edge.Domain}}},
		},
		{
			Actions: []string{"kms:Decrypt"}, Resources: []pulumi.StringInput{s.keys.ARN[keys.Patient]},
			Conditions: document.Conditions{"StringEquals": {"kms:ViaService": {"dynamodb." + string(s.env.Region) + ".amazonaws.com"}}},
		},
	}
}
