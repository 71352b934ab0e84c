// SPDX-License-Identifier: Apache-2.0

// Package catalogue reads the files of all environments, and judges each next to the
// others and to the price book: what no environment can know by itself.
package catalogue

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/cost"
)

// Folder is where the files of environments are, from the project's folder.
const Folder = "environments"

// File is the file of one environment.
type File struct {
	// Stack is the name of its stack, Path its path from the project's folder.
	Stack, Path string
	// Kind says how Environment, JSON, is to be read.
	Kind        environments.Kind
	Environment []byte
}

// Read returns the files of all environments, by the names of their stacks. One file
// that cannot be read is an error: a catalogue with a gap would mislead.
func Read(project fs.FS) ([]File, error) {
	paths, err := fs.Glob(project, Folder+"/Pulumi.*.yaml")
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("there is no %s/Pulumi.STACK.yaml here: run this at the top of the checkout", Folder)
	}
	var files []File
	for _, p := range paths {
		text, err := fs.ReadFile(project, p)
		if err != nil {
			return nil, err
		}
		f := File{Stack: strings.TrimSuffix(strings.TrimPrefix(path.Base(p), "Pulumi."), ".yaml"), Path: p}
		raw, err := yaml.YAMLToJSONStrict(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		if f.Kind, f.Environment, err = settings(raw); err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		files = append(files, f)
	}
	return files, nil
}

// Check reads an environment in AWS and returns it resolved. The error, if any, lists
// every problem: its own, those with its neighbours in the catalogue, and types of
// machines without a price in the book. Neighbours that are wrong themselves are compared
// as far as they can be read.
func Check(stack string, environment []byte, neighbours []File, book *cost.Book) (*environments.Cloud, error) {
	if len(environment) == 0 {
		return nil, errors.New("spine:environment is missing from the stack's configuration")
	}
	env, errs := environments.DecodeCloud(environment)
	env.Resolve()
	errs = environments.Untold(errs, env.Validate())
	if stack != "" && env.Name != "" && env.Name != stack {
		errs = append(errs, field.Invalid(field.NewPath("name"), env.Name, fmt.Sprintf("must be the name of the stack, %s: names of resources and the rules go by it", stack)))
	}
	others := map[string]*environments.Cloud{}
	for _, f := range neighbours {
		if f.Kind != environments.KindAWS {
			continue
		}
		other, _ := environments.DecodeCloud(f.Environment)
		other.Resolve()
		others[f.Stack] = other
	}
	errs = environments.Untold(errs, env.ValidateAmong(others))
	errs = environments.Untold(errs, priced(env, book))
	if len(errs) > 0 {
		return nil, &environments.Error{Problems: errs}
	}
	return env, nil
}

// ByFlag refuses arguments of a command whose environment is given by -s, and says what to type instead.
func ByFlag(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s takes no argument %q: an environment is given by its stack, as in %s -s %s", command.CommandPath(), args[0], command.CommandPath(), args[0])
}
