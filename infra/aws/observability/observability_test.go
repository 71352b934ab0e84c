// SPDX-License-Identifier: Apache-2.0

package observability

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/infra/aws/awstest"
	"spine.nhs.uk/controlplane/infra/naming"
)

func arguments() *Args {
	return &Args{
		Names: naming.New("ers-test"), Account: "111111111111", Region: "eu-west-2", Key: pulumi.String("key-logs"),
		Emails:   []string{"on-call@example.nhs.uk"},
		Database: &Database{ID: pulumi.String("ers-test-db"), Instances: 3},
		Broker:   &Broker{Name: pulumi.String("ers-test-broker")},
		Cluster: &Cluster{Groups: map[string]pulumi.StringOutput{
			"general-a": pulumi.String("asg-a").ToStringOutput(), "general-b": pulumi.String("asg-b").ToStringOutput(),
			"general-c": pulumi.String("asg-c").ToStringOutput(),
		}},
		Balancers: []Balancer{
			{Name: "booking", Suffix: pulumi.String("app/booking"), TargetGroup: pulumi.String("targetgroup/booking")},
			{Name: "messaging", Suffix: pulumi.String("net/messaging"), TargetGroup: pulumi.String("targetgroup/messaging"), Network: true},
		},
		Groups: []Group{{Name: "messaging/gateway", Days: 365}},
	}
}

func plan(t *testing.T, args *Args) (awstest.Plan, *Observability) {
	t.Helper()
	var made *Observability
	got, err := awstest.Run(t, nil, func(ctx *pulumi.Context) error {
		topic, err := NewTopic(ctx, "alerts", args)
		if err == nil {
			made, err = New(ctx, "observability", topic, args)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, made
}

func TestPlan(t *testing.T) {
	got, _ := plan(t, arguments())
	golden.Assert(t, got.JSON(), "plan.golden.json")
}

// The pages are looked for where people find them.
func TestEveryAlarmNamesAPage(t *testing.T) {
	got, made := plan(t, arguments())
	alarms := append(got.Of("aws:cloudwatch/metricAlarm:MetricAlarm"), got.Of("aws:cloudwatch/compositeAlarm:CompositeAlarm")...)
	if len(alarms) != len(made.Alarms) {
		t.Errorf("%d alarms are planned, and %d said", len(alarms), len(made.Alarms))
	}
	for _, a := range alarms {
		page := made.Alarms[a.Name]
		if !strings.Contains(a.Inputs["alarmDescription"].(string), "runbooks/"+page+".md") {
			t.Errorf("%s: its description does not name %q", a.Name, page)
		}
		if _, err := os.Stat(filepath.Join("..", "..", "..", "runbooks", page+".md")); page == "" || err != nil {
			t.Errorf("%s: there is no page %q", a.Name, page)
		}
		if a.Inputs["alarmActions"].([]any)[0] == nil {
			t.Errorf("%s tells nobody", a.Name)
		}
	}
}

func TestSilenceIsAnAlarmUnlessItSleeps(t *testing.T) {
	for sleeps, want := range map[bool]string{false: "breaching", true: "notBreaching"} {
		args := arguments()
		args.Sleeps = sleeps
		got, _ := plan(t, args)
		down := got.One(t, "aws:cloudwatch/metricAlarm:MetricAlarm", "ers-test-db-down")
		if down.Inputs["treatMissingData"] != want {
			t.Errorf("sleeps %v: got %v, want %s", sleeps, down.Inputs["treatMissingData"], want)
		}
	}
}

func TestStormOfTwoZones(t *testing.T) {
	got, _ := plan(t, arguments())
	rule := got.One(t, "aws:cloudwatch/compositeAlarm:CompositeAlarm", "ers-test-hosts-many").Inputs["alarmRule"]
	want := `(ALARM("ers-test-hosts-general-a") AND ALARM("ers-test-hosts-general-b")) OR ` +
		`(ALARM("ers-test-hosts-general-a") AND ALARM("ers-test-hosts-general-c")) OR ` +
		`(ALARM("ers-test-hosts-general-b") AND ALARM("ers-test-hosts-general-c"))`
	if rule != want {
		t.Errorf("got  %v\nwant %v", rule, want)
	}
}

func TestNothingToWatch(t *testing.T) {
	args := arguments()
	args.Database, args.Broker, args.Cluster, args.Balancers = nil, nil, nil, nil
	got, made := plan(t, args)
	if len(made.Alarms) != 0 || len(got.Of("aws:cloudwatch/dashboard:Dashboard")) != 0 {
		t.Errorf("got %v", made.Alarms)
	}
}

func TestValidate(t *testing.T) {
	err := (&Args{
		Emails: []string{"nobody"}, Database: &Database{}, Broker: &Broker{}, Cluster: &Cluster{},
		Balancers: []Balancer{{}, {}}, Groups: []Group{{Name: "Upper", Days: 7}},
	}).Validate()
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	golden.Assert(t, err.Error()+"\n", "wrong.golden")
	if err := arguments().Validate(); err != nil {
		t.Error(err)
	}
}
