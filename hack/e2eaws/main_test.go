// SPDX-License-Identifier: Apache-2.0

//go:build e2eaws

package e2eaws

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// given is what the run was told by its environment.
var given struct {
	// plugin is the folder of pulumi-resource-aws.
	plugin string
	// bridge runs an emulator for each environment; nil where the plugin was given.
	bridge *bridge
	// account is what the credentials are of.
	account string
	stacks  []string
}

// chosen are one environment of each class, and Spine's.
const chosen = "ers-live,ers-dr,ers-prelive,ers-ft1,ers-training,ers-dev,spine-dev"

func TestMain(m *testing.M) {
	if err := fromEnvironment(); err != nil {
		fmt.Println("e2e-aws: nothing was run:", err)
		if os.Getenv("SPINE_AWS_OPTIONAL") == "1" {
			os.Exit(0)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

var twelve = regexp.MustCompile(`^[0-9]{12}$`)

func fromEnvironment() error {
	if err := choosePlugin(); err != nil {
		return err
	}
	given.account = or("SPINE_AWS_ACCOUNT", "123456789012")
	if !twelve.MatchString(given.account) {
		return fmt.Errorf("SPINE_AWS_ACCOUNT is %q: it must be the 12 digits of an account", given.account)
	}
	given.stacks = strings.Split(or("SPINE_AWS_STACKS", chosen), ",")
	for _, name := range given.stacks {
		if _, err := os.Stat(configOf(name)); err != nil {
			return fmt.Errorf("SPINE_AWS_STACKS names %q: %w", name, err)
		}
	}
	return nil
}

// choosePlugin takes the plugin that is named, or else builds that of the test aid.
func choosePlugin() (err error) {
	folder := os.Getenv("SPINE_AWS_BRIDGE")
	switch given.plugin = os.Getenv("SPINE_AWS_PLUGIN"); {
	case given.plugin != "":
		if _, err := os.Stat(filepath.Join(given.plugin, "pulumi-resource-aws")); err != nil {
			return fmt.Errorf("SPINE_AWS_PLUGIN: %w", err)
		}
	case folder == "":
		return errors.New("neither SPINE_AWS_PLUGIN nor SPINE_AWS_BRIDGE is set: hack/e2eaws/README.md says what they name")
	default:
		if given.bridge, err = findBridge(folder); err != nil {
			return err
		}
		if given.plugin, err = given.bridge.build(); err != nil {
			return err
		}
	}
	return nil
}

func or(variable, otherwise string) string {
	if v := os.Getenv(variable); v != "" {
		return v
	}
	return otherwise
}

// configOf is the file of an environment.
func configOf(stack string) string { return "../../environments/Pulumi." + stack + ".yaml" }
