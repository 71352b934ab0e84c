// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"fmt"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/infra/policy"
)

// hostAccess is what the baseline profile of the Pod Security Standards forbids.
func hostAccess(o object, pod policy.Node) []policy.Finding {
	if _, known := hostAgents[o.id()]; known {
		return nil
	}
	found := policy.Unmet(pod, policy.IsNotTrue("hostNetwork"), policy.IsNotTrue("hostPID"), policy.IsNotTrue("hostIPC"))
	for _, volume := range pod.At("volumes").Items() {
		if path := volume.At("hostPath"); !path.Missing() {
			found = append(found, path.Found("the host's folder %s is mounted", path.At("path").Text()))
		}
	}
	for _, c := range containers(pod) {
		found = append(found, policy.Unmet(c.At("securityContext"), policy.IsNotTrue("privileged"),
			policy.OneOf([]string{"", "Default"}, "procMount"))...)
		for _, capability := range c.At("securityContext", "capabilities", "add").Items() {
			if !capability.Hidden() && capability.Text() != "NET_BIND_SERVICE" {
				found = append(found, capability.Found("the capability %s is added", capability.Text()))
			}
		}
		for _, port := range c.At("ports").Items() {
			if host := port.At("hostPort"); host.Number() != 0 {
				found = append(found, host.Found("the host's port %v is taken", host.Number()))
			}
		}
	}
	return found
}

// unprivileged is what the restricted profile asks for besides, and that nothing
// writes into its own image.
func unprivileged(o object, pod policy.Node) []policy.Finding {
	if _, known := hostAgents[o.id()]; known {
		return nil
	}
	var found []policy.Finding
	for _, c := range containers(pod) {
		own := c.At("securityContext")
		found = append(found, policy.Unmet(own, policy.IsFalse("allowPrivilegeEscalation"), policy.IsTrue("readOnlyRootFilesystem"))...)
		if user := either(own, pod, "runAsUser"); user.Value == 0.0 {
			found = append(found, user.Found("it runs as root"))
		}
		if n := either(own, pod, "runAsNonRoot"); n.NotTrue() {
			found = append(found, n.Found("it may run as root: it must be true, here or for the pod"))
		}
		profile := either(own, pod, "seccompProfile").At("type")
		if !profile.Hidden() && !slices.Contains([]string{"RuntimeDefault", "Localhost"}, profile.Text()) {
			found = append(found, profile.Found("system calls are not filtered: it must be RuntimeDefault, here or for the pod"))
		}
		if drop := own.At("capabilities", "drop"); !drop.Hidden() && !strings.Contains(fmt.Sprint(drop.Value), "ALL") {
			found = append(found, drop.Found("it keeps capabilities: it must be [ALL]"))
		}
	}
	return found
}

// either is a container's own setting, or else its pod's.
func either(own, pod policy.Node, key string) policy.Node {
	if n := own.At(key); !n.Missing() {
		return n
	}
	if n := pod.At("securityContext", key); !n.Missing() {
		return n
	}
	return own.At(key)
}

func resources(_ object, pod policy.Node) []policy.Finding {
	var found []policy.Finding
	for _, c := range containers(pod) {
		found = append(found, policy.Unmet(c.At("resources"), policy.IsSet("requests", "cpu"),
			policy.IsSet("requests", "memory"), policy.IsSet("limits", "memory"))...)
	}
	return found
}

func ownAccount(o object, pod policy.Node) []policy.Finding {
	var found []policy.Finding
	if n := o.At("metadata", "namespace"); !n.Hidden() && (o.namespace == "" || o.namespace == "default") {
		found = append(found, n.Found("it is in the namespace default"))
	}
	account := pod.At("serviceAccountName")
	if token := pod.At("automountServiceAccountToken"); token.NotTrue() && token.Value == false {
		return found
	}
	if !account.Hidden() && (account.Text() == "" || account.Text() == "default") {
		found = append(found, account.Found("it has the account that all pods of its namespace share"))
	}
	return found
}

func imagesByDigest(_ object, pod policy.Node) []policy.Finding {
	var found []policy.Finding
	for _, c := range containers(pod) {
		image := c.At("image")
		if !image.Hidden() && !strings.Contains(image.Text(), "@sha256:") {
			found = append(found, image.Found("%q is no address by digest: what it names can change", image.Text()))
		}
	}
	return found
}
