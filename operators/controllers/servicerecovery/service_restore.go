// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/desired/restore"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/operation"
)

// uidShare is how much of the operation's UID is in the name of the copy that it makes: enough to
// tell two of one service apart, and short enough for CloudNativePG.
const uidShare = 6

// jobWorks are the steps that a Job does.
var jobWorks = map[string]restore.Work{
	recovery.StepCompareCopy: restore.Compare, recovery.StepCarryAhead: restore.CarryAhead, recovery.StepCarryOver: restore.CarryOver,
}

// restoration is the action RestoreDatabase.
type restoration struct{ onService }

func newRestore(r *Reconciler, o *api.ServiceRecovery) operation.Action {
	a := &restoration{onService{Reconciler: r, operation: o, disruptive: true}}
	a.decide = func(_ context.Context, l *look) (recovery.Decision, error) {
		return recovery.PlanRestore(a.facts(l)), nil
	}
	return a
}

func (a *restoration) facts(l *look) recovery.Restore {
	f := recovery.Restore{
		Service: l.service, Object: l.ref, Paired: l.site != nil, Sleep: l.sleep, Program: l.part, Replicas: l.replicas,
		Now: a.Clock.Now(), To: a.operation.Spec.RestoreTo.Time, Available: l.database.Available,
		Kept:    restorable(l.object).Database.Spec.Backup != nil,
		Cluster: recovery.Object{Kind: "Cluster", Namespace: l.ref.Namespace, Name: l.target.database},
		Copy:    recovery.Object{Kind: "Cluster", Namespace: l.ref.Namespace, Name: a.copy(l).Name},
	}
	if by := l.object.GetAnnotations()[common.HeldAnnotation]; by != a.operation.Name {
		f.HeldBy = by
	}
	if l.cluster == nil {
		return f
	}
	f.Cluster.UID = string(l.cluster.GetUID())
	kept := database.ObserveBackup(l.cluster)
	f.Failing = kept.Failing
	f.First, _ = time.Parse(time.RFC3339, kept.First) // zero where there is none
	return f
}

// restorable is what a copy of a service's database is made by.
func restorable(o client.Object) restore.Service {
	if b, ok := o.(*bookingapi.BookingService); ok {
		return booking.Restorable(b)
	}
	return messaging.Restorable(o.(*messagingapi.MessagingService))
}

// programOf is the Deployment of a service that an operation of that name holds; empty: none does.
func programOf(o client.Object, held, image string) *appsv1.Deployment {
	o = o.DeepCopyObject().(client.Object)
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[common.HeldAnnotation] = held
	o.SetAnnotations(annotations)
	if b, ok := o.(*bookingapi.BookingService); ok {
		return booking.Deployment(b, image)
	}
	return messaging.GatewayDeployment(o.(*messagingapi.MessagingService), image)
}

// copy is the database that this operation makes. CloudNativePG's names have 50 characters at most.
func (a *restoration) copy(l *look) restore.Copy {
	return restore.Copy{
		Of: restorable(l.object), Name: fmt.Sprintf("%s-db-%.*s", l.ref.Name, uidShare, string(a.operation.UID)), To: a.operation.Spec.RestoreTo.Time,
	}
}

// Act implements operation.Action. The service's own controller rests while the operation runs, so
// what it would make of the service is made here, by the same builders and under the same name.
func (a *restoration) Act(ctx context.Context, step operation.Step) (string, error) {
	l, err := a.look(ctx)
	if err != nil {
		return "", err
	}
	if l.deployment == nil {
		return "", operation.Failed("%s has no program to stop and start: it is not the service of the plan any more", l.ref.Touch())
	}
	children := kit.Children{Client: a.Client, Owner: l.object}
	made, image := a.copy(l), l.deployment.Spec.Template.Spec.Containers[0].Image
	switch step.Name {
	case recovery.StepRestoreCopy:
		// Policies come first: nothing shall run before its doors are closed.
		for _, p := range made.NetworkPolicies() {
			if err := children.LookAndApply(ctx, p); err != nil {
				return "", err
			}
		}
		if there, err := l.engine(ctx, a.Reader, database.GVK, made.Name); there != nil || err != nil {
			return "", err
		}
		return "", children.LookAndApply(ctx, made.Cluster())
	case recovery.StepCompareCopy, recovery.StepCarryAhead, recovery.StepCarryOver:
		work := jobWorks[step.Name]
		return made.JobName(work), children.LookAndApply(ctx, made.Job(image, work))
	case recovery.StepSwitchDatabase:
		return "", a.annotate(ctx, l.object, common.DatabaseAnnotation, made.Name)
	case recovery.StepRestBefore:
		return "", a.rest(ctx, l, step)
	}
	held := ""
	if step.Name == recovery.StepStopPrograms {
		held = a.operation.Name
	}
	if err := a.annotate(ctx, l.object, common.HeldAnnotation, held); err != nil {
		return "", err
	}
	return "", children.LookAndApply(ctx, programOf(l.object, held, image))
}

// rest stops the members of the database before, and the copying of it.
func (a *restoration) rest(ctx context.Context, l *look, step operation.Step) error {
	for _, o := range recovery.Named(a.operation.Status.Plan, step.PlannedStep) {
		before, err := l.engine(ctx, a.Reader, database.GVK, o.Name)
		if err != nil || before == nil || string(before.GetUID()) != o.UID {
			return err
		}
		schedule, err := l.engine(ctx, a.Client, database.ScheduleGVK, o.Name)
		if err != nil {
			return err
		}
		if schedule != nil {
			if err := a.patch(ctx, schedule, map[string]any{"spec": map[string]any{"suspend": true}}); err != nil {
				return err
			}
		}
		database.Hibernate(before)
		if err := a.patch(ctx, before, map[string]any{"metadata": map[string]any{"annotations": before.GetAnnotations()}}); err != nil {
			return err
		}
	}
	return nil
}

