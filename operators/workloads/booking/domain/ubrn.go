// SPDX-License-Identifier: Apache-2.0

package domain

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// UBRN is a unique booking reference number: 12 decimal digits.
//
// e-RS publishes its length and nothing about a check digit, and the published
// examples (000000070000, 000000070001, ...) have none, so any 12 digits are
// accepted. Those that this service issues end in a Luhn digit: a mistyped
// digit then never names another patient's referral, and MistypedLikely can
// say so.
type UBRN string

// ubrnLength is the published length, in digits.
const ubrnLength = 12

// ParseUBRN reads a UBRN, with or without the spaces that patient letters
// print between groups of four digits.
func ParseUBRN(text string) (UBRN, error) {
	if len(text) > 2*ubrnLength {
		return "", &InvalidError{Field: "UBRN", Want: "12 digits", Fix: "copy the booking reference from the letter, for example 0000 0007 0001"}
	}
	digits := strings.ReplaceAll(strings.TrimSpace(text), " ", "")
	if len(digits) != ubrnLength || strings.Trim(digits, "0123456789") != "" {
		return "", &InvalidError{Field: "UBRN", Want: "12 digits", Fix: "copy the booking reference from the letter, for example 0000 0007 0001"}
	}
	return UBRN(digits), nil
}

// NewUBRN draws a UBRN of 11 random digits and a Luhn digit. Numbers are not
// guessable from each other; the caller draws again on the (rare) collision.
func NewUBRN(random io.Reader) (UBRN, error) {
	var raw [8]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", fmt.Errorf("draw a UBRN: %w", err)
	}
	// The modulo's bias is below 1e-8: 2^64 is 1.8e8 times the range.
	body := fmt.Sprintf("%011d", binary.BigEndian.Uint64(raw[:])%100_000_000_000)
	return UBRN(body + string(luhn(body))), nil
}

// UBRNFromNumber is the UBRN with this number, 0 to 999,999,999,999.
func UBRNFromNumber(number int64) UBRN { return UBRN(fmt.Sprintf("%012d", number)) }

// Number is how the database keeps a UBRN: a third of the bytes of its text.
func (u UBRN) Number() int64 {
	number, err := strconv.ParseInt(string(u), 10, 64)
	if err != nil {
		return -1 // not made by ParseUBRN or NewUBRN; matches no row
	}
	return number
}

// Spaced is the form that people read: 0000 0007 0001.
func (u UBRN) Spaced() string {
	if len(u) != ubrnLength {
		return string(u)
	}
	return string(u[:4] + " " + u[4:8] + " " + u[8:])
}

// MistypedLikely reports whether this service would never issue the number. It
// is advice for a "not found" answer, never a reason to refuse one.
func (u UBRN) MistypedLikely() bool {
	return len(u) != ubrnLength || luhn(string(u[:ubrnLength-1])) != u[ubrnLength-1]
}

func luhn(digits string) byte {
	sum, double := 0, true
	for i := len(digits) - 1; i >= 0; i-- {
		digit := int(digits[i] - '0')
		if double {
			if digit *= 2; digit > 9 {
				digit -= 9
			}
		}
		sum, double = sum+digit, !double
	}
	return byte('0' + (10-sum%10)%10)
}
