// SPDX-License-Identifier: Apache-2.0

package database

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/infra/aws/awstest"
	"spine.nhs.uk/controlplane/infra/naming"
)

func arguments() *Args {
	return &Args{
		Names: naming.New("ers-test"), Protect: true, Version: "16.8", InstanceClass: "db.r6g.large", Instances: 3, Database: "booking",
		Zones: []string{"eu-west-2a", "eu-west-2b", "eu-west-2c"},
		VPC:   pulumi.String("vpc-1"), Subnets: pulumi.ToStringArray([]string{"subnet-a", "subnet-b", "subnet-c"}),
		Clients:  []pulumi.StringInput{pulumi.String("sg-nodes")},
		Password: pulumi.ToSecret(pulumi.String("a-long-password")).(pulumi.StringOutput),
		Key:      pulumi.String("key-patient"), LogsKey: pulumi.String("key-logs"), SecretsKey: pulumi.String("key-secrets"), LogDays: 365,
	}
}

func plan(t *testing.T, args *Args) (awstest.Plan, *Database) {
	t.Helper()
	var made *Database
	got, err := awstest.Run(t, map[string]resource.PropertyMap{
		"aws:secretsmanager/secret:Secret": {"arn": resource.NewStringProperty("arn:secret")},
	}, func(ctx *pulumi.Context) (err error) {
		if made, err = New(ctx, "db", args); err == nil {
			ctx.Export("credentials", made.Database.Credentials)
			made.Database.Credentials.ApplyT(func(arn string) string {
				if arn != "arn:secret" {
					t.Errorf("the credentials are at %q", arn)
				}
				return arn
			})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, made
}

func TestPlan(t *testing.T) {
	got, made := plan(t, arguments())
	golden.Assert(t, got.JSON(), "plan.golden.json")
	if made.Database.Port != 5432 || made.Database.Database != "booking" || len(made.Instances) != 3 {
		t.Errorf("got %+v", made.Database)
	}
}

func TestInstancesAreSpreadOverZones(t *testing.T) {
	cases := map[string]struct {
		zones     []string
		instances int
		want      map[any]int
	}{
		"one in each":  {[]string{"a", "b", "c"}, 3, map[any]int{"a": 1, "b": 1, "c": 1}},
		"two zones":    {[]string{"a", "b"}, 3, map[any]int{"a": 2, "b": 1}},
		"one alone":    {[]string{"a", "b", "c"}, 1, map[any]int{"a": 1}},
		"two over six": {[]string{"a", "b", "c"}, 6, map[any]int{"a": 2, "b": 2, "c": 2}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			args := arguments()
			args.Zones, args.Instances = c.zones, c.instances
			plan, _ := plan(t, args)
			got := map[any]int{}
			for _, i := range plan.Of("aws:rds/clusterInstance:ClusterInstance") {
				got[i.Inputs["availabilityZone"]]++
			}
			if len(got) != len(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			for zone, n := range c.want {
				if got[zone] != n {
					t.Errorf("got %v, want %v", got, c.want)
				}
			}
		})
	}
}

func TestNoStatementsInLogs(t *testing.T) {
	plan, _ := plan(t, arguments())
	list := plan.One(t, "aws:rds/clusterParameterGroup:ClusterParameterGroup", "ers-test-db-aurora-postgresql16").Inputs["parameters"].([]any)
	got := map[any]any{}
	for _, p := range list {
		got[p.(map[string]any)["name"]] = p.(map[string]any)["value"]
	}
	for name, want := range map[string]string{"rds.force_ssl": "1", "log_parameter_max_length_on_error": "0", "log_min_error_statement": "panic", "log_statement": "ddl"} {
		if got[name] != want {
			t.Errorf("%s is %v, want %s", name, got[name], want)
		}
	}
}

func TestDeletable(t *testing.T) {
	args := arguments()
	args.Deletable = true
	plan, _ := plan(t, args)
	c := plan.One(t, "aws:rds/cluster:Cluster", "ers-test-db").Inputs
	if c["deletionProtection"] != false || c["skipFinalSnapshot"] != false {
		t.Errorf("deletionProtection %v, skipFinalSnapshot %v: protection goes, the last snapshot does not", c["deletionProtection"], c["skipFinalSnapshot"])
	}
}

func TestValidate(t *testing.T) {
	err := (&Args{Version: "16", InstanceClass: "large", Instances: 16, Database: "1st", LogDays: 30}).Validate()
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	golden.Assert(t, err.Error()+"\n", "wrong.golden")
	if err := arguments().Validate(); err != nil {
		t.Error(err)
	}
}
