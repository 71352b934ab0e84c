// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
)

// Key makes a change repeatable: the same key with the same content by the
// same application gives the first answer again and changes nothing; with
// other content it is a *domain.KeyConflictError. The zero Key does neither.
type Key struct {
	Value string   // at most MaxKey characters; empty: not repeatable
	Hash  [32]byte // SHA-256 of the operation and what it was asked with
}

// MaxKey bounds Key.Value, in bytes.
const MaxKey = 128

// NewKey makes the key of an operation ("book") that was asked with content,
// which must be plain data.
func NewKey(value, operation string, content ...any) Key {
	text, err := json.Marshal(content)
	if err != nil { // never for plain data; and no content equals another's then
		text = []byte(err.Error())
	}
	return Key{Value: value, Hash: sha256.Sum256(append([]byte(operation+"\x00"), text...))}
}

// of is the store's key: keys of different applications, and of different
// signed-in patients, never meet.
func (k Key) of(who domain.Caller) store.Key {
	return store.Key{Application: who.Application + "/" + string(who.UBRN), Value: k.Value, Hash: k.Hash}
}

func (k Key) check() error {
	if len(k.Value) > MaxKey {
		return domain.InvalidErrors{{Field: "request identifier", Want: fmt.Sprintf("at most %d characters", MaxKey), Fix: "send a UUID"}}
	}
	return nil
}
