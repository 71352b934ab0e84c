// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/operation"
)

// killer ends the goroutine of a manager at its n-th call of anything outside itself, before
// or after that took effect. Zero: never.
type killer struct {
	mu sync.Mutex
	at int
	// calls so far.
	calls int
}

func (k *killer) point() {
	k.mu.Lock()
	k.calls++
	die := k.calls == k.at
	k.mu.Unlock()
	if die {
		runtime.Goexit()
	}
}

// mortal is a client whose manager may be killed at any call.
type mortal struct {
	client.Client
	k *killer
}

func (m mortal) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	m.k.point()
	return m.Client.Get(ctx, key, o, opts...)
}

func (m mortal) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	m.k.point()
	defer m.k.point()
	return m.Client.Create(ctx, o, opts...)
}

func (m mortal) Update(ctx context.Context, o client.Object, opts ...client.UpdateOption) error {
	m.k.point()
	defer m.k.point()
	return m.Client.Update(ctx, o, opts...)
}

func (m mortal) Status() client.SubResourceWriter {
	return mortalStatus{m.Client.Status(), m.k}
}

type mortalStatus struct {
	client.SubResourceWriter
	k *killer
}

func (m mortalStatus) Patch(ctx context.Context, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
	m.k.point()
	defer m.k.point()
	return m.SubResourceWriter.Patch(ctx, o, p, opts...)
}

// works counts what was done to the world. It outlives managers.
type works struct {
	mu sync.Mutex
	// did counts acts by step.
	did map[string]int
	// image is what the plan is made from.
	image string
	// blockers that planning finds.
	blockers []api.Blocker
	// during is called within each act, after it took effect.
	during func(step string)
}

func (w *works) count(step string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.did[step]
}

// counted is an action of three steps: one that may be repeated, one that must not and from
// which there is no return, and one more. It may be killed in each of its methods.
type counted struct {
	w *works
	k *killer
	o *api.ServiceRecovery
}

func (f counted) Plan(context.Context) (operation.Planned, error) {
	f.k.point()
	return operation.Planned{
		Resources: []string{"service-" + f.o.Spec.Service.Name}, Disruptive: true, Blockers: f.w.blockers,
		Plan: api.Plan{
			Summary: "the broker of " + f.o.Spec.Service.Name + " is rebuilt", PointOfNoReturn: "delete", Inputs: []string{"image: " + f.w.image},
			Steps: []api.PlannedStep{
				{Name: "stop", Summary: "stops publishing", Repeatable: true, ExpectedSeconds: 1, TimeoutSeconds: 60},
				{Name: "delete", Summary: "deletes the volumes", Destructive: true, ExpectedSeconds: 5, TimeoutSeconds: 60},
				{Name: "start", Summary: "starts publishing", Repeatable: true, ExpectedSeconds: 1, TimeoutSeconds: 60},
			},
		},
	}, nil
}

func (f counted) Before(context.Context, operation.Step) ([]api.Blocker, error) {
	f.k.point()
	return nil, nil
}

func (f counted) Act(_ context.Context, step operation.Step) (string, error) {
	f.k.point()
	f.w.mu.Lock()
	f.w.did[step.Name]++
	f.w.mu.Unlock()
	if f.w.during != nil {
		f.w.during(step.Name)
	}
	f.k.point()
	return fmt.Sprintf("token %d", step.Token), nil
}

func (f counted) Check(_ context.Context, step operation.Step) (operation.Progress, error) {
	f.k.point()
	if f.w.count(step.Name) == 0 {
		return operation.Progress{NotActed: true}, nil
	}
	return operation.Progress{Done: true, Message: step.Name + " was done"}, nil
}

func (f counted) Verify(_ context.Context, _ time.Time, evidence *api.Evidence) (operation.Progress, error) {
	f.k.point()
	evidence.MeasuredLoss = &api.Loss{}
	evidence.Notes = append(evidence.Notes, "nothing was lost")
	return operation.Progress{Done: true, Message: "the deep probe passes"}, nil
}
