// SPDX-License-Identifier: Apache-2.0

package services

import (
	"maps"
	"slices"
	"testing"

	"spine.nhs.uk/controlplane/infra/component"
)

// elsewhere is an engine that somebody else runs.
func elsewhere() Engine {
	return Engine{Elsewhere: &Elsewhere{
		Host: "db.example", Port: 5432, Networks: []string{"10.0.0.0/24"}, Username: "owner", Password: "hidden", Authorities: "PEM",
		Kind: "Aurora", Database: "ers",
	}}
}

// TestEngines: an engine in the cluster needs its image, one elsewhere where it is and what
// it takes.
func TestEngines(t *testing.T) {
	images := component.Images{"postgresql:17": "r/postgresql:17@x"}
	spec, more, err := Engine{Store: Store{StorageGiB: 4, CPUMillis: 100, MemoryMiB: 640}}.object(images, "postgresql", "n", "database")
	if err != nil || len(more) != 0 || spec["image"] != "r/postgresql:17@x" || spec["endpoint"] != nil {
		t.Errorf("in the cluster: %v, %v, %v", spec, more, err)
	}
	if _, _, err := (Engine{}).object(component.Images{}, "postgresql", "n", "database"); err == nil {
		t.Error("an engine in the cluster without an image passes")
	}
	spec, more, err = elsewhere().object(component.Images{}, "postgresql", "n", "database")
	if err != nil || len(more) != 2 || len(spec) != 1 {
		t.Fatalf("elsewhere: %v, %v, %v", spec, more, err)
	}
	endpoint := spec["endpoint"].(map[string]any)
	if endpoint["engine"] != "Aurora" || endpoint["database"] != "ers" || endpoint["caConfigMap"] != "database-ca" {
		t.Errorf("the endpoint is %v", endpoint)
	}
	if secret := more[0]; secret["kind"] != "Secret" || secret["data"].(map[string]any)["password"] != "aGlkZGVu" {
		t.Errorf("the credentials are in %v", secret)
	}
	broker := elsewhere()
	broker.Elsewhere.Kind, broker.Elsewhere.Database = "", ""
	if spec, _, _ = broker.object(nil, "", "n", "broker"); spec["endpoint"].(map[string]any)["engine"] != nil {
		t.Errorf("a broker has an engine: %v", spec)
	}
}

// TestActivity: who does not ask for sleep leaves it to others, who then own the field.
func TestActivity(t *testing.T) {
	images := component.Images{"message-gateway:dev": "r/g@x", "booking-service:dev": "r/b@x"}
	for _, asleep := range []bool{false, true} {
		set, err := Set(&Messaging{Database: elsewhere(), Broker: elsewhere()}, &Booking{Database: elsewhere(), Asleep: asleep}, nil, images, nil)
		if err != nil {
			t.Fatal(err)
		}
		o := set.Objects["booking.ers.nhs.uk/v1alpha1/BookingService/spine-booking/ers"].(map[string]any)
		if got, said := o["spec"].(map[string]any)["activity"]; said != asleep || asleep && got != "Asleep" {
			t.Errorf("asleep %v: the resource says %v", asleep, got)
		}
	}
}

func TestServicesElsewhereNeedNoEngines(t *testing.T) {
	images := component.Images{"message-gateway:dev": "r/g@x", "booking-service:dev": "r/b@x"}
	set, err := Set(&Messaging{Database: elsewhere(), Broker: elsewhere(), NodePort: 30443}, &Booking{Database: elsewhere()}, nil, images, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"booking.ers.nhs.uk/v1alpha1/BookingService/spine-booking/ers", "messaging.spine.nhs.uk/v1alpha1/MessagingService/spine-messaging/spine",
		"v1/ConfigMap/spine-booking/database-ca", "v1/ConfigMap/spine-booking/ers-token-keys",
		"v1/ConfigMap/spine-messaging/broker-ca", "v1/ConfigMap/spine-messaging/database-ca",
		"v1/Secret/spine-booking/database", "v1/Secret/spine-messaging/broker", "v1/Secret/spine-messaging/database", "v1/Secret/spine-messaging/mailboxes",
	}
	if got := slices.Sorted(maps.Keys(set.Objects)); !slices.Equal(got, want) {
		t.Errorf("the objects are\n%v\nwant\n%v", got, want)
	}
}
