// SPDX-License-Identifier: Apache-2.0

package operatortest

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Database plays CloudNativePG: it reports that many ready instances of a Cluster, in the
// given phase, running the image that is asked for.
func (c *Cluster) Database(ctx context.Context, namespace, name string, ready int64, phase string) error {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "postgresql.cnpg.io", Version: "v1", Kind: "Cluster"})
	if err := c.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, u); err != nil {
		return err
	}
	image, _, _ := unstructured.NestedString(u.Object, "spec", "imageName")
	var healthy []any
	for i := range ready {
		healthy = append(healthy, fmt.Sprintf("%s-%d", name, i+1))
	}
	status := map[string]any{
		"phase": phase, "instances": int64(3), "readyInstances": ready, "image": image,
		"currentPrimary": name + "-1", "targetPrimary": name + "-1",
		"instancesStatus": map[string]any{"healthy": healthy},
	}
	if err := unstructured.SetNestedMap(u.Object, status, "status"); err != nil {
		return err
	}
	return c.Client.Status().Update(ctx, u)
}

// Archived plays CloudNativePG, which says of a Cluster that its log gets to the object store, or
// does not, and which is the earliest state that can be had back.
func (c *Cluster) Archived(ctx context.Context, namespace, name string, archiving bool, first string) error {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "postgresql.cnpg.io", Version: "v1", Kind: "Cluster"})
	if err := c.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, u); err != nil {
		return err
	}
	archive := map[string]any{
		"type": "ContinuousArchiving", "status": "True", "reason": "ContinuousArchivingSuccess", "message": "Continuous archiving is working",
		"lastTransitionTime": "2026-11-22T02:00:00Z",
	}
	if !archiving {
		archive["status"], archive["reason"], archive["message"] = "False", "ContinuousArchivingFailing", "unexpected failure invoking barman-cloud-wal-archive"
	}
	if err := unstructured.SetNestedSlice(u.Object, []any{archive}, "status", "conditions"); err != nil {
		return err
	}
	if err := unstructured.SetNestedField(u.Object, first, "status", "firstRecoverabilityPoint"); err != nil {
		return err
	}
	return c.Client.Status().Update(ctx, u)
}

// Hibernated plays CloudNativePG with a Cluster that was told to hibernate: no instance is left.
func (c *Cluster) Hibernated(ctx context.Context, namespace, name string) error {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "postgresql.cnpg.io", Version: "v1", Kind: "Cluster"})
	if err := c.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, u); err != nil {
		return err
	}
	status, _, err := unstructured.NestedMap(u.Object, "status")
	if err != nil {
		return err
	}
	status["instances"], status["readyInstances"], status["instancesStatus"] = int64(0), int64(0), map[string]any{}
	status["conditions"] = []any{map[string]any{
		"type": "cnpg.io/hibernation", "status": "True", "reason": "Hibernated", "message": "Cluster has been hibernated",
		"lastTransitionTime": "2026-11-21T22:00:00Z",
	}}
	if err := unstructured.SetNestedMap(u.Object, status, "status"); err != nil {
		return err
	}
	return c.Client.Status().Update(ctx, u)
}

// Broker plays the RabbitMQ cluster operator and the StatefulSet controller: it reports
// that many ready nodes of a RabbitmqCluster, all of the newest revision.
func (c *Cluster) Broker(ctx context.Context, namespace, name string, ready int32) error {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "rabbitmq.com", Version: "v1beta1", Kind: "RabbitmqCluster"})
	if err := c.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, u); err != nil {
		return err
	}
	status := map[string]any{"observedGeneration": u.GetGeneration(), "conditions": []any{}}
	if err := unstructured.SetNestedMap(u.Object, status, "status"); err != nil {
		return err
	}
	if err := c.Client.Status().Update(ctx, u); err != nil {
		return err
	}
	labels := map[string]string{"app.kubernetes.io/name": name}
	nodes := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name + "-server"},
		Spec: appsv1.StatefulSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
				Containers: []corev1.Container{{Name: "rabbitmq", Image: "x"}},
			}},
		},
	}
	if err := client.IgnoreAlreadyExists(c.Client.Create(ctx, nodes)); err != nil {
		return err
	}
	if err := c.Client.Get(ctx, client.ObjectKeyFromObject(nodes), nodes); err != nil {
		return err
	}
	nodes.Status = appsv1.StatefulSetStatus{
		ObservedGeneration: nodes.Generation, Replicas: 3, ReadyReplicas: ready, UpdatedReplicas: 3,
		CurrentRevision: "r1", UpdateRevision: "r1",
	}
	return c.Client.Status().Update(ctx, nodes)
}

// Deployment plays the Deployment controller: it reports so many replicas of the newest
// template, and so many of all that are available.
func (c *Cluster) Deployment(ctx context.Context, namespace, name string, updated, available int32) error {
	var d appsv1.Deployment
	if err := c.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &d); err != nil {
		return err
	}
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: max(updated, available),
		UpdatedReplicas: updated, ReadyReplicas: available, AvailableReplicas: available,
	}
	return c.Client.Status().Update(ctx, &d)
}

// Switched plays a database that has changed sides: the token that it left when it stepped
// down, and the one by which it was promoted last.
func (c *Cluster) Switched(ctx context.Context, namespace, name, demotion, promotion string) error {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "postgresql.cnpg.io", Version: "v1", Kind: "Cluster"})
	if err := c.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, u); err != nil {
		return err
	}
	for field, token := range map[string]string{"demotionToken": demotion, "lastPromotionToken": promotion} {
		if err := unstructured.SetNestedField(u.Object, token, "status", field); err != nil {
			return err
		}
	}
	return c.Client.Status().Update(ctx, u)
}
