// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/utils/ptr"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

// site has two services of three members each.
type site struct {
	w *world
	// up of each member, by service; back is when one that is down comes back, zero: never.
	up   map[string][]bool
	back map[string][]time.Time
	// image of each service: what its plans are made from.
	image map[string]int
	// once counts the acts that must not be repeated, by operation and step.
	once map[string]int
	// token that acted last on each resource, and whose it was.
	token map[string]int64
	owner map[string]string
	// stuck makes members that are taken down never come back.
	stuck bool
	// ended is when an operation that had acted on a resource last ended.
	ended map[string]time.Time
}

func newSite(w *world) *site {
	s := &site{w: w, up: map[string][]bool{}, back: map[string][]time.Time{}, image: map[string]int{},
		once: map[string]int{}, token: map[string]int64{}, owner: map[string]string{}, ended: map[string]time.Time{}}
	for _, name := range []string{"spine", "ers"} {
		s.up[name], s.back[name] = []bool{true, true, true}, make([]time.Time, 3)
	}
	return s
}

func (s *site) missing(service string) int {
	n := 0
	for _, up := range s.up[service] {
		if !up {
			n++
		}
	}
	return n
}

// lose takes a member away for a time.
func (s *site) lose(service string, i int, d time.Duration) {
	s.up[service][i] = false
	s.back[service][i] = s.w.now.Add(d)
}

// pass brings members back whose time has come.
func (s *site) pass() {
	for service, up := range s.up {
		for i := range up {
			if !up[i] && !s.w.now.Before(s.back[service][i]) {
				up[i] = true
			}
		}
	}
}

// deed is the Action of an operation in the site:
//   - RestartRolling takes one member after the other down; each step may be repeated;
//   - RebuildBroker does the same by steps that must not be repeated, and cannot be aborted
//     from the second on;
//   - QuarantineSupplier marks something, and disrupts nothing.
type deed struct {
	w *world
	r *record
}

func (d *deed) member(step string) int { return int(step[len(step)-1] - '0') }

// Plan implements Action.
func (d *deed) Plan(context.Context) (Planned, error) {
	d.w.port()
	p := Planned{Resources: []string{"service-" + d.r.service}, Backlog: ptr.To(int64(d.w.random.IntN(1000)))}
	p.Plan.Inputs = []string{fmt.Sprintf("image: %d", d.w.site.image[d.r.service])}
	if d.r.action == api.ActionQuarantineSupplier {
		p.Plan.Summary = "deliveries of " + d.r.service + " are stopped"
		p.Plan.Steps = []api.PlannedStep{{Name: "mark", Summary: "marks the supplier", Repeatable: true, TimeoutSeconds: 60}}
		return p, d.w.trouble()
	}
	p.Disruptive = true
	p.Plan.Summary = "members of " + d.r.service + " are taken down one after the other"
	rebuild := d.r.action == api.ActionRebuildBroker
	for i := range 3 {
		p.Plan.Steps = append(p.Plan.Steps, api.PlannedStep{
			Name: fmt.Sprintf("member-%d", i), Summary: fmt.Sprintf("takes member %d down and waits for it", i),
			Repeatable: !rebuild, Destructive: rebuild, ExpectedSeconds: 20, TimeoutSeconds: 300,
		})
	}
	if rebuild {
		p.Plan.PointOfNoReturn = "member-1"
	}
	if n := d.w.site.missing(d.r.service); n > 0 {
		p.Blockers = append(p.Blockers, api.Blocker{Reason: api.ReasonQuorumAtRisk, Message: fmt.Sprintf("%d of 3 members are missing", n)})
	}
	return p, d.w.trouble()
}

// Before implements Action: the quorum is counted anew.
func (d *deed) Before(_ context.Context, step Step) ([]api.Blocker, error) {
	d.w.port()
	if step.Name == "mark" {
		return nil, d.w.trouble()
	}
	for i, up := range d.w.site.up[d.r.service] {
		if !up && i != d.member(step.Name) {
			return []api.Blocker{{Reason: api.ReasonQuorumAtRisk, Message: fmt.Sprintf("member %d is missing", i)}}, nil
		}
	}
	return nil, d.w.trouble()
}

// Act implements Action. It may fail before or after it took effect.
func (d *deed) Act(_ context.Context, step Step) (string, error) {
	d.w.port()
	if d.w.killBefore == step.Name {
		d.w.killBefore = ""
		panic(crash{})
	}
	if err := d.w.trouble(); err != nil {
		return "", err
	}
	d.judge(step)
	if step.Name != "mark" {
		i, s := d.member(step.Name), d.w.site
		if !s.up[d.r.service][i] && step.Repeatable {
			return "is down already", nil
		}
		if others := s.missing(d.r.service); others > 0 && s.up[d.r.service][i] {
			d.w.violate("%s takes member %d of %s down while %d others are missing", d.r.name, i, d.r.service, others)
		}
		s.lose(d.r.service, i, 15*time.Second)
		if s.stuck {
			s.back[d.r.service][i] = d.w.now.Add(1000 * time.Hour)
		}
		if d.w.troubled && d.w.chance(3) {
			s.back[d.r.service][i] = d.w.now.Add(20 * time.Minute) // it hangs, longer than the step may take
		}
	}
	d.w.say("   act: %s of %s, token %d", step.Name, d.r.name, step.Token)
	if !step.Repeatable {
		d.w.site.once[d.r.name+"/"+step.Name]++
		if n := d.w.site.once[d.r.name+"/"+step.Name]; n > 1 {
			d.w.violate("%s does %s %d times, and it must not be repeated", d.r.name, step.Name, n)
		}
	}
	d.w.port()
	if d.w.killAfter == step.Name {
		d.w.killAfter = ""
		panic(crash{})
	}
	if err := d.w.trouble(); err != nil {
		return "", errors.Join(errors.New("no answer"), err)
	}
	return "began", nil
}

