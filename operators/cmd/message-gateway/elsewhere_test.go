// SPDX-License-Identifier: Apache-2.0

//go:build engines

package main

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/endpoint"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/operatortest/engines"
)

const parties = `sharedKey: shared-key-of-all
mailboxes:
  - {id: ALICE, name: Alice's practice, password: alice-password, organisation: X26, supplier: load,
     certificateNames: [alice.x26.api.mesh-client.nhs.uk], workflows: ["*"]}
`

// A gateway with nothing but what the operator makes of a service's endpoints, and the Secrets
// and ConfigMaps that those name, takes a message through the ledger and the broker; and again
// once the broker has lost everything.
func TestEnginesElsewhere(t *testing.T) {
	authority := engines.NewAuthority(t)
	db, broker := engines.Aurora(t, authority), engines.SecureRabbitMQ(t, authority)
	m := operatortest.Messaging("spine", operatortest.Elsewhere, func(m *api.MessagingService) {
		d, b := m.Spec.Database.Endpoint, m.Spec.Broker.Endpoint
		d.Host, d.Port = "127.0.0.1", int32(db.SecurePort)
		b.Host, b.Port = "127.0.0.1", int32(broker.SecurePort)
		m.Spec.Routes = m.Spec.Routes[:1]
	})
	config, err := desired.GatewayFiles(m, false)
	if err != nil {
		t.Fatal(err)
	}
	secret := func(user, password string) map[string][]byte {
		return map[string][]byte{"username": []byte(user), "password": []byte(password)}
	}
	authorities := map[string]string{"ca.crt": string(authority.PEM)}
	paths := operatortest.Mounted(t, desired.GatewayDeployment(m, "i").Spec.Template.Spec, operatortest.Objects{
		ConfigMaps: map[string]map[string]string{
			config.Name: config.Data, "rds-ca": authorities, "mq-ca": authorities,
			endpoint.Name(desired.DatabaseName(m)): desired.DatabaseEndpoint(m).Data,
			endpoint.Name(desired.BrokerName(m)):   desired.BrokerEndpoint(m).Data,
		},
		Secrets: map[string]map[string][]byte{
			"database-owner": secret(engines.AuroraUser, engines.AuroraPassword), "broker-user": secret("guest", "guest"),
			"spine-gateway-tls": authority.Secret(t, "gateway"), "spine-gateway-client": authority.Secret(t, "gateway"),
			"mailboxes": {"mailboxes.yaml": []byte(parties)},
		},
	})
	ops := operatortest.Loopback(t)
	program := newServe()
	program.Flags().VisitAll(func(f *pflag.Flag) {
		if err := f.Value.Set(paths.Replace(f.DefValue)); err != nil {
			t.Fatal(err)
		}
	})
	program.SetArgs([]string{"--mesh-address=" + operatortest.Loopback(t), "--bulk-address=" + operatortest.Loopback(t), "--ops-address=" + ops})
	gateway := operatortest.Run(t, authority, ops, func(ctx context.Context) error { return program.ExecuteContext(ctx) })
	gateway.Await(http.MethodGet, "/readyz")
	for _, stage := range []string{"ledger", "publish", "consume", "settle"} {
		if deep := gateway.Await(http.MethodPost, "/deepz"); !strings.Contains(deep, `{"name":"`+stage+`","ok":true`) {
			t.Errorf("no stage %s: %s", stage, deep)
		}
	}
	status := gateway.Await(http.MethodGet, "/statusz")
	for _, said := range []string{`"broker":{"connected":true}`, `"database":{"connected":true}`, `"standbys":null`} {
		if !strings.Contains(status, said) {
			t.Errorf("it does not say %s: %s", said, status)
		}
	}
	if err := broker.Wipe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code, deep := gateway.Ask(http.MethodPost, "/deepz"); code == http.StatusOK || !strings.Contains(deep, `{"name":"ledger","ok":true`) {
		t.Errorf("without a broker: %d %s", code, deep)
	}
	if err := broker.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	gateway.Await(http.MethodPost, "/deepz")
}
