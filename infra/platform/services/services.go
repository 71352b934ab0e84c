// SPDX-License-Identifier: Apache-2.0

// Package services are the resources from which our manager makes the services,
// and what those refer to.
package services

import (
	"encoding/base64"
	"fmt"
	"strings"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/component/manifests"
)

// Set returns the services as one set, booking when it is not nil: it is deleted as
// a whole or, while one of them holds acknowledged work, not at all.
// With a pair, the services are those of one of two sites.
func Set(m *Messaging, b *Booking, pair *Pair, images component.Images, labels map[string]string) (manifests.Set, error) {
	set := manifests.Set{Name: "services", Namespace: MessagingNamespace, Objects: map[string]any{}}
	objects, err := m.objects(images)
	if err != nil {
		return manifests.Set{}, err
	}
	if b != nil {
		more, err := b.objects(images)
		if err != nil {
			return manifests.Set{}, err
		}
		objects = append(objects, more...)
	}
	if pair != nil {
		objects = append(objects, pair.join(objects, b)...)
	}
	for _, o := range objects {
		if err := set.Add(o, labels); err != nil {
			return manifests.Set{}, err
		}
	}
	return set, nil
}

// A Workload is the size of one of our programs.
type Workload struct {
	Replicas int
	// CPUMillis is requested, in thousandths of a core; MemoryMiB is requested and
	// limited.
	CPUMillis, MemoryMiB int
}

// object is the part of a resource for one of our programs.
func (w Workload) object(image string) map[string]any {
	return map[string]any{"image": image, "replicas": w.Replicas, "resources": resources(w.CPUMillis, w.MemoryMiB)}
}

func resources(cpuMillis, memoryMiB int) map[string]any {
	return map[string]any{"cpu": fmt.Sprintf("%dm", cpuMillis), "memory": fmt.Sprintf("%dMi", memoryMiB)}
}

// exposure is how clients reach a service: by the edge's address, or, where a balancer
// outside of the cluster leads them, at a port of every node too, 30000 to 32767.
func exposure(hostNames []string, nodePort int) map[string]any {
	e := map[string]any{}
	if len(hostNames) > 0 {
		e["hostNames"] = hostNames
	}
	if nodePort > 0 {
		e["nodePort"] = nodePort
	}
	return e
}

// object is a Kubernetes object with further fields.
func object(apiVersion, kind, namespace, name string, fields map[string]any) map[string]any {
	o := map[string]any{
		"apiVersion": apiVersion, "kind": kind,
		"metadata": map[string]any{"namespace": namespace, "name": name},
	}
	for k, v := range fields {
		o[k] = v
	}
	return o
}

// opaque is a Secret with those texts.
func opaque(namespace, name string, texts map[string]string) map[string]any {
	data := map[string]any{}
	for key, text := range texts {
		data[key] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	return object("v1", "Secret", namespace, name, map[string]any{"type": "Opaque", "data": data})
}

// lower makes an identifier a part of an object's name.
func lower(id string) string { return strings.ReplaceAll(strings.ToLower(id), "_", "-") }
