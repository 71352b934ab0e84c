// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/infra/aws/awstest"
	"spine.nhs.uk/controlplane/infra/naming"
)

func arguments() *Args {
	return &Args{
		Names: naming.New("ers-test"), Account: "111111111111", Region: "eu-west-2",
		MonthlyUSD: 1500, ServiceUSD: map[string]int{"database": 400, "cluster": 200}, AnomalyUSD: 50,
		Emails: []string{"costs@example.nhs.uk"}, Alerts: pulumi.String("topic"),
		Schedule: &Schedule{
			Sleep: "19:00", Wake: "07:05", Database: pulumi.String("ers-test-db"),
			Services: []NodeGroup{
				{Cluster: pulumi.String("ers-test"), Name: pulumi.String("edge"), Min: 1, Max: 2, Desired: 1},
				{Cluster: pulumi.String("ers-test"), Name: pulumi.String("broker"), Min: 3, Max: 4, Desired: 3},
			},
		},
	}
}

func plan(t *testing.T, args *Args) awstest.Plan {
	t.Helper()
	got, err := awstest.Run(t, nil, func(ctx *pulumi.Context) error {
		_, err := New(ctx, "finops", args)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPlan(t *testing.T) {
	golden.Assert(t, plan(t, arguments()).JSON(), "plan.golden.json")
}

// machine is what the test reads of a definition.
type machine struct {
	StartAt string
	States  map[string]struct {
		Type, Next, Default string
		Choices             []struct{ Next, StringEquals string }
		Catch               []struct{ Next string }
		Parameters          map[string]any
	}
}

// order walks through a sequence in which each part is at once as it should be.
func order(t *testing.T, m machine) []string {
	t.Helper()
	var asked []string
	for at := m.StartAt; ; {
		s, ok := m.States[at]
		if !ok {
			t.Fatalf("state %q does not exist", at)
		}
		switch s.Type {
		case "Succeed":
			return asked
		case "Choice":
			at = s.Choices[0].Next
			continue
		case "Task":
			if at[:4] == "Ask " {
				asked = append(asked, at[4:])
			}
		}
		at = s.Next
	}
}

func TestSleepAndWakeInOrder(t *testing.T) {
	got := plan(t, arguments())
	for name, want := range map[string][]string{
		"ers-test-sleep": {"edge", "broker", "ers-test-db"},
		"ers-test-wake":  {"ers-test-db", "broker", "edge"},
	} {
		var m machine
		text := got.One(t, "aws:sfn/stateMachine:StateMachine", name).Inputs["definition"].(string)
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		parts := order(t, m)
		if waits := m.States[m.StartAt].Type == "Wait"; waits != (name == "ers-test-sleep") {
			t.Errorf("%s begins with %s: programs are to fall asleep before machines go, and to wake with them", name, m.StartAt)
		}
		if len(parts) != len(want) {
			t.Fatalf("%s: got %v, want %v", name, parts, want)
		}
		for i := range want {
			if parts[i] != want[i] {
				t.Errorf("%s: got %v, want %v", name, parts, want)
			}
		}
		for name, s := range m.States {
			next := []string{s.Next, s.Default}
			for _, c := range s.Choices {
				next = append(next, c.Next)
			}
			for _, c := range s.Catch {
				next = append(next, c.Next)
			}
			for _, n := range next {
				if _, ok := m.States[n]; n != "" && !ok {
					t.Errorf("state %q goes to %q, which does not exist", name, n)
				}
			}
		}
	}
}

func TestWakeRestoresSizes(t *testing.T) {
	var m machine
	text := plan(t, arguments()).One(t, "aws:sfn/stateMachine:StateMachine", "ers-test-wake").Inputs["definition"].(string)
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	size := m.States["Ask broker"].Parameters["ScalingConfig"].(map[string]any)
	if size["MinSize"] != 3.0 || size["DesiredSize"] != 3.0 || size["MaxSize"] != 4.0 {
		t.Errorf("got %v", size)
	}
}

func TestCron(t *testing.T) {
	for at, want := range map[string]string{"19:00": "cron(0 19 ? * MON-FRI *)", "07:05": "cron(5 7 ? * MON-FRI *)"} {
		if got := cron(at); got != want {
			t.Errorf("%s: got %s, want %s", at, got, want)
		}
	}
}

func TestAlwaysAwake(t *testing.T) {
	args := arguments()
	args.Schedule, args.AnomalyUSD = nil, 0
	got := plan(t, args)
	if len(got) != len(got.Of("aws:budgets/budget:Budget")) || len(got) != 3 {
		t.Errorf("got %v", got)
	}
}

func TestValidate(t *testing.T) {
	err := (&Args{
		Live: true, ServiceUSD: map[string]int{"lambda": 0}, AnomalyUSD: -1,
		Schedule: &Schedule{Sleep: "7pm", Wake: "7pm", Services: []NodeGroup{{Min: 0, Max: 1, Desired: 2}}},
	}).Validate()
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	golden.Assert(t, err.Error()+"\n", "wrong.golden")
	if err := arguments().Validate(); err != nil {
		t.Error(err)
	}
}
