// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	requestsca "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	requestsselfsigned "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	"github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	"github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	certificatemetrics "github.com/cert-manager/cert-manager/pkg/controller/certificates/metrics"
	"github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	"github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	"github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	"github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	"github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	"github.com/cert-manager/cert-manager/pkg/controller/issuers"

	// The issuers that those know.
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
)

// names are the controllers to run; others are linked in with them.
var names = []string{
	approver.ControllerName,
	requestsca.CRControllerName,
	requestsselfsigned.CRControllerName,
	issuing.ControllerName,
	keymanager.ControllerName,
	certificatemetrics.ControllerName,
	readiness.ControllerName,
	requestmanager.ControllerName,
	revisionmanager.ControllerName,
	trigger.ControllerName,
	clusterissuers.ControllerName,
	issuers.ControllerName,
}

const (
	// workers is how many objects a controller works on at once.
	workers = 2
	// A leader that stops answering is replaced within leaseDuration and a bit;
	// certificates are renewed weeks ahead, so that is soon enough.
	leaseDuration = 30 * time.Second
	renewDeadline = 20 * time.Second
	retryPeriod   = 5 * time.Second
)

// build makes the controllers, by name.
func build(factory *controller.ContextFactory) (map[string]controller.Interface, error) {
	loops := map[string]controller.Interface{}
	for _, name := range names {
		constructor, ok := controller.Known()[name]
		if !ok {
			return nil, fmt.Errorf("controller %s is not linked in", name)
		}
		loop, err := constructor(factory)
		if err != nil {
			return nil, fmt.Errorf("controller %s: %w", name, err)
		}
		loops[name] = loop
	}
	return loops, nil
}

// runLoops runs the controllers until ctx ends or one fails.
func runLoops(ctx context.Context, base *controller.Context, loops map[string]controller.Interface) error {
	base.SharedInformerFactory.Start(ctx.Done())
	base.KubeSharedInformerFactory.Start(ctx.Done())
	group, ctx := errgroup.WithContext(ctx)
	for name, loop := range loops {
		group.Go(func() error {
			if err := loop.Run(workers, ctx); err != nil {
				return fmt.Errorf("controller %s: %w", name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// lead calls work when this process becomes the leader, and returns when work
// does, the lease is lost or ctx ends.
func lead(ctx context.Context, base *controller.Context, namespace string, watchdog *leaderelection.HealthzAdaptor, work func(context.Context) error) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	// The lease is given up after the work has ended, not while it ends: two
	// leaders at once would issue a certificate twice.
	lease, release := context.WithCancel(context.WithoutCancel(ctx))
	defer release()
	started, result := make(chan struct{}), make(chan error, 1)
	defer context.AfterFunc(ctx, func() {
		select {
		case <-started:
		default:
			release()
		}
	})()
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Name: "cert-manager-controller",
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: namespace, Name: "cert-manager-controller"},
			Client:     base.Client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: host},
		},
		LeaseDuration:   leaseDuration,
		RenewDeadline:   renewDeadline,
		RetryPeriod:     retryPeriod,
		ReleaseOnCancel: true,
		WatchDog:        watchdog,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(lease context.Context) {
				close(started)
				working, stop := context.WithCancel(ctx)
				defer stop()
				defer context.AfterFunc(lease, stop)()
				result <- work(working)
				release()
			},
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return err
	}
	watchdog.SetLeaderElection(elector)
	elector.Run(lease)
	if ctx.Err() == nil && lease.Err() == nil {
		return errors.New("the lease was lost: another replica leads now")
	}
	select {
	case <-started:
		return <-result
	default:
		return nil
	}
}
