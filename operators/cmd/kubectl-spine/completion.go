// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// completionTimeout: a person who presses Tab waits no longer.
const completionTimeout = 2 * time.Second

const noFiles = cobra.ShellCompDirectiveNoFileComp

type completions = []string

// asked runs a look-up for a completion; a site that cannot be read completes nothing.
func (a *app) asked(look func(context.Context, *site) completions) (completions, cobra.ShellCompDirective) {
	s, err := a.connect("")
	if err != nil {
		return nil, noFiles
	}
	ctx, cancel := context.WithTimeout(context.Background(), completionTimeout)
	defer cancel()
	return look(ctx, s), noFiles
}

// completeRecover completes actions, then what the action can be on.
func (a *app) completeRecover(_ *cobra.Command, args []string, _ string) (completions, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		var out completions
		for _, x := range actions {
			out = append(out, string(x.name)+"\t"+x.does)
		}
		return out, noFiles
	case 1:
		if namesOperation(args) {
			return nil, noFiles
		}
		return a.asked(func(ctx context.Context, s *site) completions {
			if api.Action(args[0]).OnHost() {
				return s.hostNames(ctx)
			}
			var out completions
			all, err := s.services(ctx)
			if err != nil {
				return nil
			}
			for _, v := range all {
				out = append(out, v.name+"\t"+v.kind+" in "+v.namespace)
			}
			return out
		})
	}
	return nil, noFiles
}

func (s *site) hostNames(ctx context.Context) completions {
	var nodes corev1.NodeList
	if s.client.List(ctx, &nodes) != nil {
		return nil
	}
	var out completions
	for _, n := range nodes.Items {
		out = append(out, n.Name)
	}
	return out
}

func (a *app) completeSupplier(_ *cobra.Command, args []string, _ string) (completions, cobra.ShellCompDirective) {
	return a.asked(func(ctx context.Context, s *site) completions {
		all, err := s.services(ctx)
		if err != nil {
			return nil
		}
		var out completions
		for _, v := range all {
			if len(args) < 2 || v.name == args[1] {
				out = append(out, v.suppliers...)
			}
		}
		return out
	})
}

// completeOperation completes the names of operations, those that go on first.
func (a *app) completeOperation(_ *cobra.Command, args []string, _ string) (completions, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, noFiles
	}
	return a.asked(func(ctx context.Context, s *site) completions {
		items, err := s.operations(ctx)
		if err != nil {
			return nil
		}
		var running, ended completions
		for i := range items {
			o := &items[i]
			line := o.Name + "\t" + phaseWords(o) + " on " + targetOf(o)
			if o.Status.Phase.Ended() {
				ended = append(ended, line)
			} else {
				running = append(running, line)
			}
		}
		return append(running, ended...)
	})
}

func (a *app) completeContext(*cobra.Command, []string, string) (completions, cobra.ShellCompDirective) {
	names, err := a.contexts()
	if err != nil {
		return nil, noFiles
	}
	return names, noFiles
}

// completeContexts completes the last of several, separated by commas.
func (a *app) completeContexts(c *cobra.Command, args []string, typed string) (completions, cobra.ShellCompDirective) {
	names, _ := a.completeContext(c, args, typed)
	before := ""
	if i := strings.LastIndex(typed, ","); i >= 0 {
		before = typed[:i+1]
	}
	chosen := strings.Split(before, ",")
	var out completions
	for _, n := range names {
		if !slices.Contains(chosen, n) {
			out = append(out, before+n)
		}
	}
	return out, noFiles
}

func completeNamespace(*cobra.Command, []string, string) (completions, cobra.ShellCompDirective) {
	return ourNamespaces, noFiles
}
