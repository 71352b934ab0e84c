// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// The document and the code name the same paths, fields and bounds.
func TestTheDocumentSaysWhatTheCodeDoes(t *testing.T) {
	var document struct {
		Paths      map[string]map[string]any
		Components struct {
			Schemas map[string]struct {
				Pattern    string
				Properties map[string]struct {
					MaxItems int
					Items    struct{ Properties map[string]any }
				}
			}
		}
	}
	if err := yaml.Unmarshal(OpenAPI, &document); err != nil {
		t.Fatal(err)
	}
	for path, method := range map[string]string{"/v1/services/{serviceId}/slots": "get", "/v1/bookings/{bookingId}": "put"} {
		if _, there := document.Paths[path][method]; !there {
			t.Errorf("no %s %s", method, path)
		}
	}
	schemas := document.Components.Schemas
	if schemas["Id"].Pattern != "^[A-Za-z0-9._-]{1,64}$" {
		t.Error("another pattern of ids than validID")
	}
	slots := schemas["Availability"].Properties["slots"]
	if slots.MaxItems != MaxSlots {
		t.Errorf("maxItems %d", slots.MaxItems)
	}
	same := func(name string, wire any, documented map[string]any) {
		var fields []string
		for field := range reflect.TypeOf(wire).Fields() {
			fields = append(fields, strings.Split(field.Tag.Get("json"), ",")[0])
		}
		for field := range documented {
			if !slices.Contains(fields, field) {
				t.Errorf("%s: %s is documented only", name, field)
			}
		}
		if len(fields) != len(documented) {
			t.Errorf("%s: the code has %v", name, fields)
		}
	}
	generic := func(schema string) map[string]any {
		fields := map[string]any{}
		for field := range schemas[schema].Properties {
			fields[field] = nil
		}
		return fields
	}
	same("Availability", wireAvailability{}, generic("Availability"))
	same("Booking", wireBooking{}, generic("Booking"))
	same("slot", wireSlot{}, slots.Items.Properties)
}
