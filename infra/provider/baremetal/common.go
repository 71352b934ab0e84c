// SPDX-License-Identifier: Apache-2.0

// Package baremetal holds the provider's resources for machines reached over
// SSH: Host prepares one, Cluster makes a Kubernetes cluster of several.
package baremetal

import (
	"context"
	"fmt"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

const (
	defaultUser = "root"
	defaultPort = 22
)

// SSH is how a host is reached.
type SSH struct {
	User         *string `pulumi:"user,optional"`
	Port         *int    `pulumi:"port,optional"`
	HostKey      string  `pulumi:"hostKey"`
	IdentityFile *string `pulumi:"identityFile,optional"`
}

// Annotate documents the fields in the schema.
func (s *SSH) Annotate(a infer.Annotator) {
	a.Describe(&s, "How a host is reached over SSH.")
	a.Describe(&s.User, "User to log in as; needs root's rights. Default root.")
	a.Describe(&s.Port, "TCP port of sshd, 1 to 65535. Default 22.")
	a.Describe(&s.HostKey, "Pinned public host key as in authorized_keys: \"ssh-ed25519 AAAA...\". A host that presents another key is not talked to.")
	a.Describe(&s.IdentityFile, "Path of the private key; \"~/\" is expanded where the provider runs, so that state is the same for every engineer. "+
		"The environment variable SPINE_SSH_IDENTITY_FILE takes precedence; without either the SSH agent is used. A change is not a difference of the host.")
}

// Target is the SSH target of the host with that name and address.
func (s SSH) Target(name, address string) remote.Target {
	t := remote.Target{Name: name, Address: address, User: defaultUser, Port: defaultPort, HostKey: s.HostKey}
	if s.User != nil {
		t.User = *s.User
	}
	if s.Port != nil {
		t.Port = *s.Port
	}
	if s.IdentityFile != nil {
		t.IdentityFile = *s.IdentityFile
	}
	return t
}

// Labels place a host: they become the node's region and zone.
type Labels struct {
	Site string `pulumi:"site"`
	Rack string `pulumi:"rack"`
}

// Annotate documents the fields in the schema.
func (l *Labels) Annotate(a infer.Annotator) {
	a.Describe(&l, "Where a host stands.")
	a.Describe(&l.Site, "Site, the node's topology.kubernetes.io/region: a lower-case DNS label.")
	a.Describe(&l.Rack, "Rack within the site, the node's topology.kubernetes.io/zone: a lower-case DNS label.")
}

// progress reports a step to whoever watches the console.
type progress func(format string, args ...any)

// progressFrom shows steps beside the resource in the engine's live view; they
// are not kept in the final log.
func progressFrom(ctx context.Context) progress {
	log := p.GetLogger(ctx)
	return func(format string, args ...any) { log.InfoStatus(fmt.Sprintf(format, args...)) }
}
