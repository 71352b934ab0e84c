// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"spine.nhs.uk/controlplane/hack/probe"
	"spine.nhs.uk/controlplane/hack/site"
)

var hosts = []string{"a", "b", "c"}

type bench struct {
	site   *site.Site
	record Record
}

// cold measures the builds with an empty cache of ours and of Go's; downloaded modules are kept, as their time is the
// network's.
func (b *bench) cold(ctx context.Context) error {
	fmt.Println("Building everything from nothing:")
	dir, err := os.MkdirTemp("", "spine-bench-cold-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cmd := b.site.Command(ctx, "go", "run", "./hack/local", "prepare")
	cmd.Env = append(cmd.Env, "SPINE_CACHE="+dir, "GOCACHE="+filepath.Join(dir, "go-build"))
	cmd.Stdout, cmd.Stderr = b.site.Log, b.site.Log
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building from nothing: %w", err)
	}
	b.record.add("build: everything, cold", "s", time.Since(begin).Seconds())
	return nil
}

// up measures a first `make up` with tools and images built.
func (b *bench) up(ctx context.Context) error {
	fmt.Println("Bringing the site up:")
	if err := b.site.Discard(ctx); err != nil {
		return err
	}
	begin := time.Now()
	if err := b.site.Up(ctx); err != nil {
		return err
	}
	b.record.add("up: whole", "s", time.Since(begin).Seconds())
	phases, err := b.phases()
	if err != nil {
		return err
	}
	for _, p := range phases {
		b.record.add("up: "+p.Name, "s", p.Seconds)
	}
	return b.inside(ctx, begin)
}

type phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

func (b *bench) phases() ([]phase, error) {
	data, err := os.ReadFile(filepath.Join(b.site.Home, "last-up-"+b.site.Name+".json"))
	if err != nil {
		return nil, err
	}
	var last struct{ Phases []phase }
	return last.Phases, json.Unmarshal(data, &last)
}

// inside splits `pulumi up` by when each resource was made, and says when the last node became Ready.
func (b *bench) inside(ctx context.Context, begin time.Time) error {
	out, err := b.site.Command(ctx, "pulumi", "stack", "export", "--stack", b.site.Name).Output()
	if err != nil {
		return err
	}
	var state struct {
		Deployment struct {
			Resources []struct {
				Type    string    `json:"type"`
				Created time.Time `json:"created"`
			} `json:"resources"`
		} `json:"deployment"`
	}
	if err := json.Unmarshal(out, &state); err != nil {
		return err
	}
	done := map[string]time.Time{}
	for _, r := range state.Deployment.Resources {
		if r.Created.After(done[r.Type]) {
			done[r.Type] = r.Created
		}
	}
	hosts, cluster, addons := done["spine:baremetal:Host"], done["spine:baremetal:Cluster"], done["spine:kubernetes:Manifests"]
	if hosts.IsZero() || cluster.IsZero() || addons.IsZero() {
		return errors.New("the stack's state holds no host, no cluster or no add-ons")
	}
	b.record.add("up: from start to hosts done", "s", hosts.Sub(begin).Seconds())
	b.record.add("up: control plane, three members", "s", cluster.Sub(hosts).Seconds())
	b.record.add("up: add-ons", "s", addons.Sub(cluster).Seconds())

	kube, err := b.site.Kube()
	if err != nil {
		return err
	}
	nodes, err := kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var ready time.Time
	for _, n := range nodes.Items {
		for _, c := range n.Status.Conditions {
			if c.Type == corev1.NodeReady && c.LastTransitionTime.After(ready) {
				ready = c.LastTransitionTime.Time
			}
		}
	}
	b.record.add("up: from start to three Ready nodes", "s", ready.Sub(begin).Seconds())
	return nil
}

func (b *bench) previews(ctx context.Context, count int) error {
	fmt.Println("Previews of the unchanged stack:")
	for range count {
		begin := time.Now()
		if _, err := b.site.Pulumi(ctx, "preview", "--expect-no-changes"); err != nil {
			return err
		}
		b.record.add("preview, warm", "s", time.Since(begin).Seconds())
	}
	return nil
}

// losses cuts the power of each host in turn and measures what a client of the API sees.
func (b *bench) losses(ctx context.Context, count int) error {
	fmt.Println("Power cuts:")
	kube, err := b.site.Kube()
	if err != nil {
		return err
	}
	client, url, err := b.site.APIProbe()
	if err != nil {
		return err
	}
	until := func(host, want string, limit time.Duration) error {
		return wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, limit, true, func(ctx context.Context) (bool, error) {
			status, err := site.NodeReady(ctx, kube, host)
			return err == nil && status == want, nil
		})
	}
	for i := range count {
		host := hosts[i%len(hosts)]
		watch := probe.Start(client, url, 100*time.Millisecond, time.Second)
		cut := time.Now()
		if err := b.site.PowerOff(ctx, host); err != nil {
			return err
		}
		if err := until(host, "Unknown", time.Minute); err != nil {
			return fmt.Errorf("node %s was not reported lost: %w", host, err)
		}
		b.record.add("host loss: node reported not ready", "s", time.Since(cut).Seconds())
		b.record.add("host loss: API gap", "s", watch.Stop().LongestGap.Seconds())
		on := time.Now()
		if err := b.site.PowerOn(ctx, host); err != nil {
			return err
		}
		if err := until(host, "True", 3*time.Minute); err != nil {
			return fmt.Errorf("node %s did not come back: %w", host, err)
		}
		b.record.add("host return: node Ready", "s", time.Since(on).Seconds())
		if err := b.settled(ctx); err != nil {
			return err
		}
	}
	return nil
}

// settled waits until every pod is well, so that one measurement does not disturb the next.
func (b *bench) settled(ctx context.Context) error {
	kube, err := b.site.Kube()
	if err != nil {
		return err
	}
	var unwell []string
	err = wait.PollUntilContextTimeout(ctx, time.Second, 4*time.Minute, true, func(ctx context.Context) (bool, error) {
		var err error
		unwell, err = site.UnwellPods(ctx, kube)
		return err == nil && len(unwell) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("pods did not settle: %w: %s", err, strings.Join(unwell, "; "))
	}
	return nil
}

func (b *bench) down(ctx context.Context) error {
	fmt.Println("Taking it down:")
	begin := time.Now()
	if err := b.site.Down(ctx); err != nil {
		return err
	}
	b.record.add("down: whole", "s", time.Since(begin).Seconds())
	return nil
}
