// SPDX-License-Identifier: Apache-2.0

package site

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"sigs.k8s.io/yaml"
)

// objects are those of all sets, by key.
func (e *engine) objects() map[string]resource.PropertyValue {
	all := map[string]resource.PropertyValue{}
	for _, r := range e.resources {
		for key, o := range objectsOf(r) {
			all[key] = o
		}
	}
	return all
}

func TestServices(t *testing.T) {
	rack(t)
	e := &engine{}
	if err := run(t, e, local(t, nil)); err != nil {
		t.Fatal(err)
	}
	objects := e.objects()
	service := objects["messaging.spine.nhs.uk/v1alpha1/MessagingService/spine-messaging/spine"].ObjectValue()["spec"].ObjectValue()
	if got := service["database"].ObjectValue()["image"].StringValue(); !strings.HasPrefix(got, "10.90.0.1:5000/spine/postgresql:17-2@sha256:") {
		t.Errorf("the ledger runs %s", got)
	}
	for _, r := range service["routes"].ArrayValue() {
		route := r.ObjectValue()
		if _, ok := route["endpoint"]; ok != (route["pattern"].StringValue() == "Sync") {
			t.Errorf("route %v: an empty endpoint would be refused", route["interaction"])
		}
	}
	raw, err := base64.StdEncoding.DecodeString(objects["v1/Secret/spine-messaging/mailboxes"].ObjectValue()["data"].ObjectValue()["mailboxes.yaml"].StringValue())
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		SharedKey string
		Mailboxes []struct {
			ID, Password string
			Internal     bool
		}
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if file.SharedKey != "the-shared-key" || file.Mailboxes[0].Password != "password-of-"+file.Mailboxes[0].ID || file.Mailboxes[0].Internal {
		t.Errorf("mailboxes.yaml holds %+v", file)
	}
	for _, key := range []string{
		"cert-manager.io/v1/Certificate/spine-clients/x26gp001", "booking.ers.nhs.uk/v1alpha1/BookingService/spine-booking/ers",
		"v1/ConfigMap/spine-booking/ers-token-keys",
	} {
		if _, ok := objects[key]; !ok {
			t.Errorf("there is no %s", key)
		}
	}
	if _, ok := objects["cert-manager.io/v1/Certificate/spine-clients/ers"]; ok {
		t.Error("a certificate was issued that nobody asked for")
	}
}

// TestServicesGoFirst: everything else is below the services, so that nothing of the site
// has gone when they refuse to.
func TestServicesGoFirst(t *testing.T) {
	rack(t)
	e := &engine{}
	if err := run(t, e, local(t, nil)); err != nil {
		t.Fatal(err)
	}
	below := map[string][]string{}
	var services string
	for _, r := range e.resources {
		id := r.TypeToken + "::" + r.Name
		rpc := r.RegisterRPC
		for _, urn := range append(rpc.GetDependencies(), rpc.GetParent(), rpc.GetProvider(), rpc.GetDeletedWith()) {
			if parts := strings.Split(urn, "::"); len(parts) >= 4 {
				types := strings.Split(parts[2], "$")
				below[id] = append(below[id], types[len(types)-1]+"::"+parts[3])
			}
		}
		if strings.HasSuffix(r.Name, "-services") {
			services = id
		}
	}
	seen := map[string]bool{}
	var visit func(id string)
	visit = func(id string) {
		if !seen[id] {
			seen[id] = true
			for _, b := range below[id] {
				visit(b)
			}
		}
	}
	visit(services)
	for _, r := range e.resources {
		if id := r.TypeToken + "::" + r.Name; !seen[id] {
			t.Errorf("%s may go before the services", id)
		}
	}
}

func TestWithoutServicesThereIsNoPlatform(t *testing.T) {
	rack(t)
	e := &engine{}
	if err := run(t, e, local(t, func(env map[string]any) {
		delete(env, "messaging")
		delete(env, "booking")
		delete(env, "backups")
	})); err != nil {
		t.Fatal(err)
	}
	for _, r := range e.resources {
		if r.TypeToken == "spine:component:Platform" {
			t.Error("a site without services has a platform")
		}
	}
}
