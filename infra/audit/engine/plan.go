// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"encoding/json"
	"slices"
)

// AddPlan takes from an update plan (`pulumi preview --save-plan`) what the event log of the same preview lacks: which
// resources depend on which. Values in a plan are not read: some of its secrets are not marked.
func (p *Preview) AddPlan(name string, text []byte) error {
	var plan struct {
		ResourcePlans map[string]struct {
			Goal *struct {
				Dependencies []string `json:"dependencies"`
			} `json:"goal"`
			Steps []string `json:"steps"`
		} `json:"resourcePlans"`
	}
	if err := json.Unmarshal(text, &plan); err != nil {
		return refuse(name, "it is no update plan, or it is cut off: write it by `pulumi preview --save-plan FILE`")
	}
	if plan.ResourcePlans == nil {
		return refuse(name, "it plans nothing: write it by `pulumi preview --save-plan FILE`")
	}
	for urn := range plan.ResourcePlans {
		stack, project, _, ok := identity(urn)
		if !ok {
			return refuse(name, "%q is not a resource's URN", urn)
		}
		if stack != p.Stack || project != p.Project {
			return refuse(name, "it is a plan of the stack %s, and the preview is of %s: give the plan that was saved with it", stack, p.Stack)
		}
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		planned, there := plan.ResourcePlans[s.URN]
		if !there {
			return refuse(name, "it lacks %s, which the preview has: give the plan that was saved with it", s.URN)
		}
		if planned.Goal != nil {
			s.Dependencies = slices.Clone(planned.Goal.Dependencies)
		}
	}
	return nil
}

// AddState takes dependencies from the stack's state, for resources of which nothing newer is known.
func (p *Preview) AddState(d *Deployment) error {
	if d.Stack != "" && p.Stack != "" && (d.Stack != p.Stack || d.Project != p.Project) {
		return refuse("the state", "it is of the stack %s, and the preview is of %s", d.Stack, p.Stack)
	}
	known := map[string][]string{}
	for _, s := range d.steps {
		known[s.URN] = s.Dependencies
	}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Dependencies == nil {
			s.Dependencies = known[s.URN]
		}
	}
	return nil
}
