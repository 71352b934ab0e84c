// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// OperationsConfig is what an environment asks of operations, as the manager reads it from
// the file of --operations-config.
//
// +kubebuilder:object:generate=false
type OperationsConfig struct {
	// approval says which actions another person has to agree to.
	Approval ApprovalRule `json:"approval"`
	// maxApprovalAge is how old an approval may be when its operation begins, 1m to 24h,
	// whatever it says of its own end. Default 24h.
	MaxApprovalAge metav1.Duration `json:"maxApprovalAge"`
	// changeWindow is when disruptive operations may begin, at most 16 spans; empty: at any time.
	ChangeWindow []common.Window `json:"changeWindow,omitempty"`
	// coolDown is how long a target rests after an operation that acted, 1s to 1h. Default 2m.
	CoolDown metav1.Duration `json:"coolDown"`
}

// ApprovalRule says which actions another person has to agree to.
//
// +kubebuilder:object:generate=false
type ApprovalRule struct {
	// actions that need an approval when a person asks for them. What the manager itself asks
	// for needs none. []: no action needs one. Default: [RebuildBroker, RebuildReplica, ResyncStandby,
	// RestoreDatabase, FenceHost, PlannedFailover, UnplannedFailover].
	Actions []Action `json:"actions"`
}

// Actions that a ServiceRecovery may name, in the order of their constants.
func Actions() []Action {
	return []Action{
		ActionRestartRolling, ActionRebuildBroker, ActionRebuildReplica, ActionReplayDeadLetters, ActionQuarantineSupplier,
		ActionReleaseSupplier, ActionScaleOut, ActionCompareSites, ActionResyncStandby, ActionRestoreDatabase, ActionDrainHost, ActionReturnHost,
		ActionFenceHost,
	}
}

// governed are the actions that an approval may be asked for: those of either kind of operation.
func governed() []Action { return append(Actions(), ActionPlannedFailover, ActionUnplannedFailover) }

const (
	maxConfigBytes = 64 << 10
	maxWindows     = 16
	day            = 24 * time.Hour
)

// ParseOperationsConfig reads operations.yaml: strictly, then fills in defaults and
// validates. The error lists every problem with its path.
func ParseOperationsConfig(raw []byte) (*OperationsConfig, error) {
	const what = "operations configuration"
	if len(raw) > maxConfigBytes {
		return nil, fmt.Errorf("%s: %d bytes: at most %d are expected", what, len(raw), maxConfigBytes)
	}
	asJSON, err := yaml.YAMLToJSONStrict(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: not valid YAML: %w", what, err)
	}
	if string(asJSON) == "null" {
		return nil, errors.New(what + ": the file is empty: write {} for the defaults")
	}
	c := &OperationsConfig{}
	unknown, err := json.UnmarshalStrict(asJSON, c)
	if err != nil {
		return nil, fmt.Errorf("%s: a value of the wrong type: %w", what, err)
	}
	c.Default()
	if problems := c.Validate().ToAggregate(); problems != nil {
		unknown = append(unknown, problems.Errors()...)
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("%s: %w", what, utilerrors.NewAggregate(unknown))
	}
	return c, nil
}

// Default fills in what is left out: what is not said asks for more, not for less.
func (c *OperationsConfig) Default() {
	if c.Approval.Actions == nil {
		c.Approval.Actions = []Action{
			ActionRebuildBroker, ActionRebuildReplica, ActionResyncStandby, ActionRestoreDatabase, ActionFenceHost, ActionPlannedFailover, ActionUnplannedFailover,
		}
	}
	if c.MaxApprovalAge.Duration == 0 {
		c.MaxApprovalAge.Duration = day
	}
	if c.CoolDown.Duration == 0 {
		c.CoolDown.Duration = 2 * time.Minute
	}
	for i := range c.ChangeWindow {
		if c.ChangeWindow[i].TimeZone == "" {
			c.ChangeWindow[i].TimeZone = "Europe/London"
		}
	}
}

// Validate returns everything that is wrong at once.
func (c *OperationsConfig) Validate() field.ErrorList {
	var errs field.ErrorList
	for i, a := range c.Approval.Actions {
		p := field.NewPath("approval", "actions").Index(i)
		switch {
		case !slices.Contains(governed(), a):
			errs = append(errs, field.NotSupported(p, a, governed()))
		case slices.Index(c.Approval.Actions, a) < i:
			errs = append(errs, field.Duplicate(p, a))
		}
	}
	errs = append(errs, within(field.NewPath("maxApprovalAge"), c.MaxApprovalAge, time.Minute, day)...)
	errs = append(errs, within(field.NewPath("coolDown"), c.CoolDown, time.Second, time.Hour)...)
	p := field.NewPath("changeWindow")
	if len(c.ChangeWindow) > maxWindows {
		errs = append(errs, field.TooMany(p, len(c.ChangeWindow), maxWindows))
	}
	for i, w := range c.ChangeWindow {
		errs = append(errs, w.Validate(p.Index(i))...)
	}
	return errs
}

func within(p *field.Path, d metav1.Duration, low, high time.Duration) field.ErrorList {
	if d.Duration < low || d.Duration > high {
		return field.ErrorList{field.Invalid(p, d.Duration.String(), fmt.Sprintf("must be %s to %s", low, high))}
	}
	return nil
}

// WindowOpen says whether disruptive operations may begin now, and if not, when they may:
// the zero time when that is not within eight days. The configuration must be valid.
func (c *OperationsConfig) WindowOpen(now time.Time) (bool, time.Time) {
	if len(c.ChangeWindow) == 0 {
		return true, time.Time{}
	}
	var next time.Time
	for _, w := range c.ChangeWindow {
		open, begins := w.Open(now)
		if open {
			return true, time.Time{}
		}
		if !begins.IsZero() && (next.IsZero() || begins.Before(next)) {
			next = begins
		}
	}
	return false, next
}
