// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type nothing struct{}

func (nothing) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	return args.Name, args.Inputs, nil
}

func (nothing) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return nil, errors.New("nothing may be called")
}

func TestMistakesAreShownOnce(t *testing.T) {
	for name, c := range map[string]struct {
		config map[string]string
		want   string
	}{
		"no kind":        {nil, `spine:kind is missing from the stack's configuration: it is one of ["aws" "baremetal-site"]`},
		"unknown kind":   {map[string]string{"spine:kind": "cloud"}, `spine:kind is "cloud": it must be one of ["aws" "baremetal-site"]`},
		"no environment": {map[string]string{"spine:kind": "baremetal-site"}, "spine:environment is missing"},
		"empty":          {map[string]string{"spine:kind": "baremetal-site", "spine:environment": "{}"}, "spine:environment; nothing was changed:\n  - name: Required value"},
	} {
		t.Run(name, func(t *testing.T) {
			err := pulumi.RunErr(program, pulumi.WithMocks("spine", "test", nothing{}), func(info *pulumi.RunInfo) { info.Config = c.config })
			var shown *shownError
			if !errors.As(err, &shown) {
				t.Fatalf("got %v, which is not known to have been shown", err)
			}
			if !strings.Contains(shown.Error(), c.want) {
				t.Errorf("%q is missing from:\n%v", c.want, shown)
			}
		})
	}
}

func TestMessage(t *testing.T) {
	long := "host b (10.90.0.12): memory is 2048 MiB, requirements.memoryMiB asks for 4096: add memory or lower the requirement"
	got := message(errors.New("rpc error: code = Unknown desc = invocation of spine:baremetal:preflight returned an error: 1 problem:\n  " + long))
	want := "1 problem:\n  host b (10.90.0.12): memory is 2048 MiB, requirements.memoryMiB asks for 4096: add memory or\n    lower the requirement"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
