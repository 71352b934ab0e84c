// SPDX-License-Identifier: Apache-2.0

// Command cert-manager runs the controllers of cert-manager that a site uses:
// certificates, and issuers that sign with a certificate authority in a Secret or
// with the certificate's own key. Upstream's command is in a Go module of its own
// that is not published; its controllers are, and this starts them.
//
// Left out is what a site without internet never uses: ACME, Vault and Venafi
// issuers, and the shims for Ingress and Gateway.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/healthz"
	"github.com/cert-manager/cert-manager/pkg/logs"
)

const usage = `Issues and renews certificates from authorities that are in the cluster.

usage:
  cert-manager-controller --namespace=NAMESPACE [flags]

example, in a pod whose service account may change certificates and secrets:
  cert-manager-controller --namespace=cert-manager

flags:
`

// settings come from the command line.
type settings struct {
	// namespace holds the Secrets of ClusterIssuers and the lease of the leader.
	namespace string
	// metrics and health are addresses to listen on.
	metrics, health string
}

func main() {
	var s settings
	flag.StringVar(&s.namespace, "namespace", "", "where the Secrets of ClusterIssuers are, and the lease of the leader")
	flag.StringVar(&s.metrics, "metrics-address", ":9402", "where /metrics is served, without TLS")
	flag.StringVar(&s.health, "health-address", ":9403", "where /livez is served")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	if s.namespace == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	logs.InitLogs()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(logs.NewContext(ctx, logs.Log, "controller"), s)
	logs.FlushLogs()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cert-manager-controller:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends; it returns an error when the lease is lost, as the
// controllers cannot be started twice in one process.
func run(ctx context.Context, s settings) error {
	factory, err := controller.NewContextFactory(ctx, controller.ContextOptions{
		KubernetesAPIQPS:   20,
		KubernetesAPIBurst: 50,
		IssuerOptions:      controller.IssuerOptions{ClusterResourceNamespace: s.namespace},
		CertificateOptions: controller.CertificateOptions{
			// The authority is in the cluster: there is no quota to spare by waiting an hour.
			CertificateRequestMinimumBackoffDuration: time.Minute,
			CertificateRequestMaximumBackoffDuration: time.Hour,
			CopiedAnnotationPrefixes:                 []string{"*", "-kubectl.kubernetes.io/"},
		},
	})
	if err != nil {
		return err
	}
	base, err := factory.Build()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	health := healthz.NewServer(leaseDuration)
	listener, err := net.Listen("tcp", s.health)
	if err != nil {
		return err
	}
	group.Go(func() error { return health.Start(ctx, listener) })

	// Made before the metrics, which collect from what the controllers look at.
	loops, err := build(factory)
	if err != nil {
		return err
	}
	if err := serveMetrics(ctx, group, base, s.metrics); err != nil {
		return err
	}
	group.Go(func() error {
		return lead(ctx, base, s.namespace, health.LeaderHealthzAdaptor, func(ctx context.Context) error {
			return runLoops(ctx, base, loops)
		})
	})
	return group.Wait()
}

// serveMetrics serves /metrics until ctx ends.
func serveMetrics(ctx context.Context, group *errgroup.Group, base *controller.Context, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := base.Metrics.NewServer(listener)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		return server.Close()
	})
	return nil
}
