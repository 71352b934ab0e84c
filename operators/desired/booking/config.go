// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
)

// Where the program finds its files.
const (
	configDir        = "/etc/spine/config"
	databaseDir      = "/etc/spine/database"
	tlsDir           = "/etc/spine/tls"
	gatewayClientDir = "/etc/spine/gateway-client"
	tokensDir        = "/etc/spine/tokens"
	providersDir     = "/etc/spine/providers"

	jwksKey    = "jwks.json"
	caKey      = "ca.crt"
	certKey    = "tls.crt"
	privateKey = "tls.key"
)

// ConfigKey is where the ConfigMap has the program's configuration.
const ConfigKey = "booking.yaml"

// Config is the ConfigMap with booking.yaml. The program reads it again when it
// changes, so a change of it restarts nothing.
func Config(b *booking.BookingService, intake booking.Intake) (*corev1.ConfigMap, error) {
	c := booking.ServiceConfig{
		Settings: b.Spec.Settings,
		Intake:   intake,
		Tokens: booking.TokenTrust{
			JWKSFile: tokensDir + "/" + jwksKey,
			Issuer:   b.Spec.Tokens.Issuer,
			Audience: b.Spec.Tokens.Audience,
		},
	}
	if b.Spec.ProviderAccess.CAConfigMap != "" {
		c.ProviderCAFile = providersDir + "/" + caKey
	}
	raw, err := yaml.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("booking.yaml: %w", err)
	}
	// What the program would refuse never reaches it.
	if _, err := booking.ParseServiceConfig(raw); err != nil {
		return nil, err
	}
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: meta(b, configName(b), ComponentService),
		Data:       map[string]string{ConfigKey: string(raw)},
	}, nil
}
