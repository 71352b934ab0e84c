// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"errors"
)

// ErrWaivers says that an environment's waivers cannot be read.
var ErrWaivers = errors.New("the waivers of spine:environment cannot be read: each is a mapping of texts " +
	"with rule, resource, property, owner, reason, from and until")

// DecodeWaivers takes the waivers out of an environment's configuration, as it stands
// under spine:environment; none when the environment is empty. The program validates
// the whole. The error repeats nothing of what it could not read.
func DecodeWaivers(environment []byte) ([]Waiver, error) {
	if len(environment) == 0 {
		return nil, nil
	}
	var given struct {
		Waivers []Waiver `json:"waivers"`
	}
	if json.Unmarshal(environment, &given) != nil {
		return nil, ErrWaivers
	}
	return given.Waivers, nil
}
