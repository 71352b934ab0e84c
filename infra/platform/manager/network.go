// SPDX-License-Identifier: Apache-2.0

package manager

// policy lets the manager out, by the rules given and no further.
func policy(name string, rules ...any) map[string]any {
	return map[string]any{
		"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
		"metadata": map[string]any{"namespace": namespace, "name": name},
		"spec": map[string]any{
			"podSelector": map[string]any{"matchLabels": map[string]any{"app.kubernetes.io/name": "spine-manager"}},
			"policyTypes": []any{"Egress"},
			"egress":      rules,
		},
	}
}

// egress to networks, by TCP.
func egress(networks []string, ports ...int) any {
	to, on := []any{}, []any{}
	for _, n := range networks {
		to = append(to, map[string]any{"ipBlock": map[string]any{"cidr": n}})
	}
	for _, p := range ports {
		on = append(on, map[string]any{"protocol": "TCP", "port": p})
	}
	return map[string]any{"to": to, "ports": on}
}
