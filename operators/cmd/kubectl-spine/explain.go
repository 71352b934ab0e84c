// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/runbooks"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain REASON",
		Short: "The page of a reason: what it means, where to look, what to do, how you know it is over",
		Long: `Shows the page of a reason that a status, an operation or an alert gives. Pages are part of the
program: they can be read when no site answers. Without a reason, lists all.`,
		Example: `  kubectl spine explain QuorumAtRisk
  kubectl spine explain`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return allReasons(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listReasons()
			}
			reasons := allReasons()
			i := slices.IndexFunc(reasons, func(r string) bool { return strings.EqualFold(r, args[0]) })
			if i < 0 {
				return unknown("reason", args[0], reasons)
			}
			page, err := runbooks.Page(reasons[i])
			if err == nil {
				_, err = io.WriteString(a.out, page)
			}
			return err
		},
	}
}

// listReasons writes each reason with the first sentence of what it means.
func (a *app) listReasons() error {
	for _, reason := range allReasons() {
		page, err := runbooks.Page(reason)
		if err != nil {
			return err
		}
		_, meaning, _ := strings.Cut(page, "## What it means\n\n")
		sentence, _, _ := strings.Cut(meaning, "\n")
		fmt.Fprintf(a.out, "%-20s %s\n", reason, cut(sentence, screenWidth-21))
	}
	return nil
}
