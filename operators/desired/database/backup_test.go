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
	if Schedule(a) != nil || parameters(a)["archive_timeout"] != nil {
		t.Error("copies are scheduled, with nowhere to go to")
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
