// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/token"
)

const (
	// staff is how many tokens there are, each of another application: the API
	// limits what one may ask.
	staff = 4
	// tokenValidity is how long they are good for; the next "up" makes new ones.
	tokenValidity = 24 * time.Hour
	// Practice is the organisation of the first of them, whose bearer has the role
	// Role.
	Practice = "A80000"
	Role     = domain.ReferringClinician
)

// Tokens makes the key that signs tokens, when there is none yet, and tokens by
// it that the issuer and audience are in.
func (c Clients) Tokens(issuer, audience string) error {
	key, err := os.ReadFile(c.path("token.key"))
	if errors.Is(err, fs.ErrNotExist) {
		if key, err = token.NewKey(); err == nil {
			err = c.write("token.key", key)
		}
	}
	if err != nil {
		return err
	}
	mint, err := token.NewIssuer(key, token.Trust{Issuer: issuer, Audience: audience})
	if err != nil {
		return fmt.Errorf("%s: %w; remove it to have another made", c.path("token.key"), err)
	}
	keys, err := mint.KeySet()
	if err != nil {
		return err
	}
	var lines []byte
	for n := range staff {
		who := domain.Caller{Application: fmt.Sprintf("local-%d", n), User: fmt.Sprintf("55555555%04d", n), Organisation: fmt.Sprintf("A8%04d", n)}
		raw, err := mint.Mint(who, []domain.Role{Role}, time.Now(), tokenValidity)
		if err != nil {
			return err
		}
		lines = append(lines, raw+"\n"...)
	}
	return errors.Join(c.write("jwks.json", keys), c.write("staff.jwt", lines))
}
