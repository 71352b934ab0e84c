// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/hack/local/trial"
)

// These are what the directory of services begins with: enough for the load
// generator, too.
const (
	seededServices = "300"
	seededSlots    = "200"
)

// clients is where the site's clients find what they need.
func (w *workspace) clients() trial.Clients {
	return trial.Clients{Dir: filepath.Join(w.home, "clients")}
}

// wanted are the services of the stack's config, as far as this command cares.
type wanted struct {
	Messaging *struct{} `json:"messaging"`
	Booking   *struct {
		Tokens struct {
			Issuer   string `json:"issuer"`
			Audience string `json:"audience"`
		} `json:"tokens"`
	} `json:"booking"`
}

// services reads the stack's config. What is wrong in it is for pulumi to say.
func (w *workspace) services() (wanted, error) {
	file := w.ConfigFile
	if file == "" {
		file = filepath.Join(w.root, "environments", "Pulumi."+w.Stack+".yaml")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return wanted{}, err
	}
	var config struct {
		Config struct {
			Environment wanted `json:"spine:environment"`
		} `json:"config"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		return wanted{}, fmt.Errorf("%s: %w", file, err)
	}
	found := config.Config.Environment
	if found.Booking != nil && found.Booking.Tokens.Audience == "" {
		found.Booking.Tokens.Audience = "ers"
	}
	return found, nil
}

// signTokens makes the key for tokens of the booking API, whose public half is in
// the config.
func (w *workspace) signTokens() error {
	services, err := w.services()
	if err != nil || services.Booking == nil {
		return err
	}
	return w.clients().Tokens(services.Booking.Tokens.Issuer, services.Booking.Tokens.Audience)
}

// first sends a first message and makes a first booking, through the address
// that everybody uses.
func (w *workspace) first(ctx context.Context) error {
	services, err := w.services()
	if err != nil || services.Messaging == nil {
		return err
	}
	out, err := w.outputs(ctx)
	if err != nil {
		return err
	}
	kubectl := func(ctx context.Context, args ...string) ([]byte, error) { return w.output(ctx, "kubectl", args...) }
	if err := w.clients().Fetch(ctx, kubectl); err != nil {
		return err
	}
	id, err := w.clients().Message(ctx, out.Services["mesh"])
	if err != nil {
		return fmt.Errorf("the first message: %w", err)
	}
	fmt.Printf("    message %s went from %s to %s and was acknowledged\n", id, trial.Sender, trial.Receiver)
	if services.Booking == nil {
		return nil
	}
	booked, err := w.clients().Book(ctx, out.Services["booking"])
	if errors.Is(err, trial.ErrNoSlots) {
		fmt.Printf("    the directory is empty: making up %s services with %s slots each\n", seededServices, seededSlots)
		if err := w.run(ctx, "kubectl", "exec", "--namespace=spine-booking", "deployment/ers-service", "--",
			"/booking-service", "seed", "--services="+seededServices, "--slots="+seededSlots); err != nil {
			return err
		}
		booked, err = w.clients().Book(ctx, out.Services["booking"])
	}
	if err != nil {
		return fmt.Errorf("the first booking: %w", err)
	}
	fmt.Printf("    referral %s has an appointment at %s\n", booked.UBRN, booked.Start)
	return nil
}

// showServices says how to try the services.
func (w *workspace) showServices(out stackOutputs) {
	if out.Services["mesh"] == "" {
		return
	}
	dir := w.clients().Dir
	fmt.Printf(`
  MESH API         %s
    curl --cacert %[2]s/ca.crt --cert %[2]s/%[3]s.crt --key %[2]s/%[3]s.key \
      -H "Authorization: $(go run ./hack/local mesh-token --stack %[4]s %[3]s)" \
      %[1]s/messageexchange/%[3]s/inbox
  Bulk interface   %[5]s
    curl --cacert %[2]s/ca.crt --cert %[2]s/RXH001.crt --key %[2]s/RXH001.key \
      -H 'Content-Type: application/json' -d '{"max": 10, "waitSeconds": 1}' \
      %[5]s/v1/mailboxes/RXH001/messages:receive
`, out.Services["mesh"], dir, trial.Sender, w.Stack, out.Services["bulk"])
	if out.Services["booking"] == "" {
		return
	}
	fmt.Printf(`  e-RS FHIR API    %s/FHIR/STU3
    curl --cacert %[2]s/ca.crt -H "Authorization: Bearer $(head -1 %[2]s/staff.jwt)" \
      -H 'NHSD-End-User-Organisation-ODS: %[3]s' -H 'NHSD-eRS-Business-Function: %[4]s' \
      '%[1]s/FHIR/STU3/Slot?schedule.actor:HealthcareService=11000&appointmentType=ROUTINE&status=free&_count=3&page=1&_include=Slot:schedule'
  Pages            %[1]s  (staff: %[1]s/staff, with a line of %[2]s/staff.jwt as the token)
`, out.Services["booking"], dir, trial.Practice, trial.Role)
}
