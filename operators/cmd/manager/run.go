// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"spine.nhs.uk/controlplane/operators/adapters/opsprobe"
	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	resilienceapi "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/controllers/bookingservice"
	"spine.nhs.uk/controlplane/operators/controllers/edge"
	"spine.nhs.uk/controlplane/operators/controllers/messagingservice"
	"spine.nhs.uk/controlplane/operators/controllers/servicerecovery"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
)

// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;create;update,namespace=spine-system
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch,namespace=spine-system

func scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, messagingapi.AddToScheme, bookingapi.AddToScheme, resilienceapi.AddToScheme} {
		if err := add(s); err != nil {
			panic(err) // two types of one name in this binary
		}
	}
	return s
}

func run(ctx context.Context, o *options) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	m, err := newManager(config, o)
	if err != nil {
		return err
	}
	return m.Start(ctx)
}

func newManager(config *rest.Config, o *options) (ctrl.Manager, error) {
	rules, err := policy(o)
	if err != nil {
		return nil, err
	}
	mapper, absent, err := engines(config)
	if err != nil {
		return nil, err
	}
	// The leader may be on the host that is lost, and another has to fence it: within 15 s. It
	// outlives 9 s without an API, which is what the loss of the host with the API's address costs.
	lease, renew, retry := 12*time.Second, 9*time.Second, 2*time.Second
	m, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:         scheme(),
		MapperProvider: func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return mapper, nil },
		Cache:          namespaces(o, absent.kinds),
		// Children are read as they are, not as this binary's types know them.
		// Leases and their holders are read as they are now: who acts is no matter of a cache's age.
		Client: client.Options{Cache: &client.CacheOptions{
			Unstructured: true, DisableFor: []client.Object{&coordinationv1.Lease{}, &resilienceapi.ServiceRecovery{}, &resilienceapi.Failover{}},
		}},
		LeaderElection:                o.leaderElection,
		LeaderElectionID:              "spine-manager",
		LeaderElectionNamespace:       "spine-system",
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &lease, RenewDeadline: &renew, RetryPeriod: &retry,
		HealthProbeBindAddress: o.healthAddress,
		Metrics: metricsserver.Options{
			BindAddress: o.metricsAddress, SecureServing: true, CertDir: o.tlsDir,
			TLSOpts: []func(*tls.Config){requireClients(o.tlsDir)},
		},
	})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(m.Add(absent), m.AddHealthzCheck("ping", healthz.Ping), m.AddReadyzCheck("caches", synced(m))); err != nil {
		return nil, err
	}
	return m, register(m, o, rules)
}

// synced fails while a kind cannot be listed: a manager that sees nothing is not ready.
func synced(m ctrl.Manager) healthz.Checker {
	return func(request *http.Request) error {
		ctx, cancel := context.WithTimeout(request.Context(), time.Second)
		defer cancel()
		if !m.GetCache().WaitForCacheSync(ctx) {
			return errors.New("not every kind could be listed yet: the log says which, and why")
		}
		return nil
	}
}

// namespaces limits what is watched to where the manager's roles are: a kind that only one
// of the services has, to that service's namespace.
func namespaces(o *options, absent []schema.GroupVersionKind) cache.Options {
	messaging := cache.ByObject{Namespaces: map[string]cache.Config{o.messaging: {}}}
	booking := cache.ByObject{Namespaces: map[string]cache.Config{o.booking: {}}}
	operations := cache.ByObject{Namespaces: map[string]cache.Config{o.messaging: {}, o.booking: {}, servicerecovery.SystemNamespace: {}}}
	system := cache.ByObject{Namespaces: map[string]cache.Config{servicerecovery.SystemNamespace: {}}}
	child := func(gvk schema.GroupVersionKind) client.Object {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(gvk)
		return u
	}
	all := cache.Options{
		DefaultNamespaces: map[string]cache.Config{o.messaging: {}, o.booking: {}},
		ByObject: map[client.Object]cache.ByObject{
			&resilienceapi.ServiceRecovery{}:                         operations,
			&resilienceapi.Approval{}:                                operations,
			&resilienceapi.Failover{}:                                system,
			&resilienceapi.FailoverPolicy{}:                          system,
			&messagingapi.MessagingService{}:                         messaging,
			&bookingapi.BookingService{}:                             booking,
			child(desired.BrokerGVK):                                 messaging,
			child(appsv1.SchemeGroupVersion.WithKind("StatefulSet")): messaging,
		},
	}
	// Nothing can be said of a kind that the cluster does not know.
	maps.DeleteFunc(all.ByObject, func(of client.Object, _ cache.ByObject) bool {
		return slices.Contains(absent, of.GetObjectKind().GroupVersionKind())
	})
	return all
}

// register adds every controller.
func register(m ctrl.Manager, o *options, config *resilienceapi.OperationsConfig) error {
	now := clock.RealClock{}
	events := kit.NewEvents(m.GetEventRecorderFor(kit.FieldOwner), now.Now)
	prober := opsprobe.New(o.tlsDir)
	recovery := recoveries(m, o, config, prober, events)
	if o.edgeAddress != "" {
		address, err := netip.ParseAddr(o.edgeAddress)
		if err != nil {
			return err
		}
		e := &edge.Reconciler{Client: m.GetClient(), Address: address, Events: events, Clock: now}
		if err := e.SetupWithManager(m); err != nil {
			return err
		}
	}
	messaging := &messagingservice.Reconciler{Client: m.GetClient(), Prober: prober, Events: events, Clock: now}
	booking := &bookingservice.Reconciler{Client: m.GetClient(), Prober: prober, Events: events, Clock: now}
	return errors.Join(messaging.SetupWithManager(m), booking.SetupWithManager(m), recovery.SetupWithManager(m), hosts(m, o, recovery), sites(m, o, config, prober, events))
}

// requireClients lets only holders of the platform's certificates read metrics. The
// authority is read for each connection, so that a renewed one counts at once.
func requireClients(dir string) func(*tls.Config) {
	return func(c *tls.Config) {
		c.MinVersion = tls.VersionTLS12
		c.ClientAuth = tls.RequireAndVerifyClientCert
		base := c.Clone()
		c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			authority, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
			if err != nil {
				return nil, err
			}
			now := base.Clone()
			now.GetCertificate = c.GetCertificate
			now.ClientCAs = x509.NewCertPool()
			if !now.ClientCAs.AppendCertsFromPEM(authority) {
				return nil, errors.New("ca.crt holds no certificate")
			}
			return now, nil
		}
	}
}
