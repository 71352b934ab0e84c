// SPDX-License-Identifier: Apache-2.0

// Package peersite reaches the other site by its Kubernetes API, with the few rights that
// its role spine-peer gives: to read the policy and the services, and to write the policy's
// annotations.
package peersite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/ports"
)

const (
	namespace = "spine-system"
	// patience with one request: a site that does not answer must not keep a look from ending.
	patience = 3 * time.Second
)

// Peer is a ports.Peer. It is safe for concurrent use.
type Peer struct {
	path string

	mu     sync.Mutex
	text   []byte
	client client.Client
}

// New returns the other site by the kubeconfig at path, which is read again when it changes.
func New(path string) *Peer { return &Peer{path: path} }

// connect returns a client for the kubeconfig as it is now.
func (p *Peer) connect() (client.Client, error) {
	text, err := os.ReadFile(p.path)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client != nil && bytes.Equal(text, p.text) {
		return p.client, nil
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.path, err)
	}
	config.Timeout = patience
	scheme := runtime.NewScheme()
	if err := errors.Join(messagingapi.AddToScheme(scheme), bookingapi.AddToScheme(scheme), resilience.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	p.client, p.text = c, text
	return c, nil
}

// Look implements ports.Peer.
func (p *Peer) Look(ctx context.Context, services []resilience.PairedService) (ports.PeerSite, error) {
	c, err := p.connect()
	if err != nil {
		return ports.PeerSite{}, &ports.PeerError{Err: err}
	}
	site := ports.PeerSite{Policy: &resilience.FailoverPolicy{}}
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: resilience.FailoverPolicyName}, site.Policy); err != nil {
		return ports.PeerSite{}, &ports.PeerError{Err: err}
	}
	for _, s := range services {
		one, err := service(ctx, c, s)
		if err != nil {
			return ports.PeerSite{}, &ports.PeerError{Err: err}
		}
		site.Services = append(site.Services, one)
	}
	return site, nil
}

func service(ctx context.Context, c client.Client, s resilience.PairedService) (ports.PeerService, error) {
	one := ports.PeerService{Name: s.Kind + "/" + s.Namespace + "/" + s.Name, Acknowledged: -1, Backlog: -1}
	key := client.ObjectKey{Namespace: s.Namespace, Name: s.Name}
	if s.Kind == "BookingService" {
		var b bookingapi.BookingService
		err := c.Get(ctx, key, &b)
		one.Site = b.Status.Site
		if b.Status.Backlog != nil {
			one.Backlog = b.Status.Backlog.OutboxPending
		}
		return one, client.IgnoreNotFound(err)
	}
	var m messagingapi.MessagingService
	err := c.Get(ctx, key, &m)
	one.Site = m.Status.Site
	if m.Status.Backlog != nil {
		one.Acknowledged, one.Backlog = m.Status.Backlog.Acknowledged, m.Status.Backlog.Unsettled
	}
	return one, client.IgnoreNotFound(err)
}

// Ask implements ports.Peer.
func (p *Peer) Ask(ctx context.Context, read *resilience.FailoverPolicy, h resilience.Handover) error {
	return p.annotate(ctx, read, resilience.HandoverAnnotation, h)
}

// Promise implements ports.Peer.
func (p *Peer) Promise(ctx context.Context, read *resilience.FailoverPolicy, v resilience.Promise) error {
	return p.annotate(ctx, read, resilience.PromiseAnnotation, v)
}

// annotate changes exactly the policy that was read.
func (p *Peer) annotate(ctx context.Context, read *resilience.FailoverPolicy, key string, value any) error {
	c, err := p.connect()
	if err != nil {
		return &ports.PeerError{Err: err}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": read.UID, "resourceVersion": read.ResourceVersion, "annotations": map[string]string{key: string(text)},
	}})
	if err != nil {
		return err
	}
	switch err := c.Patch(ctx, read.DeepCopy(), client.RawPatch(types.MergePatchType, patch), client.FieldOwner("spine-peer")); {
	case apierrors.IsConflict(err):
		return ports.ErrPeerChanged
	case err != nil:
		return &ports.PeerError{Err: err}
	}
	return nil
}
