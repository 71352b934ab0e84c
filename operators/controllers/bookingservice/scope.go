// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/rollout"
	"spine.nhs.uk/controlplane/operators/decide/sleep"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/kit"
)

// scope is one look at one BookingService.
type scope struct {
	*Reconciler
	// now is the one time of this look.
	now time.Time
	// before is the service as it was read; service is what its status becomes.
	before, service *booking.BookingService
	// order of the site's manager that is in force: set by orders.
	order common.SiteOrder
	// takeover says whether the other site could serve now: set by obey, nil where nobody knows.
	takeover *metav1.Condition
	// databaseObeys says that the live database is asked for as the order has it: set by observe.
	databaseObeys bool
	// operation that holds the service, in words; empty when none does. Set by observe.
	operation string
	// edgeClosed says that the programs are told to let nobody in: set by surround.
	edgeClosed bool
	// sleep is what was decided about sleep: set by doze, the zero value before it.
	sleep sleep.Decision
	// children applies what the service owns.
	children kit.Children

	// loadBalancer are the addresses that the Service has: set by surround, empty until
	// there are any.
	loadBalancer []string
	// portTaken says who has the port of the edge's address already: set by surround, empty
	// when nobody has.
	portTaken string
	// databaseChild and programChild stand beside the live objects: set by observe, nil
	// before it; databaseChild also where somebody else runs the database.
	databaseChild, programChild *kit.Child
	// database is how the database is: set by observe.
	database database.State
	// deployment is the live Deployment: set by observe, nil while there is none.
	deployment *appsv1.Deployment
	// pods are those of the program: set by observe.
	pods []corev1.Pod
	// observed says that observe succeeded, so that what it set can be relied on.
	observed bool

	// decision on what to change: set by change, nil before it and where sleep holds changes.
	decision *rollout.Decision
	// released says that the finalizer is gone, and maybe the service with it.
	released bool

	// events to tell, in order.
	events []kit.Event
	// after is when to look again; zero when only a change is a reason to.
	after time.Duration
}

func (r *Reconciler) newScope(b *booking.BookingService) *scope {
	return &scope{
		Reconciler: r, now: r.Clock.Now(), before: b.DeepCopy(), service: b,
		children: kit.Children{Client: r.Client, Owner: b},
	}
}
