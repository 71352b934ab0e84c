// SPDX-License-Identifier: Apache-2.0

package loopback

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/token"
)

// bookingConfig trusts the tokens that the site mints; nobody polls providers, as the slots are the service's own.
const bookingConfig = `tokens: {jwksFile: %s, issuer: loopback, audience: ers}
poll: {mode: "Off"}
`

// Seeded services, and free slots of each.
const (
	seededServices = 300
	seededSlots    = 280
)

// startBooking starts the booking service when it was asked for, with services and slots to book.
func (s *Site) startBooking(ctx context.Context) error {
	if !s.options.Bookings {
		return nil
	}
	path, err := s.build(ctx, "booking-service")
	if err != nil {
		return err
	}
	dir := filepath.Join(s.dir, "booking")
	if err := s.platform.secret(filepath.Join(dir, "tls"), "ers-service"); err != nil {
		return err
	}
	if err := s.gatewayClient(filepath.Join(dir, "gateway-client")); err != nil {
		return err
	}
	keys, err := s.staff()
	if err != nil {
		return err
	}
	config := filepath.Join(dir, "config")
	if err := write(config, map[string]string{
		"jwks.json": string(keys), "booking.yaml": fmt.Sprintf(bookingConfig, filepath.Join(config, "jwks.json")),
	}); err != nil {
		return err
	}
	database := "--database-dir=" + filepath.Join(dir, "database")
	s.BookingURL = s.url(3)
	s.Booking = s.program(path, filepath.Join(dir, "booking.log"), s.url(4), "serve",
		"--address="+s.address(3), "--ops-address="+s.address(4), "--config="+filepath.Join(config, "booking.yaml"), database,
		"--tls-dir="+filepath.Join(dir, "tls"), "--gateway-url="+s.BulkURL, "--gateway-tls-dir="+filepath.Join(dir, "gateway-client"))
	if err := s.Booking.Start(ctx); err != nil {
		return err
	}
	seed := exec.CommandContext(ctx, path, "seed", database, fmt.Sprintf("--services=%d", seededServices), fmt.Sprintf("--slots=%d", seededSlots))
	if out, err := seed.CombinedOutput(); err != nil {
		return fmt.Errorf("seed the booking service: %w: %s", err, out)
	}
	return nil
}

// gatewayClient is what the booking service shows the gateway: the certificate of mailbox ERS, and whom to trust.
func (s *Site) gatewayClient(dir string) error {
	files := map[string]string{"ca.crt": string(s.platform.pem)}
	for from, to := range map[string]string{"ERS.crt": "tls.crt", "ERS.key": "tls.key"} {
		content, err := os.ReadFile(filepath.Join(s.Clients, from))
		if err != nil {
			return err
		}
		files[to] = string(content)
	}
	return write(dir, files)
}

// staff mints tokens for staff of several practices, and returns the keys to check them with.
func (s *Site) staff() ([]byte, error) {
	key, err := token.NewKey()
	if err != nil {
		return nil, err
	}
	issuer, err := token.NewIssuer(key, token.Trust{Issuer: "loopback", Audience: "ers"})
	if err != nil {
		return nil, err
	}
	var lines strings.Builder
	for n := range 4 {
		who := domain.Caller{Application: fmt.Sprintf("load-%d", n), User: fmt.Sprintf("55555555%04d", n), Organisation: fmt.Sprintf("A8%04d", n)}
		raw, err := issuer.Mint(who, []domain.Role{domain.ReferringClinician}, time.Now(), validity)
		if err != nil {
			return nil, err
		}
		lines.WriteString(raw + "\n")
	}
	if err := write(s.Clients, map[string]string{"staff.jwt": lines.String()}); err != nil {
		return nil, err
	}
	return issuer.KeySet()
}
