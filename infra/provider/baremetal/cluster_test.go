// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"
)

const target = "v1.36.3"

var testCA, testAdmin = testCredentials()

// testCredentials makes an authority and a kubeconfig, as admin.conf is.
func testCredentials() (ca, admin string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(365 * 24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		panic(err)
	}
	ca = base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return ca, fmt.Sprintf("clusters:\n- cluster:\n    certificate-authority-data: %s\n    server: https://api.local.spine.internal:6443\n  name: local\nusers:\n- name: admin\n  user:\n    client-certificate-data: %[1]s\n", ca)
}

// simArgs are the inputs of a cluster on hosts, all control planes; "w:x" is a worker.
func simArgs(hosts ...*simHost) ClusterArgs {
	a := ClusterArgs{
		Name: "local", KubernetesVersion: target, ImageRepository: "10.90.0.1:5000/spine",
		Binaries:  ClusterBinaries{URL: "https://10.90.0.1:5000/v2/spine/kubernetes-host/blobs/x", Digest: "sha256:" + strings.Repeat("0", 64)},
		ImageTags: ClusterImageTags{Etcd: "3.6.5"},
		Endpoint:  ClusterEndpoint{Name: "api.local.spine.internal", Address: "10.90.0.100"},
		Network:   ClusterNetwork{PodCIDR: "10.244.0.0/16", ServiceCIDR: "10.96.0.0/16"},
	}
	for _, h := range hosts {
		role := RoleControlPlane
		if strings.HasPrefix(h.name, "w") {
			role = RoleWorker
		}
		a.Hosts = append(a.Hosts, ClusterHost{Name: h.name, Address: h.address, Role: role, MachineID: h.machine,
			SSH: SSH{HostKey: "ssh-ed25519 " + h.machine}, Labels: Labels{Site: "local", Rack: "r-" + h.name}})
	}
	return a
}

func (s *site) args(names ...string) ClusterArgs {
	var hosts []*simHost
	for _, n := range names {
		hosts = append(hosts, s.hosts[n])
	}
	return simArgs(hosts...)
}

// up runs what `pulumi up` runs: Create without prior state, else Update.
func (s *site) up(prior *ClusterState, args ClusterArgs) (*ClusterState, error) {
	c := &Cluster{Dialer: s.dialer()}
	if prior == nil {
		out, err := c.Create(context.Background(), infer.CreateRequest[ClusterArgs]{Inputs: args})
		return stateAfter(out.Output, err, nil)
	}
	out, err := c.Update(context.Background(), infer.UpdateRequest[ClusterArgs, ClusterState]{State: *prior, Inputs: args})
	return stateAfter(out.Output, err, prior)
}

// stateAfter is what the engine keeps: nothing new after a plain error.
func stateAfter(out ClusterState, err error, prior *ClusterState) (*ClusterState, error) {
	var partial infer.ResourceInitFailedError
	switch {
	case errors.As(err, &partial):
		return &out, errors.New(strings.Join(partial.Reasons, "; "))
	case err != nil:
		return prior, err
	}
	return &out, nil
}

func mustUp(t *testing.T, s *site, prior *ClusterState, args ClusterArgs) *ClusterState {
	t.Helper()
	state, err := s.up(prior, args)
	if err != nil {
		t.Fatalf("up: %v\nafter: %s", err, strings.Join(s.log, ", "))
	}
	if d := diffMembers(state.Members, args.desiredMembers()); len(d) > 0 {
		t.Fatalf("after up the next one would change %v", d)
	}
	return state
}

func (s *site) trace() string {
	out := strings.Join(s.log, ", ")
	s.log = nil
	return out
}

func TestCreateJoinReplaceUpgrade(t *testing.T) {
	s := newSite("a", "b", "c", "d", "e", "w1", "w2")
	expect := func(want string) {
		t.Helper()
		if got := s.trace(); got != want {
			t.Errorf("did:\n  %s\nexpected:\n  %s", got, want)
		}
	}
	state := mustUp(t, s, nil, s.args("a", "b", "c"))
	expect("init a, join b, join c")
	if !strings.Contains(state.Kubeconfig, "https://10.90.0.100:6443") {
		t.Errorf("kubeconfig does not lead to the endpoint: %s", state.Kubeconfig)
	}
	state = mustUp(t, s, state, s.args("a", "b", "c"))
	expect("")
	state = mustUp(t, s, state, s.args("a", "b", "c", "w1"))
	expect("join w1")
	state = mustUp(t, s, state, s.args("a", "d", "e", "w1"))
	expect("drain b, etcd without b, reset b, delete node b, join d, drain c, etcd without c, reset c, delete node c, join e")
	state = mustUp(t, s, state, s.args("a", "d", "e", "w2"))
	expect("join w2, drain w1, reset w1, delete node w1")

	// The same cluster as if it had been made with the version before.
	for _, h := range s.hosts {
		if h.link != "" {
			h.link = "v1.36.2"
			if h.server != "" {
				h.server = "v1.36.2"
			}
			s.nodes[h.name].version = "v1.36.2"
		}
	}
	state = mustUp(t, s, state, s.args("a", "d", "e", "w2"))
	expect("upgrade a, drain a, restart a, upgrade d, drain d, restart d, upgrade e, drain e, restart e, upgrade w2, drain w2, restart w2")

	// Another setting of the control plane.
	args := s.args("a", "d", "e", "w2")
	slower := 3000
	args.Etcd = &ClusterEtcd{ElectionMs: &slower}
	mustUp(t, s, state, args)
	expect("configure a, configure d, configure e")
}

// Whatever change the provisioner is killed at, the next run finishes the job,
// with the same result.
func TestKilledAnywhere(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to []string
	}{
		{"create", nil, []string{"a", "b", "c", "w1"}},
		{"replace two", []string{"a", "b", "c"}, []string{"a", "d", "e"}},
		{"worker to control plane", []string{"a", "b", "c", "w1"}, []string{"a", "b", "d", "w2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for n := 1; ; n++ {
				s := newSite("a", "b", "c", "d", "e", "w1", "w2")
				var state *ClusterState
				if c.from != nil {
					state = mustUp(t, s, nil, s.args(c.from...))
				}
				s.log, s.changes, s.dieAt = nil, 0, n
				state, err := s.up(state, s.args(c.to...))
				if err == nil {
					if n < 5 {
						t.Fatalf("the whole change took %d scripts, too few to be tested", n)
					}
					return
				}
				s.dieAt = 0
				mustUp(t, s, state, s.args(c.to...))
				if len(s.etcd) != 3 || len(s.nodes) != len(c.to) {
					t.Fatalf("killed at %d: %d etcd members, %d nodes left", n, len(s.etcd), len(s.nodes))
				}
				for _, h := range s.hosts {
					if _, isNode := s.nodes[h.name]; !isNode && (h.mark != nil || h.traces) {
						t.Fatalf("killed at %d: host %s was left unclean", n, h.name)
					}
				}
			}
		})
	}
}
