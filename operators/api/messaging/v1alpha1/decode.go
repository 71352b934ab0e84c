// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/util/yaml"
)

// DecodeGatewayConfig reads gateway.yaml: unknown keys are errors, absent values become
// their defaults, and what is wrong is reported at once, each with its field.
func DecodeGatewayConfig(data []byte) (*GatewayConfig, error) {
	asJSON, err := yaml.ToJSON(data)
	if err != nil {
		return nil, fmt.Errorf("gateway config: %w: expected YAML", err)
	}
	var c GatewayConfig
	d := json.NewDecoder(bytes.NewReader(asJSON))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("gateway config: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("gateway config: expected one document and nothing after it")
	}
	c.Default()
	if errs := c.Validate(); len(errs) > 0 {
		return nil, fmt.Errorf("gateway config: %w", errs.ToAggregate())
	}
	return &c, nil
}
