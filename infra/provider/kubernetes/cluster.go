// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"fmt"
	"time"

	"github.com/fluxcd/pkg/ssa"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// requestTimeout bounds one API request; we never watch.
	requestTimeout = 15 * time.Second
	// lookTimeout bounds how long a look waits for an API that stopped answering.
	lookTimeout = 20 * time.Second
	// concurrency is how many requests of one set run at once.
	concurrency = 8
)

// cluster is a connection to one API server.
type cluster struct {
	server  string
	client  client.Client
	manager *ssa.ResourceManager
	// poll is how often waiting looks again.
	poll time.Duration
}

// connector opens a cluster without talking to it yet.
type connector func(kubeconfig string) (*cluster, error)

func connectCluster(kubeconfig string) (*cluster, error) {
	cfg, err := clientcmd.RESTConfigFromKubeConfig([]byte(kubeconfig))
	if err != nil {
		// The parser's error may quote the text, which holds a private key.
		return nil, fmt.Errorf("kubeconfig: not usable: it needs a current context with a cluster and a user")
	}
	cfg.Timeout = requestTimeout
	cfg.UserAgent = "pulumi-resource-spine"
	// The server's own priority and fairness limits us; the client's default of five
	// requests per second would take most of the time of a set.
	cfg.QPS = -1
	// Warnings of the server go to the engine's console through us or not at all.
	cfg.WarningHandler = rest.NoWarnings{}
	c, err := client.New(cfg, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	return newCluster(cfg.Host, c, time.Second), nil
}

func newCluster(server string, c client.Client, poll time.Duration) *cluster {
	manager := ssa.NewResourceManager(c, nil, ssa.Owner{Field: FieldManager, Group: ownerGroup})
	manager.SetConcurrency(concurrency)
	return &cluster{server: server, client: c, manager: manager, poll: poll}
}

// reach waits until the API answers an authenticated request, for at most the time given.
// The error is *UnreachableError or *OtherClusterError, or says what the API refused.
func (c *cluster) reach(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return c.retry(ctx, func() error {
		ns := &unstructured.Unstructured{}
		ns.SetAPIVersion("v1")
		ns.SetKind("Namespace")
		return c.client.Get(ctx, client.ObjectKey{Name: "kube-system"}, ns)
	})
}

// look runs f, which only reads, again while no API answers: its address moves to another
// host within seconds.
func (c *cluster) look(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return c.retryWhile(ctx, isUnreachable, f)
}

// retry runs f again after every failure that may pass by itself, until ctx ends.
func (c *cluster) retry(ctx context.Context, f func() error) error {
	return c.retryWhile(ctx, isTransient, f)
}

// retryWhile runs f until it succeeds, fails for good, or ctx ends. It returns f's last
// error, classified.
func (c *cluster) retryWhile(ctx context.Context, again func(error) bool, f func() error) error {
	var last error
	for {
		err := c.classify(f())
		if err == nil || !again(err) && ctx.Err() == nil {
			return err
		}
		// Once ctx has ended, f fails for that reason: what it met before says more.
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(c.poll):
		}
	}
}
