// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// ServiceConfig is the file booking.yaml, which the booking program is started
// with: the settings of the BookingService, and where the files are that its
// pod was given.
type ServiceConfig struct {
	Settings `json:",inline"`

	// tokens says which bearer tokens the API accepts.
	Tokens TokenTrust `json:"tokens"`

	// intake is Open (default), or Closed while the service is being deleted:
	// then whatever would make or change a referral or an appointment is
	// answered 503, except what undoes one. Stopped while the service is not
	// awake: then every request is answered 503, and no evening poll begins.
	// +optional
	Intake Intake `json:"intake,omitempty"`

	// providerCAFile is the certificate authority of providers' systems: an
	// absolute path of a PEM file. Empty: the operating system's authorities.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	ProviderCAFile string `json:"providerCAFile,omitempty"`
}

// Intake says whether new work is taken.
// +kubebuilder:validation:Enum=Open;Closed;Stopped
type Intake string

const (
	// IntakeOpen takes new work.
	IntakeOpen Intake = "Open"
	// IntakeClosed takes none, so that what is there can be counted for good.
	IntakeClosed Intake = "Closed"
	// IntakeStopped lets nobody in at all, so that nothing changes any more.
	IntakeStopped Intake = "Stopped"
)

// TokenTrust says which bearer tokens the API accepts.
type TokenTrust struct {
	// jwksFile holds the public keys as a JSON Web Key Set: an absolute path.
	// It is read again when it changes.
	// +kubebuilder:validation:MaxLength=256
	JWKSFile string `json:"jwksFile"`

	// issuer that a token must name. 1 to 256 characters.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Issuer string `json:"issuer"`

	// audience that a token must name. 1 to 256 characters.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Audience string `json:"audience"`
}

// maxConfigBytes is more than any configuration needs.
const maxConfigBytes = 64 << 10

// ParseServiceConfig reads booking.yaml: strictly, then fills in defaults and
// validates. The error lists every problem with its path.
func ParseServiceConfig(raw []byte) (*ServiceConfig, error) {
	if len(raw) > maxConfigBytes {
		return nil, fmt.Errorf("booking configuration: %d bytes: at most %d are expected", len(raw), maxConfigBytes)
	}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw)))
	first, err := documents.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("booking configuration: not valid YAML: %w", err)
	}
	if more, err := documents.Read(); !errors.Is(err, io.EOF) || len(bytes.TrimSpace(more)) > 0 {
		return nil, errors.New("booking configuration: more than one document: keep one")
	}
	asJSON, err := yaml.YAMLToJSONStrict(first)
	if err != nil {
		return nil, fmt.Errorf("booking configuration: not valid YAML: %w", err)
	}
	c := &ServiceConfig{}
	unknown, err := json.UnmarshalStrict(asJSON, c)
	if err != nil {
		return nil, fmt.Errorf("booking configuration: a value of the wrong type: %w", err)
	}
	c.Default()
	problems := c.Validate().ToAggregate()
	if problems != nil {
		unknown = append(unknown, problems.Errors()...)
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("booking configuration: %w", utilerrors.NewAggregate(unknown))
	}
	return c, nil
}
