// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"spine.nhs.uk/controlplane/infra/policy"
)

// Deployment is a stack's state at one time.
type Deployment struct {
	// Project and Stack are empty in a state without resources.
	Project, Stack string
	// Time is when it was written.
	Time  time.Time
	steps []Step
	// sealed are the secrets of each step by path, as digests of how they are encrypted.
	sealed []map[string]string
}

// ReadDeployment reads a checkpoint of a self-managed backend, or what `pulumi stack export` wrote.
func ReadDeployment(name string, text []byte) (*Deployment, error) {
	var outer struct {
		Version    int `json:"version"`
		Checkpoint *struct {
			Latest json.RawMessage `json:"latest"`
		} `json:"checkpoint"`
		Deployment json.RawMessage `json:"deployment"`
	}
	if err := json.Unmarshal(text, &outer); err != nil {
		return nil, refuse(name, "it is no state of a stack, or it is cut off: %v", err)
	}
	if outer.Version < 3 || outer.Version > apitype.DeploymentSchemaVersionLatest {
		return nil, refuse(name, "its version is %d: this version reads 3 to %d, so use a newer stackdiff or Pulumi",
			outer.Version, apitype.DeploymentSchemaVersionLatest)
	}
	body := outer.Deployment
	if outer.Checkpoint != nil {
		if body = outer.Checkpoint.Latest; len(body) == 0 {
			return &Deployment{}, nil // A stack that was made, and never updated.
		}
	}
	if len(body) == 0 {
		return nil, refuse(name, "it has neither checkpoint nor deployment: give a file of the backend, or the output of `pulumi stack export`")
	}
	var inner apitype.DeploymentV3
	if err := json.Unmarshal(body, &inner); err != nil {
		return nil, refuse(name, "its deployment is not one: %v", err)
	}
	return fromDeployment(name, inner)
}

func fromDeployment(name string, inner apitype.DeploymentV3) (*Deployment, error) {
	d := &Deployment{Time: inner.Manifest.Time.UTC()}
	for _, r := range inner.Resources {
		stack, project, short, ok := identity(string(r.URN))
		if !ok {
			return nil, refuse(name, "%q is not a resource's URN", r.URN)
		}
		if d.Stack == "" {
			d.Stack, d.Project = stack, project
		}
		if stack != d.Stack || project != d.Project {
			return nil, refuse(name, "it holds resources of the stacks %s and %s", d.Stack, stack)
		}
		if r.Delete {
			continue // Its successor is there too.
		}
		s := Step{Custom: r.Custom}
		s.URN, s.Type, s.Name, s.Operation = string(r.URN), string(r.Type), short, policy.Same
		s.Inputs, s.Outputs, s.Parent = values(s.Type, r.Inputs), values(s.Type, r.Outputs), string(r.Parent)
		s.Protect, s.RetainOnDelete = r.Protect, r.RetainOnDelete
		for _, u := range r.Dependencies {
			s.Dependencies = append(s.Dependencies, string(u))
		}
		sealed := map[string]string{"": string(r.ID)}
		if r.Created != nil {
			sealed[""] += " " + r.Created.String() // Some things keep their ID when they are replaced.
		}
		seals(nil, r.Inputs, sealed)
		d.steps, d.sealed = append(d.steps, s), append(d.sealed, sealed)
	}
	d.providers(inner)
	return d, nil
}

func (d *Deployment) providers(inner apitype.DeploymentV3) {
	g := newGathering("", nil)
	for i := range d.steps {
		g.steps[d.steps[i].URN] = &d.steps[i]
	}
	references := map[string]string{}
	for _, r := range inner.Resources {
		references[string(r.URN)] = r.Provider
	}
	for i := range d.steps {
		if reference := references[d.steps[i].URN]; reference != "" {
			d.steps[i].Provider = g.provider(reference)
		}
	}
}

// Dependents are URNs of what depends on a resource, by its URN.
func (d *Deployment) Dependents() map[string][]string {
	out := map[string][]string{}
	for _, s := range d.steps {
		for _, on := range s.Dependencies {
			out[on] = append(out[on], s.URN)
		}
	}
	return out
}

// seals notes how each secret is encrypted: the same text stays the same as long as nobody writes the secret anew.
func seals(at resource.PropertyPath, v any, into map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		if v[resource.SigKey] == resource.SecretSig {
			text, _ := v["ciphertext"].(string)
			sum := sha256.Sum256([]byte(text))
			into[at.String()] = hex.EncodeToString(sum[:])
			return
		}
		for key, below := range v {
			seals(append(at[:len(at):len(at)], key), below, into)
		}
	case []any:
		for i, below := range v {
			seals(append(at[:len(at):len(at)], i), below, into)
		}
	}
}
