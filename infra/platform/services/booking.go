// SPDX-License-Identifier: Apache-2.0

package services

import "spine.nhs.uk/controlplane/infra/component"

// The booking service's name and namespace, and its port at the edge.
const (
	BookingName      = "ers"
	BookingNamespace = "spine-booking"
	BookingPort      = 8445
)

// WorkingHours is the activity of a service that the clock puts to sleep and wakes.
const WorkingHours = "WorkingHours"

// Booking is the BookingService of a site.
type Booking struct {
	// Activity is what the resource asks for: Asleep for a service that does not run, or
	// WorkingHours with the times of day Wake and Sleep. Empty: the resource says nothing of
	// it, so that it is for others to put the service to sleep.
	Activity    string
	Wake, Sleep string
	Service     Workload
	Database    Engine
	// TokenKeys is the JSON Web Key Set of who issues tokens, by TokenIssuer for
	// TokenAudience.
	TokenKeys, TokenIssuer, TokenAudience string
	// HostNames are further names and addresses that people reach it by, NodePort a port
	// of every node; 0 for none.
	HostNames []string
	NodePort  int
	// ProviderNetworks are where providers' systems are, on ProviderPort, with
	// certificates of ProviderCA (PEM).
	ProviderNetworks []string
	ProviderPort     int
	ProviderCA       string
}

// objects are the resource and what it refers to.
func (b *Booking) objects(images component.Images) ([]map[string]any, error) {
	service, err := images.Ref("booking-service")
	if err != nil {
		return nil, err
	}
	database, objects, err := b.Database.object(images, "postgresql", BookingNamespace, "database")
	if err != nil {
		return nil, err
	}
	const keys, providers = "ers-token-keys", "ers-providers-ca"
	access := map[string]any{}
	objects = append(objects,
		object("v1", "ConfigMap", BookingNamespace, keys, map[string]any{"data": map[string]any{"jwks.json": b.TokenKeys}}))
	if len(b.ProviderNetworks) > 0 {
		access = map[string]any{"networks": b.ProviderNetworks, "port": b.ProviderPort}
	}
	if b.ProviderCA != "" {
		access["caConfigMap"] = providers
		objects = append(objects, object("v1", "ConfigMap", BookingNamespace, providers, map[string]any{"data": map[string]any{"ca.crt": b.ProviderCA}}))
	}
	spec := map[string]any{
		"service":        b.Service.object(service),
		"database":       database,
		"gateway":        map[string]any{"name": MessagingName, "namespace": MessagingNamespace},
		"tokens":         map[string]any{"keysConfigMap": keys, "issuer": b.TokenIssuer, "audience": b.TokenAudience},
		"providerAccess": access,
		"exposure":       exposure(b.HostNames, b.NodePort),
	}
	if b.Activity != "" {
		spec["activity"] = b.Activity
	}
	if b.Activity == WorkingHours {
		spec["workingHours"] = map[string]any{"wake": b.Wake, "sleep": b.Sleep}
	}
	return append(objects, object("booking.ers.nhs.uk/v1alpha1", "BookingService", BookingNamespace, BookingName, map[string]any{"spec": spec})), nil
}
