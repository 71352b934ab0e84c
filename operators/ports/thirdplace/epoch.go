// SPDX-License-Identifier: Apache-2.0

package thirdplace

import (
	"fmt"
	"strconv"
)

// Before the first epoch nothing was sent anywhere.
const Before int64 = -1

// EpochName is the name of the TXT record, beside the first of the names, that keeps the highest
// epoch by which traffic was sent.
func EpochName(names []string) string { return "_epoch." + names[0] }

// ReadEpoch reads the epoch of the records at EpochName: Before when there is none.
func ReadEpoch(name string, values []string) (int64, error) {
	if len(values) == 0 {
		return Before, nil
	}
	epoch, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil || len(values) > 1 || epoch < 0 || WriteEpoch(epoch) != values[0] {
		return 0, fmt.Errorf("%s does not hold one number", name)
	}
	return epoch, nil
}

// WriteEpoch is an epoch as the record has it.
func WriteEpoch(epoch int64) string { return strconv.FormatInt(epoch, 10) }

// CheckEpoch refuses an epoch that is over.
func CheckEpoch(epoch, before int64) error {
	if epoch < before {
		return fmt.Errorf("epoch %d is over: clients were sent elsewhere by epoch %d", epoch, before)
	}
	return nil
}
