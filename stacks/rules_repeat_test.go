// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/policy"
)

// modelled is the environment that has all that an environment can have.
const modelled = "ers-live"

// ownAccount is the line of a config that names the environment's account.
var ownAccount = regexp.MustCompile(`(?m)^(\s+account: )"[0-9]{12}"$`)

// planOf is what an environment plans, with the stand-in. With SPINE_AWS_ACCOUNT it is in that account.
func planOf(tb testing.TB, name string) []engine.Step {
	tb.Helper()
	s := newCloudStack(tb, name)
	s.omitPlatform(tb)
	if account := os.Getenv("SPINE_AWS_ACCOUNT"); account != "" {
		text, err := os.ReadFile(s.Config)
		if err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(s.Config, ownAccount.ReplaceAll(text, []byte(`$1"`+account+`"`)), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return s.planned(tb).Steps
}

// repeated is a program that has a plan's resources again and again, each time under other names, until there are at
// least n: of their types, with their inputs, parents and dependencies, and made by the plan's own providers.
func repeated(plan []engine.Step, n int) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		providers := map[string]pulumi.ProviderResource{}
		made := 0
		for round := 0; made < n; round++ {
			known := map[string]pulumi.Resource{}
			for _, s := range plan {
				if s.Type == "pulumi:pulumi:Stack" || providers[s.URN] != nil {
					continue
				}
				r, err := again(ctx, s, round, providers, known)
				if err != nil {
					return err
				}
				known[s.URN] = r
				made++
			}
		}
		return nil
	}
}

// again registers one resource of a plan.
func again(ctx *pulumi.Context, s engine.Step, round int, providers map[string]pulumi.ProviderResource, known map[string]pulumi.Resource) (pulumi.Resource, error) {
	var on []pulumi.Resource
	for _, urn := range s.Dependencies {
		if r := known[urn]; r != nil {
			on = append(on, r)
		}
	}
	options := []pulumi.ResourceOption{pulumi.DependsOn(on), pulumi.Protect(s.Protect)}
	if parent := known[s.Parent]; parent != nil {
		options = append(options, pulumi.Parent(parent))
	}
	name := s.Name
	if round > 0 {
		name = fmt.Sprintf("%s-%d", s.Name, round)
	}
	if !s.Custom {
		var r pulumi.ResourceState
		return &r, ctx.RegisterComponentResource(s.Type, name, &r, options...)
	}
	inputs := inputsAgain(s.Inputs)
	if s.Type == "pulumi:providers:aws" {
		if version, ok := s.Inputs["version"].(string); ok {
			delete(inputs, "version") // It is the engine's.
			options = append(options, pulumi.Version(version))
		}
		var r pulumi.ProviderResourceState
		err := ctx.RegisterResource(s.Type, name, inputs, &r, options...)
		providers[s.URN] = &r
		return &r, err
	}
	if s.Provider != nil {
		options = append(options, pulumi.Provider(providers[s.Provider.URN]))
	}
	var r pulumi.CustomResourceState
	return &r, ctx.RegisterResource(s.Type, name, inputs, &r, options...)
}

// inputsAgain are inputs as a program gives them.
func inputsAgain(values map[string]any) pulumi.Map {
	out := pulumi.Map{}
	for key, v := range values {
		switch {
		case v == nil:
		case v == any(policy.Secret{}) && key == "users":
			// Of a secret nothing is known but that it is one; this one is a list.
			out[key] = pulumi.ToSecret(pulumi.Array{pulumi.Map{"username": pulumi.String("robot"), "password": pulumi.String(planted)}})
		default:
			out[key] = inputAgain(v)
		}
	}
	return out
}

// inputAgain: what is not known is sent as what stands for it between the SDK and the engine.
func inputAgain(v any) pulumi.Input {
	switch v := v.(type) {
	case map[string]any:
		return inputsAgain(v)
	case []any:
		list := pulumi.Array{}
		for _, item := range v {
			list = append(list, inputAgain(item))
		}
		return list
	case policy.Secret:
		return pulumi.ToSecret(pulumi.String(planted))
	case policy.Unknown:
		return pulumi.String(plugin.UnknownStringValue)
	}
	return pulumi.Any(v)
}
