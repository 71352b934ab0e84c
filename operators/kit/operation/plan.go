// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

// Bounds of what the API stores.
const (
	maxSteps    = 64
	maxLeases   = 16
	maxInputs   = 64
	maxTouches  = 32
	maxBlockers = 20
	maxName     = 63
	maxTouch    = 300
	maxSentence = 500
	maxMessage  = 1024
)

// complete fills in what an action leaves to the engine.
func (e *Engine) complete(o *Operation, planned Planned, now time.Time) (*api.Plan, error) {
	p := planned.Plan.DeepCopy()
	if err := sound(p, planned.Resources); err != nil {
		return nil, err
	}
	p.Summary = clip(p.Summary, maxMessage)
	p.ExpectedSeconds = 0
	for i := range p.Steps {
		s := &p.Steps[i]
		s.Summary = clip(s.Summary, maxSentence)
		for j := range s.Touches {
			s.Touches[j] = clip(s.Touches[j], maxTouch)
		}
		p.ExpectedSeconds += s.ExpectedSeconds
	}
	for i := range p.Inputs {
		p.Inputs[i] = clip(p.Inputs[i], maxSentence)
	}
	p.NeedsApproval = slices.Contains(e.Policy.Approval.Actions, o.Action) && o.Spec.RequestedBy != e.Trusted
	p.Disruptive, p.MadeAt = planned.Disruptive, metav1.NewTime(now)
	digest, err := Digest(o, p)
	if old := o.Status.Plan; old != nil && old.Digest == digest {
		p.MadeAt = old.MadeAt // it is the same plan, and nothing is written for its age
	}
	p.Digest = digest
	return p, err
}

// sound refuses a plan that could not be stored or carried out.
func sound(p *api.Plan, resources []string) error {
	names := map[string]bool{}
	for _, s := range p.Steps {
		switch {
		case s.Name == "" || len(s.Name) > maxName:
			return fmt.Errorf("the plan has a step named %q: expected 1 to %d characters", s.Name, maxName)
		case names[s.Name]:
			return fmt.Errorf("the plan has two steps named %s", s.Name)
		case s.TimeoutSeconds < 1 || s.ExpectedSeconds < 0:
			return fmt.Errorf("step %s of the plan has no timeout, or a negative expectation", s.Name)
		case len(s.Touches) > maxTouches:
			return fmt.Errorf("step %s of the plan touches %d objects: at most %d are expected", s.Name, len(s.Touches), maxTouches)
		}
		names[s.Name] = true
	}
	switch {
	case len(p.Steps) == 0 || len(p.Steps) > maxSteps:
		return fmt.Errorf("the plan has %d steps: 1 to %d are expected", len(p.Steps), maxSteps)
	case len(p.Inputs) > maxInputs:
		return fmt.Errorf("the plan has %d inputs: at most %d are expected", len(p.Inputs), maxInputs)
	case p.PointOfNoReturn != "" && !names[p.PointOfNoReturn]:
		return fmt.Errorf("the plan's point of no return is %s, which is none of its steps", p.PointOfNoReturn)
	case len(resources) == 0 || len(resources) >= maxLeases:
		return fmt.Errorf("the plan acts on %d resources: 1 to %d are expected", len(resources), maxLeases-1)
	}
	return nil
}

// resources that an operation takes the leases of: always in the same order, so that two
// operations never each hold what the other waits for.
func resources(p Planned) []string {
	out := slices.Clone(p.Resources)
	if p.Disruptive {
		out = append(out, lease.Site)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// digested is what a plan's digest covers: all that says what would be done, and nothing
// that changes while it stays the same.
type digested struct {
	Kind            string            `json:"kind"`
	Namespace       string            `json:"namespace"`
	Target          any               `json:"target"`
	Summary         string            `json:"summary"`
	Steps           []api.PlannedStep `json:"steps"`
	Inputs          []string          `json:"inputs"`
	PointOfNoReturn string            `json:"pointOfNoReturn"`
	Disruptive      bool              `json:"disruptive"`
	NeedsApproval   bool              `json:"needsApproval"`
}

// Digest of a plan: sha256:HEX.
func Digest(o *Operation, p *api.Plan) (string, error) {
	d := digested{
		Kind: o.Holder.Kind, Namespace: o.Holder.Namespace, Target: o.Target, Summary: p.Summary,
		Inputs: p.Inputs, PointOfNoReturn: p.PointOfNoReturn, Disruptive: p.Disruptive, NeedsApproval: p.NeedsApproval,
	}
	for _, s := range p.Steps {
		s.ExpectedSeconds = 0
		d.Steps = append(d.Steps, s)
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("digest of the plan: %w", err)
	}
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// clip shortens a text to what the API stores, counted in characters.
func clip(text string, most int) string {
	text = strings.ToValidUTF8(text, "?")
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
