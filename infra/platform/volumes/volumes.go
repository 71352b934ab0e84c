// SPDX-License-Identifier: Apache-2.0

// Package volumes is where engines in a cluster of AWS keep their data: volumes of EBS.
// Sites bring storage of their own.
package volumes

import "spine.nhs.uk/controlplane/infra/component/manifests"

// Set returns the cluster's default class of volumes: gp3, encrypted with the key, an ARN
// or text in the place of one that is known later.
func Set(key string, in manifests.Inputs) (manifests.Set, error) {
	set := manifests.Set{Name: "volumes", Namespace: "kube-system", Objects: map[string]any{}}
	return set, set.Add(map[string]any{
		"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
		"metadata": map[string]any{
			"name": "encrypted", "annotations": map[string]any{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		"provisioner": "ebs.csi.aws.com",
		"parameters":  map[string]any{"type": "gp3", "encrypted": "true", "kmsKeyId": key},
		// A volume is in the zone of the pod that wants it, and not the other way round.
		"volumeBindingMode":    "WaitForFirstConsumer",
		"allowVolumeExpansion": true,
		"reclaimPolicy":        "Delete",
	}, in.Labels)
}
