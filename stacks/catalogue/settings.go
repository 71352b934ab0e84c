// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"encoding/json"
	"errors"

	"spine.nhs.uk/controlplane/environments"
)

// settings takes the kind and the environment out of a stack's configuration. What else is
// in it, secrets among it, is not looked at.
func settings(raw []byte) (environments.Kind, []byte, error) {
	var file struct {
		Config struct {
			Kind        environments.Kind `json:"spine:kind"`
			Environment json.RawMessage   `json:"spine:environment"`
		} `json:"config"`
	}
	// The decoder's own words may quote what it read.
	if json.Unmarshal(raw, &file) != nil || file.Config.Kind == "" {
		return "", nil, errors.New("spine:kind and spine:environment are not where they should be, under config")
	}
	return file.Config.Kind, file.Config.Environment, nil
}
