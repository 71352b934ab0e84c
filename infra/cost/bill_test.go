// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// small is an environment with one of each that decides a bill.
func small() []Resource {
	of := func(kind string, properties map[string]any) Resource {
		return Resource{Type: kind, Region: "eu-west-2", Lookup: lookup(properties)}
	}
	group := map[string]any{"instanceTypes[0]": "m6i.xlarge", "scalingConfig.desiredSize": 2.0}
	member := map[string]any{"instanceClass": "db.r6g.2xlarge"}
	return []Resource{
		of(cluster, nil), of(machines, group), of(machines, group), of(machines, group), of(members, member), of(members, member), of(members, member),
		of(queues, map[string]any{"hostInstanceType": "mq.m5.large", "deploymentMode": "CLUSTER_MULTI_AZ"}),
		of("aws:kms/key:Key", nil), of("aws:iam/role:Role", nil), of("aws:new/thing:Thing", nil),
	}
}

func TestBill(t *testing.T) {
	got := Published().Bill(small())
	want := []ServiceCost{{"rds", 266523, 3}, {"eks", 7300 + 97236, 4}, {"mq", 73803, 1}, {"kms", 100, 1}}
	if !reflect.DeepEqual(got.Services, want) {
		t.Errorf("got  %v\nwant %v", got.Services, want)
	}
	if sum := want[0].Cents + want[1].Cents + want[2].Cents + want[3].Cents; got.Cents != sum {
		t.Errorf("the sum is %d, not %d", got.Cents, sum)
	}
	if len(got.Unknown) != 1 || !strings.Contains(got.Unknown[0], "aws:new/thing:Thing") {
		t.Errorf("unknown: %q", got.Unknown)
	}
	if len(got.Usage) == 0 {
		t.Error("what use adds is not said")
	}
	if six := Published().Running(got, 6); six != 3657 {
		t.Errorf("six hours cost %d", six)
	}
}

// What rests on a price that nobody has read is said: all of it in the sum, and none where a publication is the source.
func TestUncheckedIsSaid(t *testing.T) {
	book := Published()
	book.Sources["memory"], book.Unchecked = "somebody's", []string{"memory"}
	for i := range book.Prices {
		if p := &book.Prices[i]; p.Type == members {
			p.Source = "memory"
		} else {
			p.Source = "price-list"
		}
	}
	got := book.Bill(small())
	want := ServiceCost{}
	for _, s := range got.Services {
		if s.Service == "rds" {
			want = s
		}
	}
	if want.Cents == 0 || got.Unchecked != want.Cents {
		t.Errorf("%d of %d are said to be unchecked, and databases cost %d", got.Unchecked, got.Cents, want.Cents)
	}
	if light := book.Targets(small())[0].Bill; light.Unchecked != light.Cents-100 {
		t.Errorf("a pilot light's one member is not what is unchecked: %+v", light)
	}
}

// TestPublishedBook: each price stands alone under its conditions.
func TestPublishedBook(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Published().Prices {
		key := fmt.Sprint(p.Type, p.What, p.Where)
		if seen[key] {
			t.Errorf("%s has two prices for %s %v", p.Type, p.What, p.Where)
		}
		seen[key] = true
	}
}

// Each target costs more than the one before it, and the last as much as live.
func TestTargets(t *testing.T) {
	book := Published()
	got := book.Targets(small())
	want := map[string]int64{
		"pilot light":   88841 + 100,
		"warm standby":  2*88841 + 7300 + 3*10804 + 73803 + 100,
		"active-active": book.Bill(small()).Cents,
	}
	if len(got) != len(want) {
		t.Fatalf("%d targets", len(got))
	}
	for i, c := range got {
		if c.Bill.Cents != want[c.Name] {
			t.Errorf("%s costs %d, want %d", c.Name, c.Bill.Cents, want[c.Name])
		}
		if i > 0 && c.Bill.Cents <= got[i-1].Bill.Cents {
			t.Errorf("%s costs no more than %s", c.Name, got[i-1].Name)
		}
	}
}
