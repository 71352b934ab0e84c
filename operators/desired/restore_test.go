// SPDX-License-Identifier: Apache-2.0

package desired_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gotest.tools/v3/golden"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/desired/restore"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

// copies are those that RestoreDatabase makes, of either kind of service.
func copies() map[string]restore.Copy {
	at := time.Date(2026, 11, 22, 14, 5, 0, 0, time.UTC)
	m := operatortest.Messaging("spine")
	m.Spec.Database.Backup = bookingService().Spec.Database.Backup
	return map[string]restore.Copy{
		"messaging": {Of: messaging.Restorable(m), Name: "spine-db-a1b2c3", To: at},
		"booking":   {Of: booking.Restorable(bookingService()), Name: "ers-db-a1b2c3", To: at},
	}
}

// What RestoreDatabase makes beside a service, in full, but for the Cluster's parameters, which are
// those of the one in use. -update rewrites it.
func TestRestore(t *testing.T) {
	for kind, c := range copies() {
		cluster := c.Cluster()
		unstructured.RemoveNestedField(cluster.Object, "spec", "postgresql", "parameters")
		objects := []client.Object{cluster}
		for _, p := range c.NetworkPolicies() {
			objects = append(objects, p)
		}
		objects = append(objects, c.Job("r/program:1", restore.CarryOver))
		var text []string
		for _, o := range objects {
			raw, err := yaml.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, string(raw))
		}
		golden.Assert(t, strings.Join(text, "---\n"), "restore-"+kind+".yaml")
	}
}

// A copy reads what the database in use has archived, and writes its own log elsewhere: nothing of
// the one in use is touched.
func TestCopy(t *testing.T) {
	for kind, c := range copies() {
		u := c.Cluster()
		text := func(path ...string) string {
			s, _, err := unstructured.NestedString(u.Object, path...)
			if err != nil {
				t.Error(err)
			}
			return s
		}
		if got := text("spec", "bootstrap", "recovery", "recoveryTarget", "targetTime"); got != "2026-11-22T14:05:00Z" {
			t.Errorf("%s: restored to %q", kind, got)
		}
		if got := text("spec", "backup", "barmanObjectStore", "serverName"); got != c.Name {
			t.Errorf("%s: it archives as %q", kind, got)
		}
		from, _, _ := unstructured.NestedSlice(u.Object, "spec", "externalClusters")
		if got := from[0].(map[string]any)["barmanObjectStore"].(map[string]any)["serverName"]; got != c.Of.Database.Name {
			t.Errorf("%s: it comes from %v", kind, got)
		}
		if _, empty, _ := unstructured.NestedMap(u.Object, "spec", "bootstrap", "initdb"); empty {
			t.Errorf("%s: CloudNativePG takes one way of making a Cluster only", kind)
		}
	}
}

// The specification says nothing of how a restored database was made: what it is asked to be
// afterwards has to say the same, and of one that was never restored nothing changes.
func TestRestoredDatabaseIsLeftAsItWasMade(t *testing.T) {
	all := copies()
	m, b := operatortest.Messaging("spine"), bookingService()
	first := map[string]*unstructured.Unstructured{"messaging": messaging.DatabaseCluster(m), "booking": booking.Database(b)}
	m.Annotations = map[string]string{common.DatabaseAnnotation: all["messaging"].Name}
	b.Annotations = map[string]string{common.DatabaseAnnotation: all["booking"].Name}
	for kind, want := range map[string]*unstructured.Unstructured{"messaging": messaging.DatabaseCluster(m), "booking": booking.Database(b)} {
		if want.GetName() != all[kind].Name {
			t.Errorf("%s: the service's database is %s", kind, want.GetName())
		}
		database.KeepOrigin(want, all[kind].Cluster())
		if source, _, _ := unstructured.NestedString(want.Object, "spec", "bootstrap", "recovery", "source"); source != "origin" {
			t.Errorf("%s: bootstrap %v", kind, want.Object["spec"].(map[string]any)["bootstrap"])
		}
		if _, found, _ := unstructured.NestedSlice(want.Object, "spec", "externalClusters"); !found {
			t.Errorf("%s: where it came from is left out", kind)
		}
		same := first[kind].DeepCopy()
		database.KeepOrigin(same, first[kind])
		database.KeepOrigin(same, nil)
		if _, made, _ := unstructured.NestedMap(same.Object, "spec", "bootstrap", "initdb"); !made {
			t.Errorf("%s: the first database has lost how it is made", kind)
		}
	}
}

func TestHeldServiceRunsNoProgram(t *testing.T) {
	held := map[string]string{common.HeldAnnotation: "restore-database-x1", common.ReplicasAnnotation: "4"}
	m, b := messagingService(), bookingService()
	m.Annotations, b.Annotations = held, held
	if gateways, bookings := messaging.GatewayReplicas(m), booking.Replicas(b); gateways != 0 || bookings != 0 {
		t.Errorf("%d gateways, %d replicas of bookings", gateways, bookings)
	}
}

// Only a Job that is told to carries anything over, and both ends are known by what is mounted.
func TestJobs(t *testing.T) {
	for kind, c := range copies() {
		names := map[string]bool{}
		for work, want := range map[restore.Work][]string{restore.Compare: nil, restore.CarryAhead: {"--ahead"}, restore.CarryOver: {"--carry"}} {
			job := c.Job("r/program:1", work)
			got := slices.DeleteFunc(slices.Clone(job.Spec.Template.Spec.Containers[0].Args), func(arg string) bool { return arg != "--ahead" && arg != "--carry" })
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s is told %v, want %v", kind, work, got, want)
			}
			names[job.Name] = true
		}
		if len(names) != 3 {
			t.Errorf("%s: the Jobs are named %v", kind, names)
		}
		carry := c.Job("r/program:1", restore.CarryOver)
		for name, want := range map[string]string{"from": c.Of.Database.Name + "-app", "to": c.Name + "-app"} {
			for _, v := range carry.Spec.Template.Spec.Volumes {
				if v.Name == name && v.Projected.Sources[0].Secret.Name != want {
					t.Errorf("%s: %s is %s", kind, name, v.Projected.Sources[0].Secret.Name)
				}
			}
		}
	}
}
