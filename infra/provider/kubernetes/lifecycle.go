// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"fmt"
	"os"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// deleteUnreachableEnv, when "true", lets a set be forgotten whose cluster does not answer.
const deleteUnreachableEnv = "SPINE_DELETE_UNREACHABLE"

// Create applies the set. Created again after an interrupted run, it takes up what is
// there: applying is idempotent and the inventory remembers what was begun.
func (r *resource) Create(ctx context.Context, req p.CreateRequest) (p.CreateResponse, error) {
	s, err := decode(req.Properties)
	if err != nil {
		return p.CreateResponse{}, err
	}
	resp := p.CreateResponse{ID: idOf(s), Properties: outputs(req.Properties, nil)}
	if req.DryRun {
		return resp, r.preview(ctx, s, s.owner())
	}
	begun, err := r.apply(ctx, s, s.owner())
	if err != nil && begun {
		resp.PartialState = &p.InitializationFailed{Reasons: []string{err.Error()}}
		return resp, err
	}
	if err != nil {
		return p.CreateResponse{}, err
	}
	return resp, nil
}

// Update applies the new set and prunes what left it. A failure keeps the new inputs with
// the reasons, so that the next update goes on from there.
func (r *resource) Update(ctx context.Context, req p.UpdateRequest) (p.UpdateResponse, error) {
	s, err := decode(req.Inputs)
	if err != nil {
		return p.UpdateResponse{}, err
	}
	old, err := decode(req.State)
	if err != nil {
		return p.UpdateResponse{}, err
	}
	resp := p.UpdateResponse{Properties: outputs(req.Inputs, nil)}
	if req.DryRun {
		return resp, r.preview(ctx, s, s.owner(), old.owner())
	}
	begun, err := r.applyOver(ctx, old, s)
	if err != nil && begun {
		resp.PartialState = &p.InitializationFailed{Reasons: []string{err.Error()}}
		return resp, err
	}
	if err != nil {
		return p.UpdateResponse{}, err
	}
	return resp, nil
}

// Read looks at the cluster and records what others changed. A set of which nothing is
// left, not even the inventory, is gone; the engine then creates it again.
func (r *resource) Read(ctx context.Context, req p.ReadRequest) (p.ReadResponse, error) {
	s, err := decode(req.Properties)
	if err != nil {
		return p.ReadResponse{}, err
	}
	if s.kubeconfig == "" {
		return p.ReadResponse{}, fmt.Errorf("%s: a set of manifests cannot be imported: declare it, and `up` takes over what is in the cluster", req.ID)
	}
	log := p.GetLogger(ctx)
	c, err := r.connect(s.kubeconfig)
	if err != nil {
		return p.ReadResponse{}, err
	}
	if err := c.reach(ctx, r.patience); err != nil {
		if isOtherCluster(err) {
			log.Warningf("%s: %v", req.ID, err)
			return p.ReadResponse{}, nil
		}
		return p.ReadResponse{}, err
	}
	findings, err := c.compare(ctx, s)
	if err != nil {
		return p.ReadResponse{}, err
	}
	_, recorded, err := c.readInventory(ctx, s.name, s.namespace)
	if err != nil {
		return p.ReadResponse{}, err
	}
	drift, missing := map[string]property.Value{}, 0
	for _, key := range sortedKeys(findings) {
		if text := findings[key].driftText(); text != "" {
			drift[key] = property.New(text)
			log.Warningf("%s: %s", key, text)
			if text == missingText {
				missing++
			}
		}
	}
	if !recorded {
		if missing == len(findings) {
			return p.ReadResponse{}, nil
		}
		cm := inventoryObject(s.name, s.namespace)
		drift[keyOfObject(cm)] = property.New(missingText)
	}
	return p.ReadResponse{ID: req.ID, Properties: outputs(req.Properties, drift), Inputs: req.Inputs}, nil
}

// Delete removes the objects of the set and waits until they are gone.
func (r *resource) Delete(ctx context.Context, req p.DeleteRequest) error {
	s, err := decode(req.Properties)
	if err != nil {
		return err
	}
	log := p.GetLogger(ctx)
	c, err := r.connect(s.kubeconfig)
	if err != nil {
		return err
	}
	forget, patience := os.Getenv(deleteUnreachableEnv) == "true", r.patience
	if forget {
		patience = min(patience, previewTimeout)
	}
	switch err := c.reach(ctx, patience); {
	case isOtherCluster(err):
		log.Warningf("%s: nothing to delete: %v", req.ID, err)
		return nil
	case isUnreachable(err) && ctx.Err() == nil && forget:
		log.Warningf("%s: forgotten without deleting its objects, as %s=true asks: %v", req.ID, deleteUnreachableEnv, err)
		return nil
	case isUnreachable(err):
		return fmt.Errorf("%w; if the cluster is gone for good, set %s=true to forget the set without deleting its objects", err, deleteUnreachableEnv)
	case err != nil:
		return err
	}
	recorded, _, err := c.readInventory(ctx, s.name, s.namespace)
	if err != nil {
		return err
	}
	inv := recorded.with(inventoryOf(s.objects))
	if err := c.remove(ctx, inv, []owner{s.owner()}, progressOf(ctx)); err != nil {
		return err
	}
	return c.removeInventory(ctx, s.owner())
}

// apply makes the cluster hold the set. begun says whether anything may have been changed.
func (r *resource) apply(ctx context.Context, s set, owners ...owner) (begun bool, err error) {
	c, err := r.connect(s.kubeconfig)
	if err != nil {
		return false, err
	}
	say := progressOf(ctx)
	wait := time.Duration(s.waitSeconds) * time.Second
	say("waiting for the Kubernetes API at %s", c.server)
	if err := c.reach(ctx, max(wait, settleTimeout)); err != nil {
		return false, err
	}
	if err := c.refuseForeign(ctx, s, owners...); err != nil {
		return false, err
	}
	return true, c.applySet(ctx, s, owners, wait, say)
}

// applyOver is apply for a set that was recorded under another name or namespace before.
func (r *resource) applyOver(ctx context.Context, old, s set) (begun bool, err error) {
	owners := []owner{s.owner()}
	if old.owner() != s.owner() {
		owners = append(owners, old.owner())
	}
	return r.apply(ctx, s, owners...)
}

func (s set) owner() owner { return owner{s.name, s.namespace} }

func idOf(s set) string { return s.namespace + "/" + s.name }

// outputs are the inputs plus the drift found; keys of m other than inputs are dropped.
func outputs(m property.Map, drift map[string]property.Value) property.Map {
	if drift == nil {
		drift = map[string]property.Value{}
	}
	return inputsOf(m).Set("drift", property.New(drift))
}
