// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"
)

// options of the manager.
type options struct {
	// messaging and booking are the namespaces of the two services. The manager sees no other.
	messaging, booking string
	// edgeAddress for Services of the edge's class; empty leaves them alone.
	edgeAddress string
	// tlsDir holds tls.crt, tls.key and ca.crt, read again when they change.
	tlsDir string
	// operationsConfig is the file that says what operations need: approvals, change window.
	operationsConfig string
	// hostsDir holds the inventory of hosts' management controllers, read again when it changes;
	// empty leaves hosts alone. sshPort is where hosts' SSH daemons listen.
	hostsDir string
	sshPort  int
	// peerKubeconfig, witnessDir and trafficDir reach the other site, the witness at a third place
	// and what sends clients to one of the sites. All empty: there is one site.
	peerKubeconfig, witnessDir, trafficDir string
	// thirdPlace is what the witness and the director are: placeNameServer or placeAWS.
	thirdPlace string
	// metricsAddress and healthAddress to listen on, host:port.
	metricsAddress, healthAddress string
	// leaderElection lets one of several replicas act.
	leaderElection bool
}

// What the third place may be.
const (
	// placeNameServer takes updates by RFC 2136: it holds the vote and the names.
	placeNameServer = "NameServer"
	// placeAWS has the vote in DynamoDB and the names in Route 53.
	placeAWS = "AWS"
)

func defaults() *options {
	return &options{
		messaging: "spine-messaging", booking: "spine-booking", tlsDir: "/etc/spine/tls",
		operationsConfig: "/etc/spine/operations/operations.yaml",
		thirdPlace:       placeNameServer,
		sshPort:          22, metricsAddress: ":8446", healthAddress: ":8447", leaderElection: true,
	}
}

func (o *options) flags(f *pflag.FlagSet) {
	f.StringVar(&o.messaging, "messaging-namespace", o.messaging, "namespace of MessagingServices")
	f.StringVar(&o.booking, "booking-namespace", o.booking, "namespace of BookingServices")
	f.StringVar(&o.edgeAddress, "edge-address", o.edgeAddress, "IP address for Services of class spine.nhs.uk/edge; empty leaves them alone")
	f.StringVar(&o.tlsDir, "tls-dir", o.tlsDir, "folder with tls.crt, tls.key and ca.crt of the manager")
	f.StringVar(&o.operationsConfig, "operations-config", o.operationsConfig, "file with what operations need: approvals, change window, cool-down")
	f.StringVar(&o.hostsDir, "hosts-dir", o.hostsDir, "folder with inventory.yaml, the management controllers of hosts; empty leaves hosts alone")
	f.IntVar(&o.sshPort, "ssh-port", o.sshPort, "port of the hosts' SSH daemons, which tells that a host is alive")
	f.StringVar(&o.peerKubeconfig, "peer-kubeconfig", o.peerKubeconfig, "kubeconfig of the other site; empty where there is one site")
	f.StringVar(&o.thirdPlace, "third-place", o.thirdPlace, "what holds the vote and leads clients: "+placeNameServer+" (RFC 2136) or "+placeAWS+" (DynamoDB and Route 53)")
	f.StringVar(&o.witnessDir, "witness-dir", o.witnessDir, "folder with config.yaml of the witness, which has one site on record as active")
	f.StringVar(&o.trafficDir, "traffic-dir", o.trafficDir, "folder with config.yaml of what sends clients to a site")
	f.StringVar(&o.metricsAddress, "metrics-address", o.metricsAddress, "where to serve /metrics by HTTPS to clients with a certificate")
	f.StringVar(&o.healthAddress, "health-address", o.healthAddress, "where to serve /healthz and /readyz")
	f.BoolVar(&o.leaderElection, "leader-election", o.leaderElection, "act only while holding the lease, so that several replicas may run")
}

// pair says whether some, and whether all of what a pair of sites needs is given.
func (o *options) pair() (some, all bool) {
	return o.peerKubeconfig+o.witnessDir+o.trafficDir != "", o.peerKubeconfig != "" && o.witnessDir != "" && o.trafficDir != ""
}

// validate returns everything that is wrong at once.
func (o *options) validate() error {
	var errs []error
	for flag, n := range map[string]string{"--messaging-namespace": o.messaging, "--booking-namespace": o.booking} {
		if len(validation.IsDNS1123Label(n)) > 0 {
			errs = append(errs, fmt.Errorf("%s: %q is not the name of a namespace", flag, n))
		}
	}
	if o.edgeAddress != "" {
		if _, err := netip.ParseAddr(o.edgeAddress); err != nil {
			errs = append(errs, fmt.Errorf("--edge-address: %q is not an IP address", o.edgeAddress))
		}
	}
	if o.tlsDir == "" {
		errs = append(errs, errors.New("--tls-dir: name the folder with tls.crt, tls.key and ca.crt"))
	}
	if o.operationsConfig == "" {
		errs = append(errs, errors.New("--operations-config: name the file with what operations need"))
	}
	if o.sshPort < 1 || o.sshPort > 65535 {
		errs = append(errs, fmt.Errorf("--ssh-port: must be 1 to 65535, not %d", o.sshPort))
	}
	if some, all := o.pair(); some != all {
		errs = append(errs, errors.New("--peer-kubeconfig, --witness-dir and --traffic-dir: expected all of them, for one of two sites, or none"))
	}
	if o.thirdPlace != placeNameServer && o.thirdPlace != placeAWS {
		errs = append(errs, fmt.Errorf("--third-place: %q must be %s or %s", o.thirdPlace, placeNameServer, placeAWS))
	}
	for flag, address := range map[string]string{"--metrics-address": o.metricsAddress, "--health-address": o.healthAddress} {
		if _, _, err := net.SplitHostPort(address); err != nil {
			errs = append(errs, fmt.Errorf("%s: %q is not host:port, as in :8446", flag, address))
		}
	}
	return errors.Join(errs...)
}
