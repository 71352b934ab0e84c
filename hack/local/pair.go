// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// A pair is two stacks, each of one site, on one rack that both are named after: local-pair-east and local-pair-west
// on local-pair. Either can be brought up, changed and destroyed while the other one is dead.

// members are the stacks of a pair, in the order in which they come up; none for a stack of its own.
func (w *workspace) members() ([]string, error) {
	config := func(stack string) string { return filepath.Join(w.root, "environments", "Pulumi."+stack+".yaml") }
	if _, err := os.Stat(config(w.Stack)); err == nil || w.ConfigFile != "" {
		return nil, nil
	}
	files, err := filepath.Glob(config(w.Stack + "-*"))
	if err != nil {
		return nil, err
	}
	var stacks []string
	for _, f := range files {
		stacks = append(stacks, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "Pulumi."), ".yaml"))
	}
	slices.Sort(stacks)
	return stacks, nil
}

// rack is the rack that the stack's hosts are in: the stack's own, or the one of its pair.
func (w *workspace) rack() string {
	exists := func(name string) bool {
		_, err := os.Stat(filepath.Join(w.root, "hack/rack/racks", name+".yaml"))
		return err == nil
	}
	if i := strings.LastIndex(w.Stack, "-"); i > 0 && !exists(w.Stack) && exists(w.Stack[:i]) {
		return w.Stack[:i]
	}
	return w.Stack
}

// of is the same workspace for another stack.
func (w *workspace) of(stack string) *workspace {
	other := *w
	other.Stack = stack
	return &other
}

// site of a pair's stack, by its name.
func (w *workspace) site() string { return strings.TrimPrefix(w.Stack, w.rack()+"-") }

// pairFolder holds what the sites of a pair have to believe each other by.
func (w *workspace) pairFolder() string { return filepath.Join(w.home, "pairs", w.rack()) }

// pairUp are the steps that bring up one site after the other, and then join them.
func (w *workspace) pairUp(members []string) []step {
	var sites []string
	for _, m := range members {
		sites = append(sites, w.of(m).site())
	}
	steps := []step{
		{"authorities of the pair", func(context.Context) error { return ensureAuthorities(w.pairFolder(), sites, time.Now()) }},
		{"virtual rack", w.rackUp},
	}
	for _, m := range members {
		steps = append(steps, step{"pulumi up of " + m, w.of(m).pulumiUp})
	}
	steps = append(steps, step{"the sites are joined", func(ctx context.Context) error { return w.introduce(ctx, members) }})
	for _, m := range members {
		steps = append(steps, step{"pulumi up of " + m + ", joined", w.of(m).pulumiUp})
	}
	return append(steps, step{"first message and booking", w.of(members[0]).first})
}

const (
	peerAccount = "spine-peer"
	// peerDays is how long the account's token is good for.
	peerDays = 365
)

// introduce gives each site what its manager asks the other one's with: an account that may read how services stand,
// and no more.
func (w *workspace) introduce(ctx context.Context, members []string) error {
	for _, m := range members {
		site := w.of(m)
		token, err := site.output(ctx, "kubectl", "create", "token", peerAccount, "--namespace=spine-system", fmt.Sprintf("--duration=%dh", peerDays*24))
		if err != nil {
			return err
		}
		kubeconfig, err := site.peerKubeconfig(strings.TrimSpace(string(token)))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(w.pairFolder(), site.site()+".kubeconfig"), kubeconfig, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// peerKubeconfig is the administrator's with the account's token in place of his certificate.
func (w *workspace) peerKubeconfig(token string) ([]byte, error) {
	text, err := os.ReadFile(w.kubeconfig())
	if err != nil {
		return nil, err
	}
	var admin struct {
		Clusters []struct {
			Cluster struct {
				Server string `json:"server"`
				CA     string `json:"certificate-authority-data"`
			} `json:"cluster"`
		} `json:"clusters"`
	}
	if err := yaml.Unmarshal(text, &admin); err != nil {
		return nil, fmt.Errorf("%s: %w", w.kubeconfig(), err)
	}
	if len(admin.Clusters) != 1 {
		return nil, fmt.Errorf("%s has %d clusters: want one", w.kubeconfig(), len(admin.Clusters))
	}
	c := admin.Clusters[0].Cluster
	if _, err := base64.StdEncoding.DecodeString(c.CA); err != nil || c.Server == "" {
		return nil, fmt.Errorf("%s lacks the server or its authority", w.kubeconfig())
	}
	name := w.site()
	return yaml.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": name,
		"clusters": []any{map[string]any{"name": name, "cluster": map[string]any{"server": c.Server, "certificate-authority-data": c.CA}}},
		"users":    []any{map[string]any{"name": peerAccount, "user": map[string]any{"token": token}}},
		"contexts": []any{map[string]any{"name": name, "context": map[string]any{"cluster": name, "user": peerAccount}}},
	})
}
