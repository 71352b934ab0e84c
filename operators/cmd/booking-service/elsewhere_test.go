// SPDX-License-Identifier: Apache-2.0

//go:build engines

package main

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/endpoint"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/booking/token"
)

// The program with nothing but what the operator makes of a service's endpoint, and the Secret
// and ConfigMap that it names, books an appointment and cancels it.
func TestDatabaseElsewhere(t *testing.T) {
	authority := engines.NewAuthority(t)
	db := engines.Aurora(t, authority)
	b := &booking.BookingService{ObjectMeta: metav1.ObjectMeta{Name: "ers", Namespace: "spine-booking"}}
	b.Spec.Service = common.WorkloadSpec{Image: "i", Replicas: 2, Resources: common.Resources{CPU: resource.MustParse("1"), Memory: resource.MustParse("256Mi")}}
	b.Spec.Database = operatortest.Aurora()
	b.Spec.Database.Endpoint.Host, b.Spec.Database.Endpoint.Port = "127.0.0.1", int32(db.SecurePort)
	b.Spec.Gateway = booking.GatewayReference{Name: "spine", Namespace: "spine-messaging", BulkPort: 8444}
	b.Spec.Tokens = booking.TokensSpec{KeysConfigMap: "keys", Issuer: "https://issuer.test", Audience: "ers"}
	b.Spec.Settings.Default()
	config, err := desired.Config(b, booking.IntakeOpen)
	if err != nil {
		t.Fatal(err)
	}
	deployment := desired.Deployment(b, "i")
	paths := operatortest.Mounted(t, deployment.Spec.Template.Spec, operatortest.Objects{
		ConfigMaps: map[string]map[string]string{
			config.Name: config.Data, "rds-ca": {"ca.crt": string(authority.PEM)}, "keys": {"jwks.json": keys(t)},
			endpoint.Name(desired.DatabaseName(b)): desired.DatabaseEndpoint(b).Data,
		},
		Secrets: map[string]map[string][]byte{
			"database-owner":  {"username": []byte(engines.AuroraUser), "password": []byte(engines.AuroraPassword)},
			"ers-service-tls": authority.Secret(t, "service"), "ers-gateway-client": authority.Secret(t, "ERS"),
		},
	})
	ops := operatortest.Loopback(t)
	var args []string
	for _, a := range deployment.Spec.Template.Spec.Containers[0].Args {
		args = append(args, paths.Replace(a))
	}
	program := command()
	program.SetArgs(append(args, "--address="+operatortest.Loopback(t), "--ops-address="+ops))
	service := operatortest.Run(t, authority, ops, func(ctx context.Context) error { return program.ExecuteContext(ctx) })
	service.Await(http.MethodGet, "/readyz")
	if deep := service.Await(http.MethodPost, "/deepz"); !strings.Contains(deep, `{"name":"book and cancel","ok":true`) {
		t.Errorf("deepz: %s", deep)
	}
	if status := service.Await(http.MethodGet, "/statusz"); !strings.Contains(status, `"standbys":null`) {
		t.Errorf("statusz: %s", status)
	}

	// The database goes away and comes back, as in a failover: nothing has to be restarted.
	db.Kill()
	if code, body := service.Ask(http.MethodPost, "/deepz"); code == http.StatusOK {
		t.Errorf("without a database: %s", body)
	}
	if err := db.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	service.Await(http.MethodPost, "/deepz")
}

// keys is a set of public keys, of which nobody has signed anything.
func keys(t *testing.T) string {
	t.Helper()
	key, err := token.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := token.NewIssuer(key, token.Trust{Issuer: "https://issuer.test", Audience: "ers"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := issuer.KeySet()
	if err != nil {
		t.Fatal(err)
	}
	return string(set)
}
