// SPDX-License-Identifier: Apache-2.0

// Package loopback runs the services with their real engines on this machine's loopback alone, with certificates of
// their own that are thrown away: to try things out, to profile, and for the tests in which the checker proves itself.
// It needs root and the engines' root file systems, as package engines says.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"spine.nhs.uk/controlplane/hack/load/fleet"
	"spine.nhs.uk/controlplane/operators/operatortest/engines"
)

// Options of a site.
type Options struct {
	// Dir is an empty folder for everything.
	Dir string
	// Root is the checkout that the programs are built from.
	Root string
	// Tags are the build tags of the programs.
	Tags []string
	// Environment is added to the programs', as NAME=VALUE.
	Environment []string
	// BasePort is the first of 8 ports to listen on; 0 for free ones.
	BasePort int
	// Messages and Bookings say which of the services run. Without the gateway, the booking service's events wait.
	Messages, Bookings bool
}

// Mailboxes of the load generator that a site has.
const Mailboxes = 8

// Site is the services at work.
type Site struct {
	// RabbitMQ, Gateway and Booking are nil when they were not asked for.
	Postgres, RabbitMQ *engines.Server
	Gateway, Booking   *Program
	// Clients is the folder of package fleet.
	Clients string
	// BulkURL, MeshURL and OpsURL are the gateway's; BookingURL is the booking service's.
	BulkURL, MeshURL, OpsURL, BookingURL string

	dir               string
	options           Options
	platform, clients *authority
	proxy             *proxy
	ports             []int
}

// Start builds the programs and starts everything. After an error nothing is left running.
func Start(ctx context.Context, o Options) (_ *Site, err error) {
	s := &Site{dir: o.Dir, options: o, Clients: filepath.Join(o.Dir, "clients")}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.platform, err = newAuthority("spine-ca"); err != nil {
		return nil, err
	}
	if s.clients, err = newAuthority("spine-clients"); err != nil {
		return nil, err
	}
	if s.ports, err = ports(o.BasePort, 8); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{s.startEngines, s.fleet, s.startGateway, s.startBooking} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Close ends everything; the folder is left to its owner.
func (s *Site) Close() error {
	var errs []error
	for _, p := range []*Program{s.Booking, s.Gateway} {
		if p != nil {
			errs = append(errs, p.Kill())
		}
	}
	if s.proxy != nil {
		errs = append(errs, s.proxy.close())
	}
	for _, e := range []*engines.Server{s.RabbitMQ, s.Postgres} {
		if e != nil {
			e.Kill()
		}
	}
	return errors.Join(errs...)
}

func (s *Site) url(n int) string { return "https://127.0.0.1:" + strconv.Itoa(s.ports[n]) }
func (s *Site) address(n int) string {
	return "127.0.0.1:" + strconv.Itoa(s.ports[n])
}

// fleet writes the gateway's mailboxes, and what their owners need.
func (s *Site) fleet(context.Context) error {
	var list strings.Builder
	list.WriteString("sharedKey: loopback-shared-key\nmailboxes:\n")
	files := map[string]string{"ca.crt": string(s.platform.pem)}
	add := func(id string) error {
		name := strings.ToLower(id) + ".clients.spine.nhs.uk"
		fmt.Fprintf(&list, "  - {id: %s, password: loopback-%s, organisation: X26, supplier: load, certificateNames: [%s], workflows: [\"*\"], internal: true}\n", id, id, name)
		certificate, key, err := s.clients.issue(name)
		files[id+".crt"], files[id+".key"] = string(certificate), string(key)
		return err
	}
	for n := range Mailboxes {
		if err := add(fleet.MailboxID(uint16(n + 1))); err != nil {
			return err
		}
	}
	for _, id := range []string{"ERS", "ERSEVENTS"} {
		if err := add(id); err != nil {
			return err
		}
	}
	files["mailboxes.yaml"] = list.String()
	if err := write(s.Clients, files); err != nil {
		return err
	}
	return write(filepath.Join(s.dir, "messaging", "mailboxes"), map[string]string{"mailboxes.yaml": list.String()})
}

// build makes one of the programs from the checkout.
func (s *Site) build(ctx context.Context, name string) (string, error) {
	path := filepath.Join(s.dir, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", strings.Join(s.options.Tags, ","), "-o", path, "./operators/cmd/"+name)
	cmd.Dir = s.options.Root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", name, err, out)
	}
	return path, nil
}

// ports are n to listen on.
func ports(base, n int) ([]int, error) {
	out := make([]int, n)
	for i := range out {
		if base != 0 {
			out[i] = base + i
			continue
		}
		var err error
		if out[i], err = engines.FreePort(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
