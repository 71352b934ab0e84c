// SPDX-License-Identifier: Apache-2.0

package engines

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// rabbitSettings keep one node small and to itself.
const rabbitSettings = `listeners.tcp.default = 127.0.0.1:%d
vm_memory_high_watermark.absolute = 512MiB
disk_free_limit.absolute = 50MB
default_queue_type = quorum
log.console = true
log.console.level = warning
log.file = false
`

// rabbitSecure has it speak TLS, at a port of its own.
const rabbitSecure = `listeners.ssl.default = 127.0.0.1:%d
ssl_options.certfile = %s
ssl_options.keyfile = %s
ssl_options.verify = verify_none
ssl_options.fail_if_no_peer_cert = false
`

type rabbitmq struct {
	port, secure, distribution, mapper int
	url                                string
}

// StartRabbitMQ starts a RabbitMQ 4 of one node, where queues are quorum queues
// unless they say otherwise, with the user guest and its usual password. With a
// certificate it speaks TLS at a port of its own besides. Stop or Kill ends it;
// so does the end of this process.
func StartRabbitMQ(ctx context.Context, options Options) (*Server, error) {
	r := &rabbitmq{}
	var err error
	if r.port, err = options.port(); err != nil {
		return nil, err
	}
	// Ports of Erlang's own, so that nodes of other tests are not met.
	ports := []*int{&r.distribution, &r.mapper}
	if options.Certificate != nil {
		ports = append(ports, &r.secure)
	}
	for _, port := range ports {
		if *port, err = FreePort(); err != nil {
			return nil, err
		}
	}
	r.url = fmt.Sprintf("amqp://guest:guest@127.0.0.1:%d/", r.port)
	s, err := start(ctx, "rabbitmq", options, r, r.url)
	if err == nil {
		s.SecurePort = r.secure
	}
	return s, err
}

func (r *rabbitmq) prepare(_ context.Context, s *Server) error {
	settings := fmt.Sprintf(rabbitSettings, r.port)
	if r.secure != 0 {
		settings += fmt.Sprintf(rabbitSecure, r.secure, inside+"/"+certificateFile, inside+"/"+keyFile)
	}
	for name, content := range map[string]string{
		"rabbitmq.conf":   settings,
		"enabled_plugins": "[].\n",
	} {
		if err := os.WriteFile(filepath.Join(s.data(), name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (r *rabbitmq) command() (args, env []string) {
	return []string{"/usr/lib/rabbitmq/bin/rabbitmq-server"}, []string{
		"RABBITMQ_NODENAME=rabbit@127.0.0.1", "RABBITMQ_USE_LONGNAME=true",
		"RABBITMQ_DIST_PORT=" + strconv.Itoa(r.distribution),
		"ERL_EPMD_PORT=" + strconv.Itoa(r.mapper), "ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_CONFIG_FILE=" + inside + "/rabbitmq.conf",
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + inside + "/enabled_plugins",
		"RABBITMQ_MNESIA_BASE=" + inside + "/nodes", "RABBITMQ_LOG_BASE=" + inside + "/logs", "RABBITMQ_LOGS=-",
		// Waiting threads of Erlang otherwise spin, at the cost of the tests.
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+sbwt none +sbwtdcpu none +sbwtdio none",
	}
}

func (r *rabbitmq) user() int { return 999 }

func (r *rabbitmq) ready(ctx context.Context) error {
	conn, err := amqp.DialConfig(r.url, amqp.Config{
		Heartbeat: time.Second * 10,
		Dial: func(network, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	})
	if err != nil {
		return err
	}
	return conn.Close()
}

func (r *rabbitmq) stop() syscall.Signal { return syscall.SIGTERM }
