// SPDX-License-Identifier: Apache-2.0

package fhir

import _ "embed"

// OpenAPI describes the operations of this package and their answers; it is
// served at /FHIR/openapi.yaml.
//
//go:embed openapi.yaml
var OpenAPI []byte
