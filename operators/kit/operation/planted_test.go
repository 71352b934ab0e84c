// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"context"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

// The simulation is worth something only if it notices: each of these bugs breaks an
// invariant within some seeds.
func TestPlantedBugs(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(*world)
		want  string // part of what it must say
	}{
		"the site's lease is not taken": {func(w *world) {
			w.rules.resources = func(p Planned) []string { return p.Resources }
		}, "without the lease of site"},
		"leases are not looked at before an act": {func(w *world) {
			w.rules.holds = func(context.Context, *lease.Leases, []client.ObjectKey, lease.Holder, int64) error { return nil }
		}, "without the lease"},
		"another plan is run than was agreed to": {func(w *world) {
			w.rules.agreed = func(string, string) bool { return true }
		}, "was agreed to"},
		"whoever asks may approve": {func(w *world) {
			w.rules.approved = func(all []api.Approval, of approvalOf, now time.Time) (*api.Approval, *api.Blocker) {
				of.requester = ""
				for i := range all {
					all[i].Spec.Requester = ""
				}
				return approved(all, of, now)
			}
		}, "without an approval"},
		"an approval does not run out": {func(w *world) {
			w.rules.approved = func(all []api.Approval, of approvalOf, _ time.Time) (*api.Approval, *api.Blocker) {
				return approved(all, of, of.created)
			}
		}, "without an approval"},
		"break-glass waives safety": {func(w *world) {
			w.rules.waive = func(all []api.Blocker, glass *api.BreakGlass) ([]api.Blocker, []api.Blocker) {
				if glass != nil {
					return nil, all
				}
				return all, nil
			}
		}, "was agreed to"},
		"a step that was cut off is always repeated": {func(w *world) {
			w.rules.next = func(spec *api.OperationSpec, status *api.OperationStatus) (move, int) {
				m, i := next(spec, status)
				if m == moveResolve {
					m = moveBegin
				}
				return m, i
			}
		}, "must not be repeated"},
		"that an act begins is not on record": {func(w *world) { w.forgetful = true }, "while member-0 is Pending"},
		"the quorum is counted only while planning": {func(w *world) {
			w.rules.held = func([]api.Blocker) []api.Blocker { return nil }
		}, "others are missing"},
		"an abort is not heard": {func(w *world) {
			w.rules.next = func(spec *api.OperationSpec, status *api.OperationStatus) (move, int) {
				s := spec.DeepCopy()
				s.Abort = false
				return next(s, status)
			}
		}, "though it was aborted"},
		"an abort is heard too late": {func(w *world) {
			w.rules.next = func(spec *api.OperationSpec, status *api.OperationStatus) (move, int) {
				s := status.DeepCopy()
				s.Plan.PointOfNoReturn = ""
				return next(spec, s)
			}
		}, "beyond its point of no return"},
		"steps are begun side by side": {func(w *world) {
			w.rules.next = func(spec *api.OperationSpec, status *api.OperationStatus) (move, int) {
				m, i := next(spec, status)
				if m == moveCheck && i+1 < len(status.Steps) && status.Steps[i+1].State == api.StepPending {
					return moveBegin, i + 1
				}
				return m, i
			}
		}, "begins member-1 while member-0 is Running"},
		"a step may take for ever": {func(w *world) {
			w.rules.overdue = func(*metav1.Time, time.Duration, time.Time) bool { return false }
			w.site.stuck = true
		}, "at the end"},
		"nobody gives up waiting": {func(w *world) {
			w.rules.expired = func([]api.Blocker, time.Time, time.Time) bool { return false }
		}, "at the end"},
		"writes of others are overwritten": {func(w *world) { w.blind = true }, "though it was aborted"},
		"targets do not cool down":         {func(w *world) { w.hot = true }, "cooling down"},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(300) {
				w := simulate(seed, c.plant)
				for _, wrong := range w.wrong {
					if strings.Contains(wrong, c.want) {
						t.Logf("seed %d: %s", seed, wrong)
						return
					}
				}
			}
			t.Errorf("300 seeds did not notice it by %q", c.want)
		})
	}
}
