// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func (a *app) statusCommand() *cobra.Command {
	var contexts []string
	c := &cobra.Command{
		Use:   "status",
		Short: "What is wrong, and which page says what to do, on one screen",
		Long: `Shows sites, hosts, services with their redundancy and backlog, running operations, and what is
wrong with the page that says what to do. A site that does not answer within 5 seconds is said to,
and does not hold up the others. Exit code 0: all is well; 2: something is wrong or not known.`,
		Example: `  # The site of the current context
  kubectl spine status

  # Both sites on one screen, even when one of them is dead
  kubectl spine status --contexts site-a,site-b

  # For a program
  kubectl spine status -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			report, err := a.status(c.Context(), contexts)
			if err != nil {
				return err
			}
			if a.structured() {
				err = a.encode(a.out, a.output, report)
			} else {
				_, err = io.WriteString(a.out, a.statusScreen(report))
			}
			if err == nil && !report.Well {
				err = &wrongError{}
			}
			return err
		},
	}
	c.Flags().StringSliceVar(&contexts, "contexts", nil, "sites to show: contexts of the kubeconfig, separated by commas (default: the current one)")
	_ = c.RegisterFlagCompletionFunc("contexts", a.completeContexts)
	a.outputFlag(c, formatTable, formatJSON, formatYAML)
	return c
}

// status reads all sites at once. It fails when none can be read.
func (a *app) status(ctx context.Context, contexts []string) (statusReport, error) {
	if len(contexts) == 0 {
		contexts = []string{""}
	}
	sites := make([]*site, len(contexts))
	var errs []error
	for i, name := range contexts {
		var err error
		if sites[i], err = a.connect(strings.TrimSpace(name)); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return statusReport{}, err
	}
	now := a.now()
	report := statusReport{At: metav1.Time{Time: now.UTC()}, Sites: make([]siteStatus, len(sites))}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var group sync.WaitGroup
	for i, s := range sites {
		group.Go(func() {
			result := make(chan siteStatus, 1)
			go func() { result <- s.gather(ctx, now) }()
			select {
			case report.Sites[i] = <-result:
			case <-ctx.Done():
				// A program that fetches credentials may outlive the deadline: it is left behind.
				report.Sites[i] = s.dead(s.explain(context.DeadlineExceeded, "read"))
			}
		})
	}
	group.Wait()
	report.Well = true
	for _, s := range report.Sites {
		report.Well = report.Well && len(s.Problems) == 0
		errs = append(errs, s.failed)
	}
	if len(errs) == len(report.Sites) && allFailed(errs) {
		return report, errors.Join(errs...)
	}
	return report, nil
}

func allFailed(errs []error) bool {
	for _, err := range errs {
		if err == nil {
			return false
		}
	}
	return true
}

// heading of the screen: one line that says whether all is well.
func heading(r statusReport) (string, string) {
	n := 0
	for _, s := range r.Sites {
		n += len(s.Problems)
	}
	switch n {
	case 0:
		return "All is well", toneGood
	case 1:
		return "1 thing is wrong", toneBad
	}
	return fmt.Sprintf("%d things are wrong", n), toneBad
}
