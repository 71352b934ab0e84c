// SPDX-License-Identifier: Apache-2.0

package domain

import (
	"log/slog"
	"strings"
)

// NHSNumber is a patient's number: 10 digits, the last a modulus 11 check
// digit (NHS Data Dictionary). It is patient data: it never enters a log, a
// URL, an error text or an audit row.
type NHSNumber string

// String keeps the number out of logs and error texts that print a struct.
func (NHSNumber) String() string { return "(NHS number)" }

// GoString keeps it out of %#v as well.
func (NHSNumber) GoString() string { return "(NHS number)" }

// LogValue keeps it out of structured logs.
func (NHSNumber) LogValue() slog.Value { return slog.StringValue("(NHS number)") }

// Digits is the number itself, for the answer to someone who may see it.
func (n NHSNumber) Digits() string { return string(n) }

// ParseNHSNumber reads an NHS number, with or without spaces. The error never
// repeats what was given.
func ParseNHSNumber(text string) (NHSNumber, error) {
	invalid := &InvalidError{Field: "NHS number", Want: "10 digits with a valid check digit", Fix: "trace the patient in PDS and send the number found there"}
	if len(text) > 20 {
		return "", invalid
	}
	digits := strings.ReplaceAll(strings.TrimSpace(text), " ", "")
	if len(digits) != 10 || strings.Trim(digits, "0123456789") != "" {
		return "", invalid
	}
	sum := 0
	for i := range 9 {
		sum += int(digits[i]-'0') * (10 - i)
	}
	check := (11 - sum%11) % 11
	if check == 10 || check != int(digits[9]-'0') {
		return "", invalid
	}
	return NHSNumber(digits), nil
}
