// SPDX-License-Identifier: Apache-2.0

package services

import "spine.nhs.uk/controlplane/infra/component"

// The messaging service's name and namespace, its ports at the edge, and the
// namespace of certificates that the site issues to clients.
const (
	MessagingName      = "spine"
	MessagingNamespace = "spine-messaging"
	MeshPort           = 8443
	BulkPort           = 8444
	clientsNamespace   = "spine-clients"
)

// Messaging is the MessagingService of a site. It has been validated by whoever
// read it from people.
type Messaging struct {
	Gateway          Workload
	Database, Broker Engine
	// HostNames are what clients reach it by besides the edge's address, NodePort a port of
	// every node that leads to the MESH API; 0 for none.
	HostNames []string
	NodePort  int
	// Suppliers and Routes are as in the resource's spec.
	Suppliers, Routes []map[string]any
	// Mailboxes is the text of mailboxes.yaml: a secret.
	Mailboxes string
	// Clients are the clients to issue a certificate to.
	Clients []Client
}

// A Client gets a certificate from the site, in a Secret named after its mailbox
// in the namespace spine-clients.
type Client struct {
	// Mailbox is the mailbox's identifier.
	Mailbox string
	// Names are in the certificate, the first as its common name.
	Names []string
}

// objects are the resource and what it refers to.
func (m *Messaging) objects(images component.Images) ([]map[string]any, error) {
	gateway, err := images.Ref("message-gateway")
	if err != nil {
		return nil, err
	}
	database, objects, err := m.Database.object(images, "postgresql", MessagingNamespace, "database")
	if err != nil {
		return nil, err
	}
	broker, more, err := m.Broker.object(images, "rabbitmq", MessagingNamespace, "broker")
	if err != nil {
		return nil, err
	}
	const mailboxes = "mailboxes"
	spec := map[string]any{
		"suppliers":       m.Suppliers,
		"routes":          m.Routes,
		"gateway":         m.Gateway.object(gateway),
		"database":        database,
		"broker":          broker,
		"mailboxesSecret": map[string]any{"name": mailboxes},
	}
	if e := exposure(m.HostNames, m.NodePort); len(e) > 0 {
		spec["exposure"] = e
	}
	objects = append(append(objects, more...),
		opaque(MessagingNamespace, mailboxes, map[string]string{"mailboxes.yaml": m.Mailboxes}),
		object("messaging.spine.nhs.uk/v1alpha1", "MessagingService", MessagingNamespace, MessagingName, map[string]any{"spec": spec}))
	for _, c := range m.Clients {
		objects = append(objects, c.certificate())
	}
	return objects, nil
}

// certificate is renewed a month before its year is over.
func (c Client) certificate() map[string]any {
	return object("cert-manager.io/v1", "Certificate", clientsNamespace, lower(c.Mailbox), map[string]any{
		"spec": map[string]any{
			"secretName":  lower(c.Mailbox),
			"commonName":  c.Names[0],
			"dnsNames":    c.Names,
			"usages":      []string{"digital signature", "client auth"},
			"duration":    "8760h0m0s",
			"renewBefore": "720h0m0s",
			"privateKey":  map[string]any{"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
			"issuerRef":   map[string]any{"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "spine-clients"},
		},
	})
}
