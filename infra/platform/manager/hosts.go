// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"errors"

	"gopkg.in/yaml.v3"

	"spine.nhs.uk/controlplane/infra/component/manifests"
)

const (
	bmcPort     = 443
	kubeletPort = 10250
)

// hostsSecret holds the inventory that the manager mounts.
const hostsSecret = "hosts"

// Hosts are the machines that the manager may switch off and on. It has been
// validated by whoever read it from people.
type Hosts struct {
	// SSHPort is where the hosts' SSH daemons listen.
	SSHPort int
	// Addresses of all hosts, which the manager knocks at.
	Addresses []string
	// Authority is PEM text of the authorities of the BMCs' certificates. It may be
	// empty when every one is pinned.
	Authority string
	// Controllers are the hosts' BMCs.
	Controllers []Controller
}

// Controller is the BMC of one host, as the manager's inventory has it.
type Controller struct {
	Name              string `yaml:"name"`
	Address           string `yaml:"address"`
	User              string `yaml:"user"`
	Password          string `yaml:"password"`
	Authentication    string `yaml:"authentication,omitempty"`
	CertificateSHA256 string `yaml:"certificateSHA256,omitempty"`
}

// Inventory is the text of inventory.yaml: a secret.
func (h *Hosts) Inventory() (string, error) {
	text, err := yaml.Marshal(struct {
		Authority string       `yaml:"authority"`
		Hosts     []Controller `yaml:"hosts"`
	}{h.Authority, h.Controllers})
	return string(text), err
}

// add what the manager needs of hosts: the inventory, which it mounts and reads
// again when it changes, and the way to them.
func (h *Hosts) add(set manifests.Set, labels map[string]string) error {
	text, err := h.Inventory()
	if err != nil {
		return err
	}
	inventory := secret(hostsSecret, map[string]string{"inventory.yaml": text})
	// Out to exactly the hosts' BMCs, kubelets and SSH daemons.
	way := policy("spine-manager-hosts", egress(h.controllers(), bmcPort), egress(networks(h.Addresses), kubeletPort, h.SSHPort))
	return errors.Join(set.Add(inventory, labels), set.Add(way, labels))
}

// controllers are the networks of the BMCs, one each.
func (h *Hosts) controllers() []string {
	var addresses []string
	for _, c := range h.Controllers {
		addresses = append(addresses, c.Address)
	}
	return networks(addresses)
}

func networks(addresses []string) []string {
	var out []string
	for _, a := range addresses {
		out = append(out, a+"/32")
	}
	return out
}
