// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spine.nhs.uk/controlplane/hack/load/stats"
	"spine.nhs.uk/controlplane/hack/site"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// The pair of environments/Pulumi.local-pair-*.yaml, by the names that README gives it.
const (
	pair      = "local-pair"
	pairZone  = "pair.spine.internal"
	pairVoter = "10.99.0.11:53"
)

const (
	// switchoverLoad is how long clients send in one run: some seconds before the switchover, and well beyond it.
	switchoverLoad = 100 * time.Second
	// switchoverAfter is when it begins: users look at several pages before they book.
	switchoverAfter = 20 * time.Second
	// Messages and pages a second.
	switchoverMessages, switchoverPages = 1000, 50
	// readyWithin is how long a site may need until it could take over again: a cool-down of minutes, and its databases.
	readyWithin = 15 * time.Minute
)

// pairSite is one of the two.
type pairSite struct {
	site    *site.Site
	objects client.Client
}

// policy is the site's part in the pair.
func (s *pairSite) policy(ctx context.Context) (*resilience.FailoverPolicy, error) {
	p := &resilience.FailoverPolicy{}
	return p, s.objects.Get(ctx, types.NamespacedName{Namespace: "spine-system", Name: resilience.FailoverPolicyName}, p)
}

// runSwitchovers is the whole of `bench -switchovers`: it moves the services of the pair to the other site, as planned,
// again and again, while clients send messages and ask for pages. There is no stock arm: without a control plane nobody
// moves them.
func runSwitchovers(ctx context.Context, runs int, results string) error {
	root, home, err := folders()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "spine-bench-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var sites []*pairSite
	for _, name := range []string{"east", "west"} {
		s, err := site.Existing(ctx, root, home, pair+"-"+name, pair, io.Discard)
		if err != nil {
			return err
		}
		objects, err := s.Objects()
		if err != nil {
			return fmt.Errorf("the pair has to be up (`make up STACK=%s`): %w", pair, err)
		}
		sites = append(sites, &pairSite{site: s, objects: objects})
	}
	b := &bench{site: sites[0].site, record: newRecord()}
	g, err := newGenerator(ctx, b.site, dir)
	if err != nil {
		return err
	}
	fmt.Printf("Services moved to the other site, as planned, %d times, clients sending:\n", runs)
	for range runs {
		to, err := standby(ctx, sites)
		if err != nil {
			return err
		}
		if err := b.switchover(ctx, g, to); err != nil {
			return fmt.Errorf("to %s: %w", to.site.Name, err)
		}
	}
	return b.record.finish(filepath.Join(results, "switchovers"))
}

// standby waits until the site that does not serve could, and returns it.
func standby(ctx context.Context, sites []*pairSite) (ready *pairSite, err error) {
	said := errors.New("neither site says that it stands by")
	err = wait.PollUntilContextTimeout(ctx, 2*time.Second, readyWithin, true, func(ctx context.Context) (bool, error) {
		for _, s := range sites {
			p, err := s.policy(ctx)
			if err != nil {
				said = err
				continue
			}
			if c := meta.FindStatusCondition(p.Status.Conditions, common.ConditionTakeover); p.Status.Role == common.SiteStandby && c != nil {
				ready, said = s, errors.New(c.Message)
				return meta.IsStatusConditionTrue(p.Status.Conditions, common.ConditionTakeover), nil
			}
		}
		return false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("no site could take over within %s: %w", readyWithin, said)
	}
	return ready, nil
}

// switchover moves the services to a site under load and records what clients saw.
func (b *bench) switchover(ctx context.Context, g *generator, to *pairSite) error {
	var reports [2]stats.Report
	kinds := []struct {
		name, command, host string
		port                int
		rate                float64
	}{{"messages", "messages", "messages", 8444, switchoverMessages}, {"pages", "bookings", "booking", 8445, switchoverPages}}
	load, loading := errgroup.WithContext(ctx)
	for i, k := range kinds {
		load.Go(func() (err error) {
			reports[i], err = g.run(loading, nil, k.command, "--url", fmt.Sprintf("https://%s.%s:%d", k.host, pairZone, k.port),
				"--name-server", pairVoter, "--rate", rate(k.rate), "--duration", switchoverLoad.String())
			return err
		})
	}
	load.Go(func() error {
		select {
		case <-loading.Done():
			return loading.Err()
		case <-time.After(switchoverAfter):
		}
		begin := time.Now()
		out, err := to.site.Run(loading, "kubectl", "spine", "failover", "Planned", "--yes", "--reason", "bench: a planned switchover is measured")
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		b.record.add("planned switchover: the command", "s", time.Since(begin).Seconds())
		return nil
	})
	if err := load.Wait(); err != nil {
		return err
	}
	for i, k := range kinds {
		b.record.add("planned switchover: longest gap, "+k.name, "s", reports[i].LongestGap.Seconds)
	}
	return nil
}
