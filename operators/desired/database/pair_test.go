// SPDX-License-Identifier: Apache-2.0

package database

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"gotest.tools/v3/golden"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

var east = common.SiteSpec{
	Name: "east", Role: common.RoleActive, Networks: []common.SiteNetwork{"10.93.0.0/24"}, DatabasePort: 5433, OpsPort: 9443,
	Peer: common.PeerSpec{Name: "west", Networks: []common.SiteNetwork{"10.94.0.0/24"}, DatabaseHost: "edge.west.example", DatabasePort: 5434},
}

func paired(order common.SiteOrder, bothSites bool) *unstructured.Unstructured {
	a := sample("2Gi", "384Mi")
	a.Pair = NewPair(&east, order, bothSites)
	return Cluster(a)
}

// What a Cluster is told of the other site, in each role; everything else is as without one.
func TestPair(t *testing.T) {
	for name, c := range map[string]struct {
		order     common.SiteOrder
		bothSites bool
	}{
		"active":      {common.SiteOrder{Role: common.SiteActive, Epoch: 1}, false},
		"both-sites":  {common.SiteOrder{Role: common.SiteActive, Epoch: 1}, true},
		"alone":       {common.SiteOrder{Role: common.SiteActive, Epoch: 2, Alone: true}, true},
		"quiesced":    {common.SiteOrder{Role: common.SiteQuiesced, Epoch: 1}, true},
		"standby":     {common.SiteOrder{Role: common.SiteStandby, Epoch: 1, PromotionToken: "left over"}, true},
		"handed-over": {common.SiteOrder{Role: common.SiteActive, Epoch: 3, PromotionToken: "of the west"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			spec := paired(c.order, c.bothSites).Object["spec"].(map[string]any)
			shown := map[string]any{"synchronous": spec["postgresql"].(map[string]any)["synchronous"]}
			for _, key := range []string{"bootstrap", "certificates", "externalClusters", "managed", "replica"} {
				shown[key] = spec[key]
			}
			text, err := yaml.Marshal(shown)
			if err != nil {
				t.Fatal(err)
			}
			golden.Assert(t, string(text), "pair-"+name+".yaml")
		})
	}
}

// Two names of which two must answer: neither site's word is enough. One more name would be
// a way past the other site.
func TestBothSitesMeansBoth(t *testing.T) {
	s := synchronous(NewPair(&east, common.SiteOrder{Role: common.SiteActive}, true))
	pre := s["standbyNamesPre"].([]any)
	if listed := int64(len(pre)) + s["maxStandbyNamesFromCluster"].(int64); listed != s["number"] || len(pre) != 1 || s["dataDurability"] != "required" {
		t.Errorf("%d of %d names have to answer: %v", s["number"], listed, s)
	}
}

func live(u *unstructured.Unstructured, status map[string]any) *unstructured.Unstructured {
	u = u.DeepCopy()
	u.Object["status"] = status
	return u
}

func TestSteppingDown(t *testing.T) {
	active, standby := common.SiteOrder{Role: common.SiteActive}, common.SiteOrder{Role: common.SiteStandby}
	was := live(paired(active, false), map[string]any{"demotionToken": "of before"})
	told := paired(standby, false)
	if Obeys(told, was) {
		t.Error("a primary obeys the order to follow")
	}
	Remember(told, was)
	for name, c := range map[string]struct {
		status map[string]any
		want   bool
	}{
		"told just now":         {map[string]any{"demotionToken": "of before"}, false},
		"on its way":            {map[string]any{"demotionToken": "of before", "switchReplicaClusterStatus": map[string]any{"inProgress": true}}, false},
		"its token is new":      {map[string]any{"demotionToken": "of now"}, true},
		"new, and not finished": {map[string]any{"demotionToken": "of now", "switchReplicaClusterStatus": map[string]any{"inProgress": true}}, false},
	} {
		if got := Follows(live(told, c.status)); got != c.want {
			t.Errorf("%s: follows %t", name, got)
		}
	}
	// Told again, it is still the token from before that counts.
	again := paired(standby, false)
	Remember(again, live(told, map[string]any{"demotionToken": "of now"}))
	if !Follows(live(again, map[string]any{"demotionToken": "of now"})) || !Obeys(again, told) {
		t.Error("a follower forgets that it stepped down")
	}
	first := live(paired(active, false), nil)
	never := paired(standby, false)
	Remember(never, first)
	if Follows(live(never, nil)) {
		t.Error("a first primary follows before it stepped down")
	}
	if !Follows(live(paired(standby, false), nil)) {
		t.Error("one that was made as a follower does not follow")
	}
}