// Check implements operation.Action.
func (a *restoration) Check(ctx context.Context, step operation.Step) (operation.Progress, error) {
	l, err := a.look(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	made := a.copy(l)
	switch step.Name {
	case recovery.StepRestoreCopy:
		u, err := l.engine(ctx, a.Reader, database.GVK, made.Name)
		s := database.Observe(u)
		return operation.Progress{Done: s.Settled, NotActed: u == nil, Message: fmt.Sprintf("%d of %d instances are ready; CloudNativePG: %s", s.Ready, l.instances, s.Phase)}, err
	case recovery.StepCompareCopy, recovery.StepCarryAhead, recovery.StepCarryOver:
		c, progress, err := a.compared(ctx, l, made.JobName(jobWorks[step.Name]))
		switch {
		case err != nil:
			return progress, err
		case progress.NotActed && step.Memo != "":
			return operation.Progress{}, operation.Failed("Job %s was made and is gone: somebody has deleted it; the service goes on with the database that it has", step.Memo)
		case c == nil:
			return progress, nil
		}
		if lacks := l.service.Lacks(*c, step.Name == recovery.StepCarryOver); lacks != "" {
			return operation.Progress{}, operation.Failed("%s: the service goes on with the database that it has; the copy stays for whoever looks into it", lacks)
		}
		return operation.Progress{Done: true, Message: says(l.service, step.Name, c)}, nil
	case recovery.StepStopPrograms:
		return a.stopped(ctx, l)
	case recovery.StepSwitchDatabase:
		return operation.Progress{Done: l.target.database == made.Name, NotActed: l.target.database != made.Name, Message: "the database is " + l.target.database}, nil
	case recovery.StepRestBefore:
		return a.rested(ctx, l, step)
	}
	if l.deployment == nil {
		return operation.Progress{NotActed: true, Message: "Deployment " + l.program + " is gone"}, nil
	}
	asked := ptr.Deref(l.deployment.Spec.Replicas, 1)
	return operation.Progress{
		Done: rolled(l.deployment) && asked == l.replicas, NotActed: asked == 0,
		Message: fmt.Sprintf("%d of %d replicas are available", l.deployment.Status.AvailableReplicas, l.replicas),
	}, nil
}

// says is what a step that did one of the works has found, for people.
func says(s recovery.Service, step string, c *recovery.Comparison) string {
	switch step {
	case recovery.StepCarryAhead:
		return s.Ahead(*c)
	case recovery.StepCarryOver:
		return s.CarriedOver(*c)
	}
	return s.Compared(*c)
}

// stopped says whether no program is left that could write.
func (a *restoration) stopped(ctx context.Context, l *look) (operation.Progress, error) {
	var pods corev1.PodList
	if err := a.Reader.List(ctx, &pods, client.InNamespace(l.ref.Namespace), client.MatchingLabels(l.pods)); err != nil {
		return operation.Progress{}, err
	}
	left := 0
	for i := range pods.Items {
		if p := pods.Items[i].Status.Phase; p != corev1.PodSucceeded && p != corev1.PodFailed {
			left++
		}
	}
	asked := int32(1)
	if l.deployment != nil {
		asked = ptr.Deref(l.deployment.Spec.Replicas, 1)
	}
	return operation.Progress{
		Done: left == 0 && asked == 0, NotActed: asked > 0, Message: fmt.Sprintf("%d replicas are left", left),
	}, nil
}

func (a *restoration) rested(ctx context.Context, l *look, step operation.Step) (operation.Progress, error) {
	for _, o := range recovery.Named(a.operation.Status.Plan, step.PlannedStep) {
		before, err := l.engine(ctx, a.Reader, database.GVK, o.Name)
		if err != nil {
			return operation.Progress{}, err
		}
		if before != nil && string(before.GetUID()) == o.UID && !database.Hibernated(before) {
			return operation.Progress{NotActed: !database.Hibernating(before), Message: o.Name + " is stopping its members"}, nil
		}
	}
	return operation.Progress{Done: true, Message: "the database before is at rest, with its volumes"}, nil
}

// compared is what a Job has found; nil while it has not.
func (a *restoration) compared(ctx context.Context, l *look, name string) (*recovery.Comparison, operation.Progress, error) {
	var c recovery.Comparison
	pod, progress, err := a.reported(ctx, l, name, &c)
	if pod == "" {
		return nil, progress, err
	}
	return &c, progress, err
}

// Verify implements operation.Action.
func (a *restoration) Verify(ctx context.Context, started time.Time, evidence *api.Evidence) (operation.Progress, error) {
	progress, err := a.onService.Verify(ctx, started, evidence)
	if err != nil || !progress.Done {
		return progress, err
	}
	l, err := a.look(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	evidence.MeasuredLoss = &api.Loss{} // the step before the switch found nothing missing
	for _, step := range []string{recovery.StepCompareCopy, recovery.StepCarryAhead, recovery.StepCarryOver} {
		c, _, err := a.compared(ctx, l, a.copy(l).JobName(jobWorks[step]))
		if err != nil {
			return operation.Progress{}, err
		}
		if c != nil {
			evidence.Notes = append(evidence.Notes, step+": "+says(l.service, step, c))
		}
	}
	evidence.Notes = append(evidence.Notes, "the database before stays, at rest: delete its Cluster when nobody will ask for it any more")
	return progress, nil
}
