// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
)

// SignIn implements Front. A code has 59 random bits, so one SHA-256 with a
// salt keeps it well; a slow hash would only let sign-ins tie up the service.
func (d *Desk) SignIn(ctx context.Context, ubrn domain.UBRN, accessCode string) (domain.Caller, error) {
	salt, want, err := d.store.AccessHash(ctx, ubrn)
	unknown := errors.Is(err, domain.ErrNotFound)
	if err != nil && !unknown {
		return domain.Caller{}, err
	}
	got := hashAccess(salt, accessCode)
	if unknown || subtle.ConstantTimeCompare(got, want) != 1 {
		return domain.Caller{}, domain.ErrSignIn
	}
	return domain.Caller{Application: "pages", Role: domain.PatientRole, UBRN: ubrn}, nil
}

func newAccess(code string) store.Access {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	return store.Access{Salt: salt, Hash: hashAccess(salt, code)}
}

// hashAccess ignores case, spaces and dashes: people type the code from paper.
func hashAccess(salt []byte, code string) []byte {
	code = strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(strings.TrimSpace(code)))
	sum := sha256.Sum256(append(append([]byte{}, salt...), code...))
	return sum[:]
}
