// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/spf13/cobra"
)

// options are the flags of serve.
type options struct {
	meshAddress, bulkAddress, opsAddress string
	config, mailboxes                    string
	databaseDir, brokerDir, tlsDir       string
	clientsCA                            string
	drainTimeout                         time.Duration
	// requirePermit: one of two sites, of which one serves.
	requirePermit bool
	// peer is the name of the other site, whose database follows; empty where there is none.
	peer string
}

func newServe() *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:   "serve",
		Short: "Serve until SIGTERM, then finish what is in flight",
		Long: `Serve the MESH API, the bulk interface and the paths of operation (/livez, /readyz; for spine-manager
alone, by its certificate of the platform's authority: /metrics, /statusz, /deepz, POST /drain, POST /permit, dead letters).

All files are read again when they change: certificates, passwords, routes, mailboxes. A changed file
that is not valid is reported in the log, and the last good one stays in use.`,
		Example: `  # As the operator runs it: everything where its volumes are mounted.
  message-gateway serve

  # On one machine, with files of one's own.
  message-gateway serve --mesh-address=127.0.0.1:8443 --bulk-address=127.0.0.1:8444 --ops-address=127.0.0.1:8446 \
    --config=gateway.yaml --mailboxes=mailboxes.yaml --database-dir=database --broker-dir=broker \
    --tls-dir=tls --clients-ca=clients/ca.crt`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return serve(c.Context(), o) },
	}
	f := command.Flags()
	f.StringVar(&o.meshAddress, "mesh-address", ":8443", "address of the MESH API")
	f.StringVar(&o.bulkAddress, "bulk-address", ":8444", "address of the bulk interface")
	f.StringVar(&o.opsAddress, "ops-address", ":8446", "address of the paths of operation")
	f.StringVar(&o.config, "config", "/etc/spine/config/gateway.yaml", "routes and limits")
	f.StringVar(&o.databaseDir, "database-dir", "/etc/spine/database", "directory with username, password, host, port, dbname, ca.crt")
	f.StringVar(&o.brokerDir, "broker-dir", "/etc/spine/broker", "directory with username, password, host, port, ca.crt")
	f.StringVar(&o.tlsDir, "tls-dir", "/etc/spine/tls", "directory with tls.crt, tls.key, and ca.crt of the platform's authority")
	f.StringVar(&o.clientsCA, "clients-ca", "/etc/spine/clients-ca/ca.crt", "authority of clients; tls.crt and tls.key beside it are this gateway's own towards endpoints")
	f.StringVar(&o.mailboxes, "mailboxes", "/etc/spine/mailboxes/mailboxes.yaml", "mailboxes, who may use them, and how")
	f.BoolVar(&o.requirePermit, "require-permit", false, "refuse clients until the site's manager permits to serve (POST /permit): for one of two sites")
	f.StringVar(&o.peer, "peer", "", "name of the other site: /statusz then tells how far its database is behind")
	f.DurationVar(&o.drainTimeout, "drain-timeout", 130*time.Second, "how long to finish what is in flight after SIGTERM")
	return command
}
