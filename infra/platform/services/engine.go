// SPDX-License-Identifier: Apache-2.0

package services

import (
	"encoding/base64"
	"fmt"

	"spine.nhs.uk/controlplane/infra/component"
)

// An Engine is a service's database or broker: one of its own in the cluster, of the
// Store's size, or one elsewhere.
type Engine struct {
	Store Store
	// Elsewhere is nil for one in the cluster.
	Elsewhere *Elsewhere
}

// A Store is the size of each member of an engine.
type Store struct {
	StorageGiB           int
	CPUMillis, MemoryMiB int
}

// Elsewhere is an engine that somebody else runs.
type Elsewhere struct {
	// Host is its DNS name, or text in the place of one that is known later. Port is its
	// TCP port.
	Host string
	Port int
	// Networks are those in which the host's addresses are, IPv4.
	Networks []string
	// Username and Password are of the owner; the password is a secret.
	Username, Password string
	// Authorities is PEM text of those of its certificate.
	Authorities string
	// Kind is the engine's as the resource knows it, Aurora, and Database the name of the
	// database; both for databases only.
	Kind, Database string
}

// object is the part of a resource for an engine, and what that refers to: objects of the
// name in the namespace. The image is for one in the cluster.
func (e Engine) object(images component.Images, image, namespace, name string) (spec map[string]any, more []map[string]any, err error) {
	if e.Elsewhere == nil {
		ref, err := images.Ref(image)
		if err != nil {
			return nil, nil, err
		}
		return map[string]any{
			"image":     ref,
			"storage":   map[string]any{"size": fmt.Sprintf("%dGi", e.Store.StorageGiB)},
			"resources": resources(e.Store.CPUMillis, e.Store.MemoryMiB),
		}, nil, nil
	}
	v := e.Elsewhere
	authorities := name + "-ca"
	endpoint := map[string]any{
		"host": v.Host, "port": v.Port, "networks": v.Networks, "credentialsSecret": map[string]any{"name": name}, "caConfigMap": authorities,
	}
	if v.Kind != "" {
		endpoint["engine"], endpoint["database"] = v.Kind, v.Database
	}
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	return map[string]any{"endpoint": endpoint}, []map[string]any{
		object("v1", "Secret", namespace, name, map[string]any{
			"type": "Opaque", "data": map[string]any{"username": encode(v.Username), "password": encode(v.Password)},
		}),
		object("v1", "ConfigMap", namespace, authorities, map[string]any{"data": map[string]any{"ca.crt": v.Authorities}}),
	}, nil
}
