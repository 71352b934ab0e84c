// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// sets are the objects of the sets that go into the cluster, by the sets' names.
func (e *engine) sets(t *testing.T) map[string]map[string]resource.PropertyMap {
	t.Helper()
	found := map[string]map[string]resource.PropertyMap{}
	for _, r := range e.resources {
		if r.TypeToken != "spine:kubernetes:Manifests" {
			continue
		}
		objects := map[string]resource.PropertyMap{}
		for key, o := range r.Inputs["objects"].ObjectValue() {
			if o.IsSecret() {
				o = o.SecretValue().Element
			}
			objects[string(key)] = o.ObjectValue()
		}
		found[r.Inputs["name"].StringValue()] = objects
	}
	return found
}

// at is a value within an object.
func at(t *testing.T, o resource.PropertyMap, path ...string) resource.PropertyValue {
	t.Helper()
	v := resource.NewObjectProperty(o)
	for _, key := range path {
		if !v.IsObject() {
			t.Fatalf("there is no %v, but %v", path, v)
		}
		v = v.ObjectValue()[resource.PropertyKey(key)]
	}
	return v
}

const (
	messagingKey = "messaging.spine.nhs.uk/v1alpha1/MessagingService/spine-messaging/spine"
	bookingKey   = "booking.ers.nhs.uk/v1alpha1/BookingService/spine-booking/ers"
)

// TestWhatIsInstalled: engines run in the cluster only where AWS does not run them, and
// services are told where they are.
func TestWhatIsInstalled(t *testing.T) {
	for stack, want := range map[string]struct {
		sets   []string
		broker string
	}{
		"ers-live":  {[]string{"certificates", "manager", "services"}, "endpoint"},
		"ers-ft1":   {[]string{"certificates", "manager", "rabbitmq", "services", "volumes"}, "image"},
		"spine-dev": {[]string{"certificates", "manager", "rabbitmq", "services", "volumes"}, "image"},
	} {
		t.Run(stack, func(t *testing.T) {
			e, err := preview(t, stack, environment(t, stack), configured(t, stack))
			if err != nil {
				t.Fatal(err)
			}
			sets := e.sets(t)
			if got := slices.Sorted(maps.Keys(sets)); !slices.Equal(got, want.sets) {
				t.Errorf("the sets are %v, want %v", got, want.sets)
			}
			services := sets["services"]
			messaging := services[messagingKey]
			endpoint := at(t, messaging, "spec", "database", "endpoint").ObjectValue()
			// Mocks leave out what is not known yet.
			if host := endpoint["host"]; !host.IsNull() {
				t.Errorf("the database's host is known before it is made: %v", host)
			}
			if endpoint["engine"].StringValue() != "Aurora" || endpoint["port"].NumberValue() != 5432 || len(endpoint["networks"].ArrayValue()) != 3 {
				t.Errorf("the ledger is at %v", endpoint)
			}
			if at(t, messaging, "spec", "broker", want.broker).IsNull() {
				t.Errorf("the broker is %v", at(t, messaging, "spec", "broker"))
			}
			if got := at(t, messaging, "spec", "exposure", "nodePort").NumberValue(); got != messagesPort {
				t.Errorf("the balancer leads to %d, and messaging is at %v", messagesPort, got)
			}
			_, found := services[bookingKey]
			if found != strings.HasPrefix(stack, "ers-") {
				t.Errorf("booking is there: %t", found)
			}
			for key, o := range sets["volumes"] {
				if !at(t, o, "parameters", "kmsKeyId").IsNull() || at(t, o, "parameters", "encrypted").StringValue() != "true" {
					t.Errorf("%s: %v", key, o)
				}
			}
			image := at(t, messaging, "spec", "gateway", "image").StringValue()
			if account, _, _ := strings.Cut(image, "."); len(account) != 12 || !strings.Contains(image, ".dkr.ecr.eu-west-2.amazonaws.com/spine/message-gateway:dev@sha256:") {
				t.Errorf("the gateway is %s", image)
			}
			password, err := base64.StdEncoding.DecodeString(at(t, services["v1/Secret/spine-messaging/database"], "data", "password").StringValue())
			if err != nil || string(password) != "another-long-password" {
				t.Errorf("the ledger's password is not the owner's: %v", err)
			}
		})
	}
}

// TestPlatformGoesFirst: what is in the cluster waits for all that it stands on.
func TestPlatformGoesFirst(t *testing.T) {
	e, err := preview(t, "ers-live", environment(t, "ers-live"), configured(t, "ers-live"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range e.resources {
		if r.TypeToken != "spine:kubernetes:Manifests" {
			continue
		}
		below := strings.Join(r.RegisterRPC.GetDependencies(), "\n")
		for _, typ := range []string{"aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon", "aws:rds/clusterInstance:ClusterInstance", "aws:mq/broker:Broker", "aws:eks/podIdentityAssociation:PodIdentityAssociation"} {
			if !strings.Contains(below, typ) {
				t.Errorf("%s may come before %s", r.Name, typ)
			}
		}
		if !strings.Contains(r.Provider, "pulumi:providers:spine::ers-live") {
			t.Errorf("%s has the provider %q", r.Name, r.Provider)
		}
	}
}

// TestOmittedPlatform: the first update makes everything else.
func TestOmittedPlatform(t *testing.T) {
	omitted := strings.Replace(string(environment(t, "ers-ft1")), `"class":"Test"`, `"class":"Test","platform":"Omitted"`, 1)
	e, err := preview(t, "ers-ft1", []byte(omitted), map[string]string{databasePasswordKey: "another-long-password"})
	if err != nil {
		t.Fatal(err)
	}
	if sets := e.sets(t); len(sets) > 0 || !e.types["aws:eks/cluster:Cluster"] {
		t.Errorf("the sets are %v", slices.Sorted(maps.Keys(sets)))
	}
}

func TestHostOf(t *testing.T) {
	for endpoint, want := range map[string]string{
		"amqps://b-1.mq.eu-west-2.amazonaws.com:5671": "b-1.mq.eu-west-2.amazonaws.com", "": "", "b-1": "", "amqps://:5671": "", "%": "",
	} {
		if got, err := hostOf(endpoint); got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v", endpoint, got, err)
		}
	}
}
