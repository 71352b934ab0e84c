// SPDX-License-Identifier: Apache-2.0

// Command manager runs the controllers of the services.
package main

import (
	"fmt"
	"log/slog"
	"os"
	_ "time/tzdata" // the image has no time zones, and services name theirs

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	if err := command().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	o := defaults()
	c := &cobra.Command{
		Use:   "manager",
		Short: "Run the controllers of MessagingService, BookingService and the edge",
		Example: `  # In the cluster, as operators/manifests deploys it:
  manager --edge-address=10.90.0.101

  # Against the cluster of the current kubeconfig, without leader election:
  manager --leader-election=false --tls-dir=./manager-tls`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(*cobra.Command, []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			log := logr.FromSlogHandler(slog.NewJSONHandler(os.Stderr, nil))
			ctrl.SetLogger(log)
			klog.SetLogger(log) // leader election speaks through it
			return run(ctrl.SetupSignalHandler(), o)
		},
	}
	o.flags(c.Flags())
	return c
}
