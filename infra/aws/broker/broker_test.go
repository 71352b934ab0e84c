// SPDX-License-Identifier: Apache-2.0

package broker

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/infra/aws/awstest"
	"spine.nhs.uk/controlplane/infra/naming"
)

const password = "a password nobody may see"

func arguments() *Args {
	return &Args{
		Names: naming.New("ers-test"), Protect: true, Version: "4.2", InstanceType: "mq.m7g.large",
		VPC: pulumi.String("vpc-1"), Subnets: pulumi.ToStringArray([]string{"subnet-a", "subnet-b", "subnet-c"}),
		Clients: []pulumi.StringInput{pulumi.String("sg-nodes")}, SecretsKey: pulumi.String("key-secrets"),
		Password: pulumi.ToSecret(pulumi.String(password)).(pulumi.StringOutput),
	}
}

func plan(t *testing.T, instances []resource.PropertyValue) awstest.Plan {
	t.Helper()
	got, err := awstest.Run(t, map[string]resource.PropertyMap{
		"aws:mq/broker:Broker": {"instances": resource.NewArrayProperty(instances)},
	}, func(ctx *pulumi.Context) error {
		b, err := New(ctx, "broker", arguments())
		if err != nil {
			return err
		}
		want := ""
		if len(instances) > 0 {
			want = "amqps://broker:5671"
		}
		b.Broker.Endpoint.ApplyT(func(got string) string {
			if got != want {
				t.Errorf("the endpoint is %q, want %q", got, want)
			}
			return got
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPlan(t *testing.T) {
	got := plan(t, []resource.PropertyValue{resource.NewObjectProperty(resource.PropertyMap{
		"endpoints": resource.NewArrayProperty([]resource.PropertyValue{resource.NewStringProperty("amqps://broker:5671")}),
	})})
	text := got.JSON()
	if strings.Contains(text, password) {
		t.Error("the password is in plain text")
	}
	golden.Assert(t, text, "plan.golden.json")
}

func TestNoInstancesYet(t *testing.T) { plan(t, nil) }

func TestValidate(t *testing.T) {
	err := (&Args{Version: "3", InstanceType: "mq.t3.micro"}).Validate()
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	golden.Assert(t, err.Error()+"\n", "wrong.golden")
	if err := arguments().Validate(); err != nil {
		t.Error(err)
	}
}
