// SPDX-License-Identifier: Apache-2.0

//go:build e2eaws

package e2eaws

import (
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
	given.plugin = os.Getenv("SPINE_AWS_PLUGIN")
	if given.plugin == "" {
		return fmt.Errorf("SPINE_AWS_PLUGIN is not set: the folder of a plugin pulumi-resource-aws (see hack/e2eaws/README.md)")
	}
	if _, err := os.Stat(filepath.Join(given.plugin, "pulumi-resource-aws")); err != nil {
		return fmt.Errorf("SPINE_AWS_PLUGIN: %w", err)
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

func or(variable, otherwise string) string {
	if v := os.Getenv(variable); v != "" {
		return v
	}
	return otherwise
}

// configOf is the file of an environment.
func configOf(stack string) string { return "../../environments/Pulumi." + stack + ".yaml" }
