// SPDX-License-Identifier: Apache-2.0

package services

import (
	"fmt"

	"spine.nhs.uk/controlplane/infra/component"
)

// An Engine is a service's database or broker: one of its own in the cluster, of the
// Store's size, or one elsewhere.
type Engine struct {
	Store Store
	// Elsewhere is nil for one in the cluster.
	Elsewhere *Elsewhere
	// Backup is nil for a database that is not archived, and for a broker: it holds nothing that
	// could not be made again. Who runs an engine elsewhere archives it, too.
	Backup *Backup
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
		spec = map[string]any{
			"image":     ref,
			"storage":   map[string]any{"size": fmt.Sprintf("%dGi", e.Store.StorageGiB)},
			"resources": resources(e.Store.CPUMillis, e.Store.MemoryMiB),
		}
		if e.Backup != nil {
			backup, secret := e.Backup.object(namespace)
			spec["backup"], more = backup, append(more, secret)
		}
		return spec, more, nil
	}
	v := e.Elsewhere
	authorities := name + "-ca"
	endpoint := map[string]any{
		"host": v.Host, "port": v.Port, "networks": v.Networks, "credentialsSecret": map[string]any{"name": name}, "caConfigMap": authorities,
	}
	if v.Kind != "" {
		endpoint["engine"], endpoint["database"] = v.Kind, v.Database
	}
	return map[string]any{"endpoint": endpoint}, []map[string]any{
		opaque(namespace, name, map[string]string{"username": v.Username, "password": v.Password}),
		object("v1", "ConfigMap", namespace, authorities, map[string]any{"data": map[string]any{"ca.crt": v.Authorities}}),
	}, nil
}
