// SPDX-License-Identifier: Apache-2.0

package redfish

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// InventoryFile is the inventory's name in its folder.
const InventoryFile = "inventory.yaml"

// Inventory says how the controllers of hosts are reached. It holds passwords.
type Inventory struct {
	// authority is PEM text of the authorities that controllers' certificates are issued by.
	// It may be empty when every host has a certificate of its own here.
	Authority string `json:"authority"`
	// hosts that have a controller, at most 100.
	Hosts []Controller `json:"hosts"`
}

// Controller of one host.
type Controller struct {
	// name of the host's node.
	Name string `json:"name"`
	// address is an IP address, with a port unless that is 443.
	Address string `json:"address"`
	// user and password of an account that may reset the machine.
	User     string `json:"user"`
	Password string `json:"password"`
	// authentication is Basic (each request carries the password) or Session (a login for
	// each question, ended after it). Default Basic.
	Authentication string `json:"authentication"`
	// certificateSHA256 pins the controller's certificate by its fingerprint, in hexadecimal
	// with or without colons; it is then believed whoever issued it, and no other is.
	CertificateSHA256 string `json:"certificateSHA256"`
}

// Ways to log in.
const (
	authBasic   = "Basic"
	authSession = "Session"
)

const (
	defaultPort    = "443"
	maxControllers = 100
	maxInventory   = 1 << 20 // bytes
)

// read the inventory in a folder, as it is now.
func read(dir string) (*Inventory, error) {
	if dir == "" {
		return nil, errors.New("the manager was given none")
	}
	path := filepath.Join(dir, InventoryFile)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxInventory {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxInventory)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	inventory, err := ParseInventory(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return inventory, nil
}

// ParseInventory reads and checks an inventory. The error names everything that is wrong at
// once, and never holds a password.
func ParseInventory(raw []byte) (*Inventory, error) {
	text, err := yaml.YAMLToJSONStrict(raw)
	if err != nil {
		return nil, errors.New("must be YAML with the keys authority and hosts, each once")
	}
	inventory := &Inventory{}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	// The decoder's own words may quote what it read.
	if d.Decode(inventory) != nil {
		return nil, errors.New("must have the keys authority and hosts, each host with text under " +
			"name, address, user, password, authentication and certificateSHA256, and no other key")
	}
	return inventory, inventory.check()
}

func (i *Inventory) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	pool := x509.NewCertPool()
	if i.Authority != "" && !pool.AppendCertsFromPEM([]byte(i.Authority)) {
		bad("authority: must be one or more certificates in PEM")
	}
	if len(i.Hosts) > maxControllers {
		bad("hosts: at most %d, not %d", maxControllers, len(i.Hosts))
	}
	names, addresses := map[string]bool{}, map[string]string{}
	for n := range i.Hosts {
		c := &i.Hosts[n]
		at := fmt.Sprintf("hosts[%d]", n)
		if c.Name == "" {
			bad("%s.name: must be the name of the host's node", at)
		} else {
			at += " (" + c.Name + ")"
		}
		if names[c.Name] {
			bad("%s.name: is there twice", at)
		}
		names[c.Name] = true
		address, err := withPort(c.Address)
		if err != nil {
			bad("%s.address: %w", at, err)
		} else if other, taken := addresses[address]; taken {
			bad("%s.address: is host %s's too: a power-off would hit the wrong one", at, other)
		}
		addresses[address], c.Address = c.Name, address
		if c.User == "" || c.Password == "" {
			bad("%s: user and password must both be given", at)
		}
		switch c.Authentication {
		case "":
			c.Authentication = authBasic
		case authBasic, authSession:
		default:
			bad("%s.authentication: must be %s or %s", at, authBasic, authSession)
		}
		if c.CertificateSHA256 == "" {
			if i.Authority == "" {
				bad("%s: give authority, or this host's certificateSHA256: an unknown certificate is not believed", at)
			}
		} else if _, err := fingerprint(c.CertificateSHA256); err != nil {
			bad("%s.certificateSHA256: %w", at, err)
		}
	}
	return errors.Join(errs...)
}

func withPort(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = address, defaultPort
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "", errors.New("must be an IP address such as 10.90.0.111, or with a port 10.90.0.111:443")
	}
	whole, err := netip.ParseAddrPort(net.JoinHostPort(ip.String(), port))
	if err != nil || whole.Port() == 0 {
		return "", errors.New("its port must be 1 to 65535")
	}
	return whole.String(), nil
}

func fingerprint(text string) ([]byte, error) {
	sum, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(sum) != sha256.Size {
		return nil, fmt.Errorf("must be the %d bytes of a SHA-256 sum in hexadecimal", sha256.Size)
	}
	return sum, nil
}

// find returns a host's controller, or nil.
func (i *Inventory) find(host string) *Controller {
	for n := range i.Hosts {
		if i.Hosts[n].Name == host {
			return &i.Hosts[n]
		}
	}
	return nil
}
