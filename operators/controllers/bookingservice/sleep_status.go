// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/rollout"
	"spine.nhs.uk/controlplane/operators/decide/sleep"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/kit"
)

// wakeTime is how long a service may wake before what it lacks is told as of any other: a
// database's instances start, a replica has to serve 20 s, and a kubelet brings a changed file
// within a minute or so.
const wakeTime = 15 * time.Minute

// mostMessage is what status.sleep.message may hold.
const mostMessage = 500

// stopped says that the program is not to run, or has yet to serve, as the service sleeps.
func (s *scope) stopped() bool {
	if !s.sleep.Away {
		return false
	}
	return s.deployment == nil || ptr.Deref(s.deployment.Spec.Replicas, 1) == 0 || s.deployment.Status.AvailableReplicas == 0
}

// away says that parts are away on purpose, so that nobody is to be told of them.
func (s *scope) away() bool {
	if !s.sleep.Away || s.service.Status.Sleep == nil {
		return false
	}
	return s.sleep.Phase != common.SleepWaking || s.now.Sub(s.service.Status.Sleep.Since.Time) < wakeTime
}

// recordSleep says how far the service is, and adds up what a sleep that has ended saved: in
// the same patch as its end, so that it counts once.
func (s *scope) recordSleep(asked common.Activity, until time.Time) {
	d, before := s.sleep, s.before.Status.Sleep
	next := &common.SleepStatus{
		Phase: d.Phase, Since: metav1.NewTime(s.now), Asked: asked, Message: clip(d.Message, mostMessage),
	}
	if !until.IsZero() {
		next.Until = ptr.To(metav1.NewTime(until))
	}
	if before != nil {
		next.Saved, next.DrainedTime = before.Saved, before.DrainedTime
		if before.Phase == d.Phase {
			next.Since, next.Freed = before.Since, before.Freed
		} else if before.Phase == common.SleepAsleep {
			next.Saved = saved(before, s.now)
		}
	}
	switch d.Act {
	case sleep.RecordDrain:
		next.DrainedTime = ptr.To(metav1.NewTime(s.now))
	case sleep.ForgetDrain:
		next.DrainedTime = nil
	}
	if d.Phase == common.SleepAsleep && next.Freed == nil {
		next.Freed = s.freed()
	}
	s.service.Status.Sleep = next
	if s.stopped() {
		// A change that was under way is judged anew when the program runs again.
		image := &s.service.Status.Service
		image.StartedAt, image.ProbePassedTime, image.ProbeFailures = nil, nil, 0
	}
}

// freed is what the parts reserve that the operator stops.
func (s *scope) freed() *common.FreedResources {
	spec := s.service.Spec
	replicas := int64(desired.Replicas(s.service))
	milli, bytes := replicas*spec.Service.Resources.CPU.MilliValue(), replicas*spec.Service.Resources.Memory.Value()
	if s.deployment == nil {
		milli, bytes = 0, 0
	}
	if s.database.Exists {
		members := int64(spec.Database.Members())
		milli += members * spec.Database.Resources.CPU.MilliValue()
		bytes += members * spec.Database.Resources.Memory.Value()
	}
	return &common.FreedResources{CPU: *resource.NewMilliQuantity(milli, resource.DecimalSI), Memory: *resource.NewQuantity(bytes, resource.BinarySI)}
}

// saved is the sum with the sleep that ends now.
func saved(is *common.SleepStatus, now time.Time) common.SavedResources {
	sum := is.Saved
	seconds := int64(max(now.Sub(is.Since.Time), 0).Seconds())
	sum.Sleeps++
	sum.Seconds += seconds
	if is.Freed != nil {
		sum.CoreSeconds += is.Freed.CPU.MilliValue() * seconds / 1000
		// In mebibytes first: bytes times seconds are more than an integer holds.
		sum.GibibyteSeconds += is.Freed.Memory.Value() >> 20 * seconds >> 10
	}
	return sum
}

// sayAway writes of a part that it is away on purpose.
func (s *scope) sayAway(c kit.Conditions, kind string) {
	text := "the service is asleep"
	if s.sleep.Phase != common.SleepAsleep {
		text = s.sleep.Message
	}
	c.Unknown(kind, common.ReasonAsleep, text)
}

// sayReadyAsleep writes Ready of a service that sleeps, or is on its way there or back. One that
// sleeps does what is asked of it.
func (s *scope) sayReadyAsleep(c kit.Conditions) {
	switch is := s.service.Status.Sleep; s.sleep.Phase {
	case common.SleepAsleep:
		wakes := ""
		if is.Until != nil {
			wakes = ", until " + is.Until.UTC().Format(time.RFC3339)
		}
		c.True(common.ConditionReady, common.ReasonAsleep, fmt.Sprintf("asleep since %s%s, as spec.activity asks; %s cores and %s of memory are free meanwhile; %s",
			is.Since.UTC().Format(time.RFC3339), wakes, is.Freed.CPU.String(), is.Freed.Memory.String(), s.sleep.Message))
	case common.SleepFalling:
		c.False(common.ConditionReady, common.ReasonAsleep, "falling asleep, as spec.activity asks: "+s.sleep.Message)
	default:
		c.False(common.ConditionReady, common.ReasonAsleep, "waking: "+s.sleep.Message)
	}
}

// dozing says that sleep is what the service is about. What a change says counts more, once one
// has the service again: it may go back while the service wakes.
func (s *scope) dozing() bool {
	switch d := s.decision; {
	case s.sleep.Phase == "" || s.sleep.Phase == common.SleepAwake:
		return false
	case d != nil:
		return d.State == rollout.Settled || d.State == rollout.Progressing
	}
	return true
}

// sayDozing writes Progressing of a service on its way between awake and asleep.
func (s *scope) sayDozing(c kit.Conditions) {
	switch {
	case s.sleep.Phase == common.SleepAsleep:
		c.False(common.ConditionProgressing, common.ReasonAsleep, "every part is as a sleeping service has it")
	case s.sleep.Unknown:
		c.True(common.ConditionProgressing, common.ReasonStateUnknown, s.sleep.Message)
	default:
		c.True(common.ConditionProgressing, common.ReasonChanging, s.sleep.Message)
	}
}
