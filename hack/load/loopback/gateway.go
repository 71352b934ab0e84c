// SPDX-License-Identifier: Apache-2.0

package loopback

import (
	"context"
	"path/filepath"
)

// gatewayConfig has the route of the load generator and that of the booking service's events.
const gatewayConfig = `service: loopback/spine
acknowledge: Site
suppliers: [{name: load}]
routes:
  - interaction: SPINE_LOAD_TEST
    pattern: ForwardReliable
    supplier: load
    reliability: {retries: 2, retryInterval: 1m, persistDuration: 7h, duplicateElimination: Always}
  - interaction: ERS_BOOKING_EVENT
    pattern: ForwardReliable
    supplier: load
    reliability: {retries: 2, retryInterval: 1m, persistDuration: 7h, duplicateElimination: Always}
`

// startGateway starts the message gateway when it was asked for.
func (s *Site) startGateway(ctx context.Context) error {
	s.MeshURL, s.BulkURL, s.OpsURL = s.url(0), s.url(1), s.url(2)
	if !s.options.Messages {
		return nil
	}
	path, err := s.build(ctx, "message-gateway")
	if err != nil {
		return err
	}
	dir := filepath.Join(s.dir, "messaging")
	if err := s.platform.secret(filepath.Join(dir, "tls"), "spine-gateway"); err != nil {
		return err
	}
	if err := s.clients.secret(filepath.Join(dir, "clients-ca"), "spine-gateway-client"); err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "config"), map[string]string{"gateway.yaml": gatewayConfig}); err != nil {
		return err
	}
	s.Gateway = s.program(path, filepath.Join(dir, "gateway.log"), s.OpsURL, "serve",
		"--mesh-address="+s.address(0), "--bulk-address="+s.address(1), "--ops-address="+s.address(2),
		"--config="+filepath.Join(dir, "config", "gateway.yaml"), "--database-dir="+filepath.Join(dir, "database"),
		"--broker-dir="+filepath.Join(dir, "broker"), "--tls-dir="+filepath.Join(dir, "tls"),
		"--clients-ca="+filepath.Join(dir, "clients-ca", "ca.crt"), "--mailboxes="+filepath.Join(dir, "mailboxes", "mailboxes.yaml"))
	return s.Gateway.Start(ctx)
}
