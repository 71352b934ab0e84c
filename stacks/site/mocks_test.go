// SPDX-License-Identifier: Apache-2.0

package site

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gopkg.in/yaml.v3"

	shared "spine.nhs.uk/controlplane/stacks/platform"
	"spine.nhs.uk/controlplane/stacks/platform/platformtest"
)

// engine stands in for the engine, the provider and the hosts.
type engine struct {
	mu        sync.Mutex
	resources []pulumi.MockResourceArgs
	calls     []string
	// secrets, if set, are those of mailboxes, as JSON.
	secrets string
	// preflight, if set, is what the hosts' check ends with.
	preflight error
}

func (e *engine) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.resources = append(e.resources, args)
	out := args.Inputs.Copy()
	switch args.TypeToken {
	case "spine:baremetal:Host":
		out["facts"] = resource.NewObjectProperty(resource.PropertyMap{"machineId": resource.NewStringProperty("seen-" + args.Name)})
	case "spine:baremetal:Cluster":
		out["kubeconfig"] = resource.NewStringProperty("kubeconfig of " + args.Name)
		out["caCertificate"] = resource.NewStringProperty("CA of " + args.Name)
	}
	return args.Name + "-id", out, nil
}

func (e *engine) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, args.Token)
	switch args.Token {
	case "spine:baremetal:preflight":
		facts := resource.PropertyMap{}
		for _, h := range args.Args["hosts"].ArrayValue() {
			name := h.ObjectValue()["name"].StringValue()
			facts[resource.PropertyKey(name)] = resource.NewObjectProperty(resource.PropertyMap{"machineId": resource.NewStringProperty("id-" + name)})
		}
		return resource.PropertyMap{"facts": resource.NewObjectProperty(facts)}, e.preflight
	case "spine:baremetal:resolveImages":
		registry := args.Args["registry"].ObjectValue()["host"].StringValue()
		images, blobs := resource.PropertyMap{}, resource.PropertyMap{}
		for _, n := range args.Args["names"].ArrayValue() {
			images[resource.PropertyKey(n.StringValue())] = resource.NewStringProperty(registry + "/" + n.StringValue() + "@" + digest(n.StringValue()))
		}
		for _, n := range args.Args["blobs"].ArrayValue() {
			blobs[resource.PropertyKey(n.StringValue())] = resource.NewObjectProperty(resource.PropertyMap{
				"url":    resource.NewStringProperty("https://" + registry + "/v2/blobs/" + digest(n.StringValue())),
				"digest": resource.NewStringProperty(digest(n.StringValue())),
				"size":   resource.NewNumberProperty(1),
			})
		}
		return resource.PropertyMap{"images": resource.NewObjectProperty(images), "blobs": resource.NewObjectProperty(blobs)}, nil
	}
	return nil, errors.New("unexpected call of " + args.Token)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// local is the environment of that name, changed by the edit, as JSON.
func local(t *testing.T, edit func(env map[string]any)) []byte {
	t.Helper()
	raw, err := os.ReadFile("../../environments/Pulumi.local.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Config struct {
			Environment map[string]any `yaml:"spine:environment"`
		} `yaml:"config"`
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(file.Config.Environment)
	}
	out, err := json.Marshal(file.Config.Environment)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const (
	keyA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBIXYUUL4kCCqnHjM1zn0SDwZYNBGTuFxXSlQw14BIxf"
	keyB = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKLdbyYg5PVBg5K9gSmkWBCyGQXVlTFNSvJkIQYOOJyq"
	keyC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdGaFKEzvPRI6mVWZEmwxyBRMQVlRXBjOGFWtGzMEzq"
)

// rack makes the files that a rack leaves behind.
func rack(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("SPINE_HOME", home)
	for _, dir := range []string{"racks/local", "clients"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	known := strings.Join([]string{"10.90.0.11 " + keyA, "10.90.0.12 " + keyB, "10.90.0.13 " + keyC}, "\n")
	for name, text := range map[string]string{
		"racks/local/object-store.json": `{"accessKey": "Hidden-Access", "secretKey": "Hidden-Word"}`,
		"racks/local/known_hosts":       known, "racks/local/ca.crt": "CERTIFICATE", "racks/local/bmc-password": "Hidden-BMC-1\n", "clients/jwks.json": `{"keys":[]}`,
	} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// run runs the stack against the engine.
func run(t *testing.T, e *engine, environment []byte) error {
	t.Helper()
	secrets := e.secrets
	if secrets == "" {
		secrets = platformtest.MailboxSecrets(t, "../../environments/catalogue/local.yaml")
	}
	return pulumi.RunErr(func(ctx *pulumi.Context) error { return Build(ctx, environment) }, pulumi.WithMocks("spine", "local", e),
		func(info *pulumi.RunInfo) {
			info.RootDirectory = "../.."
			info.Config = map[string]string{shared.MailboxesKey: secrets}
		})
}
