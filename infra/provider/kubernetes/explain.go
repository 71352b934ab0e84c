// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// maxPodReasons bounds what one workload says about its pods: they mostly fail alike.
const maxPodReasons = 3

// explainNotReady says, for each object, what its status says and, for workloads, what
// stops its pods: "Deployment kube-system/coredns: Available: 1/3; pod coredns-x: ...".
func (c *cluster) explainNotReady(ctx context.Context, pending []*unstructured.Unstructured, reasons map[string]string, within time.Duration) error {
	e := &NotReadyError{Within: within}
	for _, o := range pending {
		parts := append([]string{reasons[keyOfObject(o)]}, c.podReasons(ctx, o)...)
		e.Reasons = append(e.Reasons, subject(o)+": "+strings.Join(parts, "; "))
	}
	return e
}

// podReasons looks at the pods that a workload selects; nothing when it selects none or
// they cannot be listed, since the status already says that the object is not ready.
func (c *cluster) podReasons(ctx context.Context, o *unstructured.Unstructured) []string {
	switch o.GetKind() {
	case "Deployment", "DaemonSet", "StatefulSet":
	default:
		return nil
	}
	labels, found, err := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
	if err != nil || !found {
		return nil
	}
	pods := &corev1.PodList{}
	if err := c.client.List(ctx, pods, client.InNamespace(o.GetNamespace()), client.MatchingLabels(labels)); err != nil {
		return nil
	}
	if len(pods.Items) == 0 {
		return []string{"it has no pods: see `kubectl -n " + o.GetNamespace() + " describe " + strings.ToLower(o.GetKind()) + " " + o.GetName() + "`"}
	}
	var out []string
	for i := range pods.Items {
		if why := podReason(&pods.Items[i]); why != "" {
			out = append(out, fmt.Sprintf("pod %s: %s", pods.Items[i].Name, why))
		}
	}
	slices.Sort(out)
	return out[:min(len(out), maxPodReasons)]
}

// podReason says what stops a pod; empty when nothing does.
func podReason(pod *corev1.Pod) string {
	for _, cond := range pod.Status.Conditions {
		if cond.Type == corev1.PodScheduled && cond.Status == corev1.ConditionFalse {
			return "not scheduled: " + cond.Message
		}
	}
	for _, cs := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		switch {
		case cs.State.Waiting != nil && cs.State.Waiting.Reason != "PodInitializing":
			why := cs.State.Waiting.Reason
			if cs.State.Waiting.Message != "" {
				why += ": " + cs.State.Waiting.Message
			}
			if t := cs.LastTerminationState.Terminated; t != nil {
				why += fmt.Sprintf(" (last exit code %d: %s)", t.ExitCode, t.Reason)
			}
			return fmt.Sprintf("container %s: %s", cs.Name, why)
		case cs.State.Running != nil && !cs.Ready && isMainContainer(pod, cs.Name):
			return fmt.Sprintf("container %s runs on %s but is not ready", cs.Name, pod.Spec.NodeName)
		}
	}
	return ""
}

func isMainContainer(pod *corev1.Pod, name string) bool {
	return slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool { return c.Name == name })
}

// heldBy says what keeps an object from going away: who holds it and, when that is in its
// status, why.
func heldBy(o *unstructured.Unstructured) string {
	finalizers := o.GetFinalizers()
	if len(finalizers) == 0 {
		return "still being deleted"
	}
	text := "held by finalizers " + strings.Join(finalizers, ", ")
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, entry := range conditions {
		if cond, _ := entry.(map[string]any); cond["type"] == "Stalled" && cond["status"] == "True" {
			text += fmt.Sprintf(": %v: %v", cond["reason"], cond["message"])
		}
	}
	return text
}
