// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	// Scheme is the first word of the header.
	Scheme = "NHSMESH"
	// Window is how far a token's timestamp may be from the server's clock, either way.
	Window = 2 * time.Hour

	layout = "200601021504"
	// maxHeader is ample: the longest mailbox ID, nonce and count together stay below half of it.
	maxHeader = 512
	maxNonce  = 128
)

// Errors of Parse and Check. None of them tells an attacker more than the published service does.
var (
	// ErrMissing: there is no header.
	ErrMissing = errors.New("the Authorization header is missing")
	// ErrMalformed: the header is not of the form above.
	ErrMalformed = errors.New("the Authorization header is malformed: it must be NHSMESH mailbox:nonce:count:yyyyMMddHHmm:hash")
	// ErrHash: the hash does not follow from the password and the shared key.
	ErrHash = errors.New("the hash in the Authorization header is wrong: check the password, the shared key and how they are joined")
	// ErrTime: the timestamp is outside the window.
	ErrTime = errors.New("the timestamp in the Authorization header is more than 2 hours from the server's clock: it must be UTC now")
)

// Token returns the value of the Authorization header for one request. Count must differ for each use of a nonce.
func Token(mailbox, password, sharedKey, nonce string, count uint64, at time.Time) string {
	h := Header{Mailbox: mailbox, Nonce: nonce, Count: strconv.FormatUint(count, 10), Timestamp: at.UTC().Format(layout)}
	mac := h.mac(password, sharedKey)
	return Scheme + " " + h.Mailbox + ":" + h.Nonce + ":" + h.Count + ":" + h.Timestamp + ":" + hex.EncodeToString(mac[:])
}

// Header is what a request says of itself; nothing in it is to be believed before Check.
type Header struct {
	Mailbox, Nonce string
	// Count is digits as the caller wrote them, because the hash covers them so.
	Count string
	// Timestamp is 12 digits, UTC to the minute.
	Timestamp string
	hash      [sha256.Size]byte
	count     uint64
	at        time.Time
}

// Parse reads the header. The errors are ErrMissing and ErrMalformed.
func Parse(value string) (Header, error) {
	value = strings.TrimSpace(value)
	if value == "" {
		return Header{}, ErrMissing
	}
	if len(value) > maxHeader || len(value) <= len(Scheme) || value[len(Scheme)] != ' ' ||
		!strings.EqualFold(value[:len(Scheme)], Scheme) {
		return Header{}, ErrMalformed
	}
	var h Header
	var hash string
	rest := strings.TrimLeft(value[len(Scheme)+1:], " ")
	for _, part := range []*string{&h.Mailbox, &h.Nonce, &h.Count, &h.Timestamp} {
		var found bool
		if *part, rest, found = strings.Cut(rest, ":"); !found {
			return Header{}, ErrMalformed
		}
	}
	hash = rest
	if h.Mailbox == "" || h.Nonce == "" || len(h.Nonce) > maxNonce || len(hash) != 2*len(h.hash) || !plain(value) {
		return Header{}, ErrMalformed
	}
	if _, err := hex.Decode(h.hash[:], []byte(hash)); err != nil {
		return Header{}, ErrMalformed
	}
	var err error
	if !digits(h.Count) {
		return Header{}, ErrMalformed
	}
	if h.count, err = strconv.ParseUint(h.Count, 10, 64); err != nil {
		return Header{}, ErrMalformed
	}
	if len(h.Timestamp) != len(layout) || !digits(h.Timestamp) {
		return Header{}, ErrMalformed
	}
	if h.at, err = time.Parse(layout, h.Timestamp); err != nil {
		return Header{}, ErrMalformed
	}
	return h, nil
}

// Check says whether the header was made by somebody who knows both secrets, and lately. The errors are ErrHash and
// ErrTime. Comparing takes the same time wherever the hashes differ.
func (h *Header) Check(password, sharedKey string, now time.Time) error {
	mac := h.mac(password, sharedKey)
	if !hmac.Equal(mac[:], h.hash[:]) {
		return ErrHash
	}
	if d := now.Sub(h.at); d > Window || d < -Window {
		return ErrTime
	}
	return nil
}

func (h *Header) mac(password, sharedKey string) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, []byte(sharedKey))
	text := make([]byte, 0, 256)
	for i, part := range [...]string{h.Mailbox, h.Nonce, h.Count, password, h.Timestamp} {
		if i > 0 {
			text = append(text, ':')
		}
		text = append(text, part...)
	}
	_, _ = mac.Write(text)
	mac.Sum(sum[:0])
	return sum
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// plain says that the text has neither control nor other than ASCII characters.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