// judge holds an act against the invariants.
func (d *deed) judge(step Step) {
	w, r := d.w, d.r
	st := &r.status
	if st.Phase != api.PhaseRunning || st.Plan == nil {
		w.violate("%s acts in phase %s", r.name, st.Phase)
		return
	}
	o := &Operation{Holder: lease.Holder{Kind: "ServiceRecovery", Namespace: namespace}, Target: map[string]string{"service": r.service}}
	if digest, err := Digest(o, st.Plan); err != nil || digest != r.spec.PlanDigest {
		w.violate("%s acts by plan %s, and %s was agreed to", r.name, digest, r.spec.PlanDigest)
	}
	at := slices.IndexFunc(st.Steps, func(s api.StepStatus) bool { return s.Name == step.Name })
	for i, s := range st.Steps {
		if i < at && s.State != api.StepSucceeded || i == at && s.State != api.StepRunning {
			w.violate("%s begins %s while %s is %s", r.name, step.Name, s.Name, s.State)
		}
	}
	if r.spec.Abort && st.Steps[at].Acts == 1 && abortable(st.Plan, at) {
		w.violate("%s begins %s though it was aborted", r.name, step.Name)
	}
	d.judgeApproval()
	d.judgeLeases(step)
}

func (d *deed) judgeApproval() {
	w, r := d.w, d.r
	if !slices.Contains(w.policy.Approval.Actions, r.action) {
		return
	}
	if r.spec.BreakGlass != nil {
		if !slices.ContainsFunc(w.news, func(n News) bool { return n.Warning && n.Reason == "BreakGlass" }) &&
			r.status.Approval == "" {
			w.violate("%s breaks the glass, and nobody was told", r.name)
		}
		return
	}
	began := r.status.StartedAt.Time
	if !slices.ContainsFunc(w.approvals, func(a api.Approval) bool {
		return a.Spec.Operation.Name == r.name && a.Spec.PlanDigest == r.spec.PlanDigest && a.Spec.Approver != r.spec.RequestedBy &&
			!a.CreationTimestamp.After(began) && began.Before(a.Spec.ExpiresAt.Time)
	}) {
		w.violate("%s acts without an approval", r.name)
	}
}

func (d *deed) judgeLeases(step Step) {
	w, r := d.w, d.r
	names := []string{"service-" + r.service}
	if r.action != api.ActionQuarantineSupplier {
		names = append(names, lease.Site)
	}
	for _, name := range names {
		l := w.leases[lease.Key(name, namespace)]
		if l == nil || ptr.Deref(l.Spec.HolderIdentity, "") != "ServiceRecovery/"+namespace+"/"+r.name+"/u-"+r.name || int64(ptr.Deref(l.Spec.LeaseTransitions, 0)) != step.Token {
			w.violate("%s acts without the lease of %s and token %d", r.name, name, step.Token)
		}
		if ended := w.site.ended[name]; name != lease.Site && r.status.Plan.Disruptive && w.site.owner[name] != r.name && r.status.StartedAt.Time.Before(ended.Add(w.policy.CoolDown.Duration)) {
			w.violate("%s began at %s, and %s was still cooling down", r.name, r.status.StartedAt.Format(time.TimeOnly), name)
		}
		if last := w.site.token[name]; step.Token < last || step.Token == last && w.site.owner[name] != r.name {
			w.violate("%s acts on %s with token %d after %s had %d", r.name, name, step.Token, w.site.owner[name], last)
		}
		w.site.token[name], w.site.owner[name] = step.Token, r.name
	}
	for _, other := range w.records {
		running := other.status.Phase == api.PhaseRunning || other.status.Phase == api.PhaseVerifying
		if other == r || !running || w.ripped[other.name] {
			continue
		}
		site := r.action != api.ActionQuarantineSupplier && other.action != api.ActionQuarantineSupplier
		if site || other.service == r.service {
			w.violate("%s acts while %s is at work", r.name, other.name)
		}
	}
}

// Check implements Action. The world shows whether an act took effect.
func (d *deed) Check(_ context.Context, step Step) (Progress, error) {
	d.w.port()
	if err := d.w.trouble(); err != nil {
		return Progress{}, err
	}
	if step.Name == "mark" {
		return Progress{Done: true, Message: "marked"}, nil
	}
	if !step.Repeatable && d.w.site.once[d.r.name+"/"+step.Name] == 0 {
		return Progress{NotActed: true, Message: "nothing happened"}, nil
	}
	i := d.member(step.Name)
	if !d.w.site.up[d.r.service][i] {
		return Progress{Message: fmt.Sprintf("member %d is on its way back", i)}, nil
	}
	return Progress{Done: true, Message: fmt.Sprintf("member %d is back", i)}, nil
}

// Verify implements Action.
func (d *deed) Verify(_ context.Context, _ time.Time, evidence *api.Evidence) (Progress, error) {
	d.w.port()
	if n := d.w.site.missing(d.r.service); n > 0 {
		return Progress{Message: fmt.Sprintf("%d members are missing", n)}, nil
	}
	evidence.BacklogAfter = ptr.To(int64(0))
	evidence.MeasuredLoss = &api.Loss{}
	return Progress{Done: true, Message: "the deep probe passes and the backlog is drained"}, d.w.trouble()
}
