// SPDX-License-Identifier: Apache-2.0

package services

import (
	"maps"
	"reflect"
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

// archived is a database of the cluster whose store is at the site.
func archived() Engine {
	return Engine{Backup: &Backup{
		Endpoint: "https://10.0.0.1:9000", Bucket: "spine", Networks: []string{"10.0.0.1/32"}, RetentionDays: 7,
		AccessKey: "key", SecretKey: "hidden", Authorities: "PEM",
	}}
}

// TestBackups: each database is archived with a Secret of its own namespace, at each of two sites
// as well; the broker is not, and nothing is made for databases without.
func TestBackups(t *testing.T) {
	images := component.Images{"message-gateway:dev": "r/g@x", "booking-service:dev": "r/b@x", "postgresql:17": "r/p@x", "rabbitmq:4": "r/m@x"}
	for name, c := range map[string]struct {
		database Engine
		pair     *Pair
		wanted   bool
	}{
		"archived":  {archived(), nil, true},
		"of a pair": {archived(), &Pair{Site: "east", Role: "Active"}, true},
		"without":   {Engine{}, nil, false},
		"elsewhere": {elsewhere(), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := Set(&Messaging{Database: c.database}, &Booking{Database: c.database}, c.pair, images, nil)
			if err != nil {
				t.Fatal(err)
			}
			for resource, namespace := range map[string]string{
				"messaging.spine.nhs.uk/v1alpha1/MessagingService/spine-messaging/spine": "spine-messaging",
				"booking.ers.nhs.uk/v1alpha1/BookingService/spine-booking/ers":           "spine-booking",
			} {
				spec := set.Objects[resource].(map[string]any)["spec"].(map[string]any)
				backup, given := spec["database"].(map[string]any)["backup"]
				secret, made := set.Objects["v1/Secret/"+namespace+"/object-store"].(map[string]any)
				if given != c.wanted || made != c.wanted {
					t.Fatalf("%s: archived %t, with a Secret %t", namespace, given, made)
				}
				if broker, ok := spec["broker"].(map[string]any); ok && broker["backup"] != nil {
					t.Errorf("the broker is archived: %v", broker)
				}
				if !c.wanted {
					continue
				}
				want := map[string]any{
					"endpoint": "https://10.0.0.1:9000", "bucket": "spine", "secret": map[string]any{"name": "object-store"},
					"networks": []any{"10.0.0.1/32"}, "retentionDays": 7.0,
				}
				if !reflect.DeepEqual(backup, want) {
					t.Errorf("%s: the backup is %v", namespace, backup)
				}
				if data := map[string]any{"access-key": "a2V5", "secret-key": "aGlkZGVu", "ca.crt": "UEVN"}; !reflect.DeepEqual(secret["data"], data) || secret["type"] != "Opaque" {
					t.Errorf("%s: the Secret is %v", namespace, secret)
				}
			}
		})
	}
}

// TestActivity: who does not ask for sleep leaves it to others, who then own the field.
func TestActivity(t *testing.T) {
	images := component.Images{"message-gateway:dev": "r/g@x", "booking-service:dev": "r/b@x"}
	for activity, want := range map[string]map[string]any{
		"": {}, "Asleep": {"activity": "Asleep"},
		WorkingHours: {"activity": WorkingHours, "workingHours": map[string]any{"wake": "07:00", "sleep": "19:00"}},
	} {
		set, err := Set(&Messaging{Database: elsewhere(), Broker: elsewhere()}, &Booking{Database: elsewhere(), Activity: activity, Wake: "07:00", Sleep: "19:00"}, nil, images, nil)
		if err != nil {
			t.Fatal(err)
		}
		o := set.Objects["booking.ers.nhs.uk/v1alpha1/BookingService/spine-booking/ers"].(map[string]any)
		spec, got := o["spec"].(map[string]any), map[string]any{}
		for _, field := range []string{"activity", "workingHours"} {
			if value, said := spec[field]; said {
				got[field] = value
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: the resource says %v, want %v", activity, got, want)
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