func TestWritable(t *testing.T) {
	well := map[string]any{
		"phase": string(PhaseHealthy), "readyInstances": int64(3), "currentPrimary": "x", "targetPrimary": "x", "lastPromotionToken": "of the west",
		"instancesStatus": map[string]any{"healthy": []any{"x"}},
	}
	for name, c := range map[string]struct {
		order common.SiteOrder
		want  bool
	}{
		"a primary":                   {common.SiteOrder{Role: common.SiteActive}, true},
		"a follower":                  {common.SiteOrder{Role: common.SiteStandby}, false},
		"promoted by this token":      {common.SiteOrder{Role: common.SiteActive, PromotionToken: "of the west"}, true},
		"promoted by another, before": {common.SiteOrder{Role: common.SiteActive, PromotionToken: "newer"}, false},
	} {
		if got := Writable(live(paired(c.order, false), well)); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestCertificatesOfTwoSites(t *testing.T) {
	for _, c := range Certificates("x-db", "spine-ca", metav1.ObjectMeta{Namespace: "ns", Labels: map[string]string{}}, []string{"192.0.2.1", "edge.east.example"}) {
		labels, _, _ := unstructured.NestedStringMap(c.Object, "spec", "secretTemplate", "labels")
		if _, ok := labels[reloadLabel]; !ok {
			t.Errorf("%s: a renewed certificate would not be noticed: %v", c.GetName(), labels)
		}
		names, _, _ := unstructured.NestedStringSlice(c.Object, "spec", "dnsNames")
		addresses, _, _ := unstructured.NestedStringSlice(c.Object, "spec", "ipAddresses")
		name, _, _ := unstructured.NestedString(c.Object, "spec", "commonName")
		switch c.GetName() {
		case "x-db-server":
			if all := strings.Join(append(names, addresses...), " "); !strings.Contains(all, "x-db-rw.ns.svc ") || !strings.HasSuffix(all, "edge.east.example 192.0.2.1") {
				t.Errorf("the server's names: %s", all)
			}
		case "x-db-replicas":
			if name != replicationUser {
				t.Errorf("replicas call themselves %q", name)
			}
		default:
			t.Errorf("what is %s for?", c.GetName())
		}
	}
}

// CloudNativePG reaches the other site by pgx before it copies, which hands what it does not know to the server as a
// setting: the server refuses the connection for a setting that it has not.
func TestPeerIsReachedByEitherLibrary(t *testing.T) {
	parameters := NewPair(&east, common.SiteOrder{Role: common.SiteStandby}, false).peer(sample("2Gi", "384Mi"))["connectionParameters"].(map[string]any)
	var words []string
	for name, value := range parameters {
		if name != "sslmode" { // it would look for the certificates' files
			words = append(words, fmt.Sprintf("%s='%s'", name, value))
		}
	}
	parsed, err := pgconn.ParseConfig(strings.Join(words, " "))
	if err != nil {
		t.Fatal(err)
	}
	for name := range parsed.RuntimeParams {
		if name != "application_name" && name != "tcp_user_timeout" { // which the server has
			t.Errorf("%s would be taken for a setting of the server", name)
		}
	}
}
