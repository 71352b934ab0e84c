// SPDX-License-Identifier: Apache-2.0

package database

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

func kept() Args {
	a := sample("2Gi", "384Mi")
	a.Spec.Backup = &common.DatabaseBackup{
		Endpoint: "https://objects.test:9000", Bucket: "spine", Secret: common.LocalSecret{Name: "object-store"},
		Networks: []common.SiteNetwork{"10.0.0.9/32"}, RetentionDays: 30,
	}
	return a
}

func TestNothingIsKeptUnlessAsked(t *testing.T) {
	a := sample("2Gi", "384Mi")
	u := Cluster(a)
	if _, found, _ := unstructured.NestedMap(u.Object, "spec", "backup"); found || u.GetAnnotations()["cnpg.io/skipWalArchiving"] != "enabled" {
		t.Errorf("it archives, with nowhere to go to: %v", u.GetAnnotations())
	}
	if parameters(a)["archive_timeout"] != nil {
		t.Error("segments are closed early, with nowhere to go to")
	}
}

func TestBackup(t *testing.T) {
	a := kept()
	u := Cluster(a)
	path := []string{"spec", "backup", "barmanObjectStore"}
	for field, want := range map[string]string{
		"destinationPath": "s3://spine/ns", "serverName": "ers-db", "endpointURL": "https://objects.test:9000",
	} {
		if got, _, _ := unstructured.NestedString(u.Object, append(path, field)...); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	if got, _, _ := unstructured.NestedString(u.Object, "spec", "backup", "retentionPolicy"); got != "30d" {
		t.Errorf("kept for %q", got)
	}
	if key, _, _ := unstructured.NestedString(u.Object, append(path, "s3Credentials", "secretAccessKey", "key")...); key != "secret-key" {
		t.Errorf("the secret key is looked for under %q", key)
	}
	if len(u.GetAnnotations()) != 0 {
		t.Errorf("annotations %v: a new database must not write over what another has archived", u.GetAnnotations())
	}
	if parameters(a)["archive_timeout"] != "60s" {
		t.Error("what is written while little is may be in no archive for minutes")
	}
	s := Schedule(a)
	if name, _, _ := unstructured.NestedString(s.Object, "spec", "cluster", "name"); name != "ers-db" || s.GetName() != "ers-db" || s.GetKind() != "ScheduledBackup" {
		t.Errorf("schedule %v", s.Object)
	}
}

// A database that follows the other site is made anew by a copy, over an archive that is there.
func TestAFollowerGoesOnWithItsArchive(t *testing.T) {
	a := kept()
	a.Pair = NewPair(&east, common.SiteOrder{Role: common.SiteStandby}, false)
	if got := Cluster(a).GetAnnotations()["cnpg.io/skipEmptyWalArchiveCheck"]; got != "enabled" {
		t.Errorf("annotation %q", got)
	}
	a.Pair = NewPair(&east, common.SiteOrder{Role: common.SiteActive}, false)
	if got := Cluster(a).GetAnnotations(); len(got) != 0 {
		t.Errorf("annotations of a site that serves: %v", got)
	}
}

// A database that is there begins to archive once all of it runs the image that is asked for: what
// cannot archive cannot step down either.
func TestArchivingBeginsWithTheImage(t *testing.T) {
	live := func(change func(u *unstructured.Unstructured, status map[string]any)) *unstructured.Unstructured {
		u := Cluster(sample("2Gi", "384Mi"))
		status := map[string]any{
			"phase": string(PhaseHealthy), "instances": int64(3), "readyInstances": int64(3), "image": "r/postgresql:17",
			"currentPrimary": "ers-db-1", "targetPrimary": "ers-db-1",
			"instancesStatus": map[string]any{"healthy": []any{"ers-db-1", "ers-db-2", "ers-db-3"}},
		}
		change(u, status)
		u.Object["status"] = status
		return u
	}
	for name, c := range map[string]struct {
		live        *unstructured.Unstructured
		keeps, soon bool
	}{
		"it is made":         {nil, true, false},
		"it is whole":        {live(func(*unstructured.Unstructured, map[string]any) {}), true, false},
		"another image runs": {live(func(u *unstructured.Unstructured, s map[string]any) { s["image"] = "r/postgresql:16" }), false, false},
		"members change": {live(func(u *unstructured.Unstructured, s map[string]any) {
			s["readyInstances"], s["phase"] = int64(2), "Upgrading cluster"
		}), false, false},
		"it archives already": {live(func(u *unstructured.Unstructured, s map[string]any) {
			s["image"] = "r/postgresql:16"
			u.Object["spec"].(map[string]any)["backup"] = map[string]any{"retentionPolicy": "7d"}
		}), true, true},
	} {
		u := Cluster(kept())
		soon := KeepLater(u, c.live)
		_, keeps, _ := unstructured.NestedMap(u.Object, "spec", "backup")
		if skips := u.GetAnnotations()["cnpg.io/skipWalArchiving"] == "enabled"; keeps != c.keeps || skips == keeps || soon != c.soon {
			t.Errorf("%s: archives %t, skips %t, copied at night %t", name, keeps, skips, soon)
		}
	}
	if KeepLater(Cluster(sample("2Gi", "384Mi")), live(func(*unstructured.Unstructured, map[string]any) {})) {
		t.Error("a copy of what is kept nowhere")
	}
}

func TestObserveBackup(t *testing.T) {
	condition := func(kind, status, reason string) any {
		return map[string]any{"type": kind, "status": status, "reason": reason, "message": kind + " " + reason}
	}
	archiving := condition("ContinuousArchiving", "True", "ContinuousArchivingSuccess")
	for name, c := range map[string]struct {
		first      string
		conditions []any
		want       Backup
	}{
		"nothing said yet": {"", []any{condition("Ready", "True", "ClusterIsReady")}, Backup{}},
		"the first copy":   {"", []any{archiving, condition("LastBackupSucceeded", "False", "BackupStarted")}, Backup{Known: true}},
		"kept":             {"2026-11-22T02:00:00Z", []any{archiving, condition("LastBackupSucceeded", "True", "LastBackupSucceeded")}, Backup{Known: true, First: "2026-11-22T02:00:00Z"}},
		"the log is not":   {"", []any{condition("ContinuousArchiving", "False", "ContinuousArchivingFailing")}, Backup{Known: true, Failing: true, Detail: "ContinuousArchiving ContinuousArchivingFailing"}},
		"the copy is not":  {"", []any{archiving, condition("LastBackupSucceeded", "False", "LastBackupFailed")}, Backup{Known: true, Failing: true, Detail: "LastBackupSucceeded LastBackupFailed"}},
	} {
		u := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"conditions": c.conditions, "firstRecoverabilityPoint": c.first}}}
		if got := ObserveBackup(u); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
	if got := ObserveBackup(nil); got != (Backup{}) {
		t.Errorf("no Cluster: %+v", got)
	}
}

func TestStorePort(t *testing.T) {
	for endpoint, want := range map[string]int32{"https://a.test": 443, "https://a.test:9000": 9000, "https://a.test:0": 443} {
		if got := (common.DatabaseBackup{Endpoint: endpoint}).Port(); got != want {
			t.Errorf("%s: %d, want %d", endpoint, got, want)
		}
	}
}
