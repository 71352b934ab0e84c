// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

func archived(m *api.MessagingService) {
	m.Spec.Database.Backup = &common.DatabaseBackup{
		Endpoint: "https://objects.test:9000", Bucket: "spine", Secret: common.LocalSecret{Name: "object-store"},
		Networks: []common.SiteNetwork{"10.30.0.0/16"}, RetentionDays: 7,
	}
}

func text(t *testing.T, u *unstructured.Unstructured, path ...string) string {
	t.Helper()
	s, _, err := unstructured.NestedString(u.Object, path...)
	if err != nil {
		t.Error(err)
	}
	return s
}

// A copy reads what the ledger has archived, and writes its own log elsewhere: nothing of the one in
// use is touched.
func TestCopy(t *testing.T) {
	m := operatortest.Messaging("spine", archived)
	at := time.Date(2026, 11, 22, 14, 5, 0, 0, time.UTC)
	u := Copy{Name: "spine-db-a1b2c3", To: at}.Cluster(m)
	if got := text(t, u, "spec", "bootstrap", "recovery", "recoveryTarget", "targetTime"); got != "2026-11-22T14:05:00Z" {
		t.Errorf("restored to %q", got)
	}
	if got := text(t, u, "spec", "backup", "barmanObjectStore", "serverName"); got != "spine-db-a1b2c3" {
		t.Errorf("it archives as %q", got)
	}
	from, _, _ := unstructured.NestedSlice(u.Object, "spec", "externalClusters")
	if got := from[0].(map[string]any)["barmanObjectStore"].(map[string]any)["serverName"]; got != "spine-db" {
		t.Errorf("it comes from %v", got)
	}
	if _, empty, _ := unstructured.NestedMap(u.Object, "spec", "bootstrap", "initdb"); empty {
		t.Error("CloudNativePG takes one way of making a Cluster only")
	}
}

// The specification says nothing of how a restored ledger was made: what it is asked to be afterwards
// has to say the same, and of one that was never restored nothing changes.
func TestRestoredLedgerIsLeftAsItWasMade(t *testing.T) {
	m := operatortest.Messaging("spine", archived)
	live := Copy{Name: "spine-db-a1b2c3", To: time.Now()}.Cluster(m)
	m.Annotations = map[string]string{common.DatabaseAnnotation: "spine-db-a1b2c3"}
	want := DatabaseCluster(m)
	if want.GetName() != "spine-db-a1b2c3" {
		t.Fatalf("the service's ledger is %s", want.GetName())
	}
	database.KeepOrigin(want, live)
	if text(t, want, "spec", "bootstrap", "recovery", "source") != "origin" {
		t.Errorf("bootstrap %v", want.Object["spec"].(map[string]any)["bootstrap"])
	}
	if _, found, _ := unstructured.NestedSlice(want.Object, "spec", "externalClusters"); !found {
		t.Error("where it came from is left out")
	}
	first := DatabaseCluster(operatortest.Messaging("spine", archived))
	same := first.DeepCopy()
	database.KeepOrigin(same, first)
	database.KeepOrigin(same, nil)
	if _, made, _ := unstructured.NestedMap(same.Object, "spec", "bootstrap", "initdb"); !made {
		t.Error("the first ledger has lost how it is made")
	}
}

func TestHeldServiceRunsNoGateway(t *testing.T) {
	m := operatortest.Messaging("spine")
	m.Annotations = map[string]string{common.HeldAnnotation: "restore-database-spine-x1", common.ReplicasAnnotation: "4"}
	if n := GatewayReplicas(m); n != 0 {
		t.Errorf("%d replicas", n)
	}
}

// Only a Job that is told to carries anything over, and both ends are known by what is mounted.
func TestJobs(t *testing.T) {
	m := operatortest.Messaging("spine", archived)
	c := Copy{Name: "spine-db-a1b2c3", To: time.Date(2026, 11, 22, 14, 5, 0, 0, time.UTC)}
	names := map[string]bool{}
	for work, want := range map[Work][]string{Compare: nil, CarryAhead: {"--ahead"}, CarryOver: {"--carry"}} {
		job := c.Job(m, "r/message-gateway:1", work)
		got := slices.DeleteFunc(slices.Clone(job.Spec.Template.Spec.Containers[0].Args), func(arg string) bool { return arg != "--ahead" && arg != "--carry" })
		if !slices.Equal(got, want) {
			t.Errorf("%s is told %v, want %v", work, got, want)
		}
		names[job.Name] = true
	}
	if len(names) != 3 {
		t.Errorf("the Jobs are named %v", names)
	}
	carry := c.Job(m, "r/message-gateway:1", CarryOver)
	for name, want := range map[string]string{"from": "spine-db-app", "to": "spine-db-a1b2c3-app"} {
		for _, v := range carry.Spec.Template.Spec.Volumes {
			if v.Name == name && v.Projected.Sources[0].Secret.Name != want {
				t.Errorf("%s is %s", name, v.Projected.Sources[0].Secret.Name)
			}
		}
	}
}
