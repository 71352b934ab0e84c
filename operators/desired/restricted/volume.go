// SPDX-License-Identifier: Apache-2.0

package restricted

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// fileMode lets the group, which is our programs' own, read and nobody write.
const fileMode = 0o440

// Volume is a volume of files from the given sources. Files change in place
// when a source does.
func Volume(name string, sources ...corev1.VolumeProjection) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		Projected: &corev1.ProjectedVolumeSource{DefaultMode: ptr.To[int32](fileMode), Sources: sources},
	}}
}

// Secret is a source of a volume: the named keys of a Secret, each a file.
func Secret(name string, keys ...string) corev1.VolumeProjection {
	return corev1.VolumeProjection{Secret: &corev1.SecretProjection{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Items: items(keys),
	}}
}

// ConfigMap is a source of a volume: the named keys of a ConfigMap, each a file.
func ConfigMap(name string, keys ...string) corev1.VolumeProjection {
	return corev1.VolumeProjection{ConfigMap: &corev1.ConfigMapProjection{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Items: items(keys),
	}}
}

// Mount shows a volume read-only at a path.
func Mount(name, path string) corev1.VolumeMount {
	return corev1.VolumeMount{Name: name, MountPath: path, ReadOnly: true}
}

func items(keys []string) []corev1.KeyToPath {
	out := make([]corev1.KeyToPath, 0, len(keys))
	for _, k := range keys {
		out = append(out, corev1.KeyToPath{Key: k, Path: k})
	}
	return out
}
