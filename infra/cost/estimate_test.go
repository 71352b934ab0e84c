// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"strings"
	"testing"
)

func lookup(properties map[string]any) func(string) (any, bool) {
	return func(path string) (any, bool) {
		v, ok := properties[path]
		return v, ok
	}
}

func TestEstimate(t *testing.T) {
	tests := map[string]struct {
		resource Resource
		cents    int64
		unknown  string
		usage    string
	}{
		"by the hour": {Resource{Type: "aws:eks/cluster:Cluster", Region: "eu-west-2", Lookup: lookup(nil)}, 7300, "", ""},
		"by size": {Resource{Type: "aws:ebs/volume:Volume", Lookup: lookup(map[string]any{"type": "gp3", "size": 100.0})},
			928, "", ""},
		"by number": {Resource{Type: "aws:eks/nodeGroup:NodeGroup",
			Lookup: lookup(map[string]any{"instanceTypes[0]": "t3.medium", "scalingConfig.desiredSize": 3.0})}, 10337, "", ""},
		"a list is counted": {Resource{Type: "aws:ec2/vpcEndpoint:VpcEndpoint",
			Lookup: lookup(map[string]any{"vpcEndpointType": "Interface", "subnetIds": []any{"a", "b", "c"}})}, 2409, "", "0.01 per GB"},
		"by use":            {Resource{Type: "aws:s3/bucketV2:BucketV2", Lookup: lookup(nil)}, 0, "", "0.024 per GB"},
		"free":              {Resource{Type: "aws:iam/role:Role", Lookup: lookup(nil)}, 0, "", ""},
		"a type not priced": {Resource{Type: "spine:baremetal:Host", Lookup: lookup(nil)}, 0, "no price for spine:baremetal:Host", ""},
		"a size not priced": {Resource{Type: "aws:ec2/instance:Instance", Lookup: lookup(map[string]any{"instanceType": "m9i.large"})},
			0, "no price for its machine (instanceType m9i.large)", ""},
		"another region":       {Resource{Type: "aws:eks/cluster:Cluster", Region: "eu-west-1", Lookup: lookup(nil)}, 0, "not of eu-west-1", ""},
		"a size not yet known": {Resource{Type: "aws:ebs/volume:Volume", Lookup: lookup(map[string]any{"type": "gp3"})}, 0, "size is not known", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Published().Estimate(test.resource)
			if got.Cents != test.cents || !strings.Contains(got.Unknown, test.unknown) || (got.Unknown == "") != (test.unknown == "") ||
				!strings.Contains(strings.Join(got.Usage, ";"), test.usage) {
				t.Errorf("got %+v, want %d cents, unknown %q, usage %q", got, test.cents, test.unknown, test.usage)
			}
		})
	}
}

// Half a price would mislead: what lacks one line of its bill is unknown as a whole.
func TestUnknownLineMakesUnknown(t *testing.T) {
	book := Published()
	book.Prices = append(book.Prices, Price{Type: "aws:eks/cluster:Cluster", What: "extended support", Where: map[string]string{"version": "1.1"}, Unit: Hour, Price: 1})
	if got := book.Estimate(Resource{Type: "aws:eks/cluster:Cluster", Lookup: lookup(nil)}); got.Unknown == "" || got.Cents != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestParse(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"not JSON":    {"x", []string{"price book:"}},
		"unknown key": {`{"dates": "x"}`, []string{"dates"}},
		"everything at once": {`{"date": "x", "currency": "pounds", "hoursPerMonth": 1, "unchecked": ["x"], "prices": [{"type": "a", "unit": "week", "price": -1}]}`,
			[]string{"date is", "currency is", "hoursPerMonth is", `unchecked: "x"`, "what are required", `unit is "week"`, "price is -1", `source ""`, "published is"}},
		"a price by usage has no figure": {`{"date": "2026-10-05", "currency": "USD", "hoursPerMonth": 730, "sources": {"a": "b"}, "prices": [{"type": "a", "what": "b", "unit": "usage", "price": 1, "source": "a", "published": "2026-10-05"}]}`,
			[]string{"by usage"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(test.text))
			if err == nil {
				t.Fatal("parsed")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(published)
	f.Add([]byte(`{"prices": [{"where": {"a": "b"}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		book, err := Parse(text)
		if err != nil {
			return
		}
		for _, p := range book.Prices {
			if got := book.Estimate(Resource{Type: p.Type, Lookup: lookup(nil)}); got.Cents < 0 {
				t.Errorf("%+v: %d cents", p, got.Cents)
			}
		}
	})
}
