// SPDX-License-Identifier: Apache-2.0

package site

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// Environment is the value of spine:environment in a stack's config, as plain data: tests write into it what the
// typed config would refuse, too.
type Environment map[string]any

// Host returns the entry of the host of that name; it panics when there is none, as a test that names it is wrong.
func (e Environment) Host(name string) Environment {
	for _, h := range e.hosts() {
		if host := h.(map[string]any); host["name"] == name {
			return host
		}
	}
	panic("no host " + name + " in the config")
}

// Remove drops the host of that name.
func (e Environment) Remove(name string) {
	kept := []any{}
	for _, h := range e.hosts() {
		if h.(map[string]any)["name"] != name {
			kept = append(kept, h)
		}
	}
	e["hosts"] = kept
}

// Add appends a control plane host with that name, address and rack.
func (e Environment) Add(name, address, rack string) {
	e["hosts"] = append(e.hosts(), map[string]any{"name": name, "address": address, "rack": rack, "role": "ControlPlane"})
}

func (e Environment) hosts() []any { return e["hosts"].([]any) }

// Configure writes the stack's config: environments/Pulumi.local.yaml, moved to this site's rack, then changed.
func (s *Site) Configure(change func(Environment)) error {
	return s.ConfigureFile(func(config map[string]any) {
		change(config["config"].(map[string]any)["spine:environment"].(map[string]any))
	})
}

// ConfigureFile is Configure for what stands outside spine:environment.
func (s *Site) ConfigureFile(change func(map[string]any)) error {
	text, err := os.ReadFile(filepath.Join(s.Root, "environments/Pulumi.local.yaml"))
	if err != nil {
		return err
	}
	subnet, err := s.subnet()
	if err != nil {
		return err
	}
	var config map[string]any
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(string(text), "10.90.0.", subnet)), &config); err != nil {
		return err
	}
	environment := config["config"].(map[string]any)["spine:environment"].(map[string]any)
	environment["name"] = s.Name
	environment["site"].(map[string]any)["name"] = s.Name
	environment["endpoint"].(map[string]any)["name"] = "api." + s.Name + ".spine.internal"
	rack := filepath.Join(s.Home, "racks", s.Name)
	environment["ssh"] = map[string]any{
		"identityFile":   filepath.Join(rack, "id_ed25519"),
		"knownHostsFile": filepath.Join(rack, "known_hosts"),
	}
	environment["registry"].(map[string]any)["caFile"] = filepath.Join(rack, "ca.crt")
	environment["management"] = map[string]any{
		"passwordFile": filepath.Join(rack, "bmc-password"),
		"caFile":       filepath.Join(rack, "ca.crt"),
	}
	if s.Services {
		tokens := environment["booking"].(map[string]any)["tokens"].(map[string]any)
		tokens["keysFile"] = filepath.Join(s.Home, "clients", "jwks.json")
		backups := environment["backups"].(map[string]any)
		backups["credentialsFile"], backups["caFile"] = filepath.Join(rack, "object-store.json"), filepath.Join(rack, "ca.crt")
	} else {
		for _, key := range []string{"messaging", "booking", "backups"} {
			delete(environment, key)
		}
	}
	change(config)
	out, err := yaml.Marshal(config)
	if err != nil {
		return err
	}
	return os.WriteFile(s.ConfigFile, out, 0o600)
}

// subnet is the first three octets, with the last dot, of the rack's only site.
func (s *Site) subnet() (string, error) {
	path := filepath.Join(s.Root, "hack/rack/racks", s.Name+".yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var rack struct {
		Sites []struct {
			Subnet string `json:"subnet"`
		} `json:"sites"`
	}
	if err := yaml.Unmarshal(text, &rack); err != nil {
		return "", err
	}
	if len(rack.Sites) != 1 {
		return "", fmt.Errorf("%s has %d sites: want one", path, len(rack.Sites))
	}
	return strings.TrimSuffix(rack.Sites[0].Subnet, "0/24"), nil
}

// Address returns the address in the site's subnet with that last octet.
func (s *Site) Address(last int) (string, error) {
	subnet, err := s.subnet()
	return fmt.Sprintf("%s%d", subnet, last), err
}
