// SPDX-License-Identifier: Apache-2.0

// Package ecs stands in for traefik's provider for AWS ECS, which a Kubernetes
// site has no use for, and whose client libraries are the largest part of
// upstream's build.
package ecs

import (
	"errors"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/safe"
)

// Provider has no settings: naming it in traefik's configuration is an error.
type Provider struct{}

// SetDefaults has nothing to set.
func (p *Provider) SetDefaults() {}

// Init refuses to run.
func (p *Provider) Init() error {
	return errors.New("this build of traefik has no ECS provider; remove it from the configuration")
}

// Provide is never reached, as Init fails.
func (p *Provider) Provide(chan<- dynamic.Message, *safe.Pool) error { return p.Init() }
