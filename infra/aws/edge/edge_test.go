// SPDX-License-Identifier: Apache-2.0

package edge_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/awstest"
	"spine.nhs.uk/controlplane/infra/aws/edge"
	"spine.nhs.uk/controlplane/infra/aws/network"
	"spine.nhs.uk/controlplane/infra/naming"
)

const account = "111122223333"

func args(t *testing.T) *edge.Args {
	return &edge.Args{
		Names: naming.New("ers-test"), Account: account, NodeSecurityGroup: pulumi.String("sg-nodes"),
		Groups:    map[string]pulumi.StringOutput{"apps-a": pulumi.String("eks-a").ToStringOutput(), "apps-b": pulumi.String("eks-b").ToStringOutput()},
		Messaging: &edge.Messaging{TargetPort: 30443},
		Booking: &edge.Booking{
			CertificateArn: pulumi.String("arn:certificate"), TargetPort: 30445, HealthPath: "/readyz",
			ClientCA: certificate(t, true), RequestsPerFiveMinutes: 10000,
		},
		Shield: true, LogKeyArn: pulumi.String("arn:key"), LogDays: 365, Protect: true,
	}
}

// certificate is the PEM of a new certificate.
func certificate(t *testing.T, authority bool) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: authority, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func plan(t *testing.T, change func(*edge.Args)) awstest.Plan {
	t.Helper()
	p, err := awstest.Run(t, nil, func(ctx *pulumi.Context) error {
		n, err := network.New(ctx, "net", &network.Args{
			Names: naming.New("net"), Account: account, CIDR: "10.64.0.0/16", EgressZones: 1, LogKeyArn: pulumi.String("arn:key"), LogDays: 365,
		})
		if err != nil {
			return err
		}
		a := args(t)
		a.Network = n
		if change != nil {
			change(a)
		}
		_, err = edge.New(ctx, "ers-test", a)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPorts holds that clients reach the services' ports at the balancers and nothing
// else, and balancers the nodes at the targets' ports.
func TestPorts(t *testing.T) {
	var in []string
	for _, r := range plan(t, nil).Of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule") {
		if !strings.HasPrefix(r.Name, "net-") {
			in = append(in, fmt.Sprintf("%v %v%v:%v-%v", r.Inputs["securityGroupId"], text(r.Inputs["cidrIpv4"]), text(r.Inputs["referencedSecurityGroupId"]), r.Inputs["fromPort"], r.Inputs["toPort"]))
		}
	}
	want := []string{
		"ers-test-edge-booking 0.0.0.0/0:443-443", "ers-test-edge-booking 0.0.0.0/0:8443-8443", "ers-test-edge-messaging 0.0.0.0/0:443-443",
		"sg-nodes ers-test-edge-booking:30445-30445", "sg-nodes ers-test-edge-messaging:30443-30443",
	}
	if strings.Join(in, "\n") != strings.Join(want, "\n") {
		t.Errorf("let in are\n%s", strings.Join(in, "\n"))
	}
	for _, r := range plan(t, func(a *edge.Args) { a.Internal = true }).Of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule") {
		if r.Inputs["cidrIpv4"] == "0.0.0.0/0" {
			t.Errorf("an internal edge lets everybody in by %s", r.Name)
		}
	}
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func TestBalancers(t *testing.T) {
	p := plan(t, nil)
	for _, b := range p.Of("aws:lb/loadBalancer:LoadBalancer") {
		logs := b.Inputs["accessLogs"].(map[string]any)
		if b.Inputs["enableDeletionProtection"] != true || logs["enabled"] != true || fmt.Sprint(b.Inputs["subnets"]) != "[net-edge-a net-edge-b net-edge-c]" {
			t.Errorf("balancer %s: %v", b.Name, b.Inputs)
		}
	}
	for _, b := range plan(t, func(a *edge.Args) { a.Deletable = true }).Of("aws:lb/loadBalancer:LoadBalancer") {
		if b.Inputs["enableDeletionProtection"] != false {
			t.Errorf("balancer %s cannot be deleted before the environment is", b.Name)
		}
	}
	messages := p.One(t, "aws:lb/listener:Listener", "ers-test-messaging")
	if messages.Inputs["protocol"] != "TCP" || messages.Inputs["certificateArn"] != nil {
		t.Errorf("TLS of messages is opened: %v", messages.Inputs)
	}
	browsers, systems := p.One(t, "aws:lb/listener:Listener", "ers-test-booking"), p.One(t, "aws:lb/listener:Listener", "ers-test-systems")
	for _, l := range []awstest.Planned{browsers, systems} {
		if l.Inputs["protocol"] != "HTTPS" || !strings.HasPrefix(text(l.Inputs["sslPolicy"]), "ELBSecurityPolicy-TLS13-1-2-") {
			t.Errorf("listener %s takes %v with %v", l.Name, l.Inputs["protocol"], l.Inputs["sslPolicy"])
		}
	}
	if m, _ := systems.Inputs["mutualAuthentication"].(map[string]any); m["mode"] != "verify" || browsers.Inputs["mutualAuthentication"] != nil {
		t.Errorf("systems are asked for a certificate by %v, browsers by %v", m, browsers.Inputs["mutualAuthentication"])
	}
	if n := len(p.Of("aws:autoscaling/attachment:Attachment")); n != 4 {
		t.Errorf("%d groups of machines answer, of 2 for each of 2 ways", n)
	}
	if n := len(p.Of("aws:shield/protection:Protection")); n != 2 {
		t.Errorf("%d balancers are shielded", n)
	}
}

func TestFirewall(t *testing.T) {
	p := plan(t, nil)
	list := p.One(t, "aws:wafv2/webAcl:WebAcl", "ers-test-booking")
	rules := list.Inputs["rules"].([]any)
	if len(rules) != 6 || list.Inputs["scope"] != "REGIONAL" {
		t.Errorf("the firewall has %d rules for %v", len(rules), list.Inputs["scope"])
	}
	for i, r := range rules {
		rule := r.(map[string]any)
		if rule["priority"] != float64(i) || rule["visibilityConfig"].(map[string]any)["sampledRequestsEnabled"] != false {
			t.Errorf("rule %d is %v", i, rule)
		}
	}
	log := p.One(t, "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", "ers-test-booking")
	for _, hidden := range []string{"queryString", "authorization", "cookie"} {
		if !strings.Contains(fmt.Sprint(log.Inputs["redactedFields"]), hidden) {
			t.Errorf("%s is logged", hidden)
		}
	}
	if g := p.One(t, "aws:cloudwatch/logGroup:LogGroup", "ers-test-firewall"); !strings.HasPrefix(text(g.Inputs["name"]), "aws-waf-logs-") {
		t.Errorf("the firewall cannot write to %v", g.Inputs["name"])
	}
	p.One(t, "aws:wafv2/webAclAssociation:WebAclAssociation", "ers-test-booking")
}

func TestOneWayOnly(t *testing.T) {
	p := plan(t, func(a *edge.Args) { a.Booking = nil })
	if len(p.Of("aws:lb/loadBalancer:LoadBalancer")) != 1 || len(p.Of("aws:wafv2/webAcl:WebAcl")) != 0 {
		t.Error("messages alone need one balancer and no firewall")
	}
	p = plan(t, func(a *edge.Args) { a.Messaging, a.Booking.ClientCA = nil, "" })
	if len(p.Of("aws:lb/listener:Listener")) != 1 || len(p.Of("aws:lb/trustStore:TrustStore")) != 0 {
		t.Error("without authorities there is one listener and no trust store")
	}
}

func TestBucket(t *testing.T) {
	p := plan(t, nil)
	if b := p.One(t, "aws:s3/bucketV2:BucketV2", "ers-test-edge"); b.Inputs["forceDestroy"] != false || !b.Protect || b.Inputs["bucket"] != "ers-test-edge-"+account {
		t.Errorf("the bucket is %v, protected: %v", b.Inputs, b.Protect)
	}
	policy := text(p.One(t, "aws:s3/bucketPolicy:BucketPolicy", "ers-test-edge").Inputs["policy"])
	if !strings.Contains(policy, "aws:SecureTransport") || !strings.Contains(policy, "logdelivery.elasticloadbalancing.amazonaws.com") {
		t.Errorf("the bucket's policy is %s", policy)
	}
}

func TestValidate(t *testing.T) {
	bad := &edge.Args{
		Names: naming.New(strings.Repeat("x", 25)), Account: "1", Messaging: &edge.Messaging{TargetPort: 80}, LogDays: 1,
		Booking: &edge.Booking{HealthPath: "readyz", ClientCA: certificate(t, false), RequestsPerFiveMinutes: 1},
	}
	err := bad.Validate()
	for _, field := range []string{
		"names:", "account:", "network:", "nodeSecurityGroup:", "groups:", "messaging.targetPort:", "booking.certificateArn:",
		"booking.targetPort:", "booking.healthPath:", "booking.clientCA:", "booking.requestsPerFiveMinutes:", "logKeyArn:", "logDays:",
	} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not named in: %v", field, err)
		}
	}
	if err := (&edge.Args{}).Validate(); err == nil || !strings.Contains(err.Error(), "messaging: and booking") {
		t.Errorf("an edge for nothing is taken: %v", err)
	}
}

// FuzzClientCA looks for text that breaks the check of authorities.
func FuzzClientCA(f *testing.F) {
	f.Add("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	f.Add("no PEM")
	f.Fuzz(func(t *testing.T, text string) {
		a := &edge.Args{Booking: &edge.Booking{ClientCA: text}}
		if a.Validate() == nil {
			t.Error("arguments without an account are taken")
		}
	})
}
