// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

const configKey = "gateway.yaml"

// GatewayFiles is the ConfigMap with gateway.yaml. Gateways read it again when it changes:
// a new route starts no change of pods. A service that is closing refuses every new message.
func GatewayFiles(m *api.MessagingService, closing bool) (*corev1.ConfigMap, error) {
	config := api.GatewayConfig{
		Service:     m.Namespace + "/" + m.Name,
		Acknowledge: m.Spec.Acknowledge,
		Limits:      m.Spec.Gateway.Limits,
		Retention:   m.Spec.Retention,
		Suppliers:   Suppliers(m),
		Routes:      slices.Clone(m.Spec.Routes),
	}
	config.Default()
	for i := range config.Routes {
		if closing {
			config.Routes[i].Traffic = api.TrafficStopped
		}
	}
	text, err := yaml.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", configKey, err)
	}
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: meta(m, GatewayName(m), Gateway),
		Data:       map[string]string{configKey: string(text)},
	}, nil
}
