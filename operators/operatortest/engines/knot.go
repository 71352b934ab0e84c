// SPDX-License-Identifier: Apache-2.0

package engines

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// A NameServer is the server of one zone that takes dynamic updates signed with its key.
type NameServer struct {
	*Server
	// Zone that it serves, with the closing dot.
	Zone string
	// Key is the name and Secret the value, in base64, of a key for hmac-sha256.
	Key, Secret string
}

// Knot starts Knot DNS, of the hosts' own root file system, with an empty zone until the test
// ends. Its URL is host:port.
func Knot(t testing.TB, zone string) *NameServer {
	t.Helper()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	n := &NameServer{Zone: zone, Key: "site.", Secret: base64.StdEncoding.EncodeToString(secret)}
	n.Server = server(t, func(ctx context.Context, options Options) (*Server, error) {
		port, err := options.port()
		if err != nil {
			return nil, err
		}
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		return start(ctx, "hosts", options, &knot{NameServer: n, port: port, address: address}, address)
	}, Options{})
	return n
}

type knot struct {
	*NameServer
	port    int
	address string
}

const knotConfig = `server:
    rundir: /run
    listen: 127.0.0.1@%[2]d
log:
  - target: stderr
    any: info
database:
    storage: %[1]s
key:
  - id: %[3]s
    algorithm: hmac-sha256
    secret: %[4]s
acl:
  - id: sites
    key: %[3]s
    action: [query, update]
zone:
  - domain: %[5]s
    storage: %[1]s
    file: zone
    acl: sites
`

func (k *knot) prepare(_ context.Context, s *Server) error {
	for name, content := range map[string]string{
		"knot.conf": fmt.Sprintf(knotConfig, inside, k.port, k.Key, k.Secret, k.Zone),
		"zone":      "@ 0 SOA ns hostmaster 1 3600 600 86400 0\n@ 0 NS ns\nns 0 A 127.0.0.1\n",
	} {
		path := filepath.Join(s.data(), name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
		if err := os.Chown(path, k.user(), k.user()); err != nil {
			return err
		}
	}
	return nil
}

func (k *knot) command() (args, env []string) {
	return []string{"/usr/sbin/knotd", "-c", inside + "/knot.conf"}, nil
}

// user is nobody: the server needs no rights of its own.
func (k *knot) user() int { return 65534 }

func (k *knot) ready(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", k.address)
	if err != nil {
		return err
	}
	return conn.Close()
}

func (k *knot) stop() syscall.Signal { return syscall.SIGTERM }
