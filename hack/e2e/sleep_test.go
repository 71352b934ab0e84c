// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spine.nhs.uk/controlplane/hack/load/fleet"
	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
)

// classLabel of a service's namespace is the environment's class.
const classLabel = "spine.nhs.uk/class"

var bookingPods = client.MatchingLabels{common.ServiceLabel: bookingKey.Name, common.ComponentLabel: "service"}

// sleeps puts bookings to sleep and wakes them, with the manager killed at each step.
func sleeps() {
	It("sleeps and wakes part by part, while the manager is killed at each step, and keeps every booking", Label("slow", "sleep"), func(ctx context.Context) {
		redundant(ctx, 3*time.Minute)
		run := startLoad(ctx, 45*time.Second)
		run.flowing(ctx)
		before := run.finish(ctx)
		Expect(before.Findings).To(BeEmpty(), "promises that were broken before anything slept")
		Expect(before.Counts.Bookings).To(BeNumerically(">", 50), "bookings acknowledged")

		// Whatever fails below. Not in a cleanup: this may be the last spec, and the site is gone by then.
		defer ask(context.WithoutCancel(ctx), common.ActivityAwake)
		By("falling asleep, as the working hours are over")
		begin := time.Now()
		falling := asked(ctx, common.ActivityWorkingHours)
		Expect(bookingService(ctx).Status.Sleep.Until.Time).To(BeTemporally(">", begin))
		AddReportEntry("asleep", fmt.Sprintf("%s after it was asked for\n%s", time.Since(begin).Round(time.Second), falling.trace.String()))
		Expect(falling.steps).To(Equal([]string{"edge", "service", "database"}), falling.trace.String())

		By("sleeping")
		asleep(ctx)

		By("waking")
		begin = time.Now()
		waking := asked(ctx, common.ActivityAwake)
		AddReportEntry("awake", fmt.Sprintf("%s after it was asked for\n%s", time.Since(begin).Round(time.Second), waking.trace.String()))
		Expect(waking.steps).To(Equal([]string{"database", "service", "edge"}), waking.trace.String())
		redundant(ctx, 5*time.Minute)

		By("looking for every booking of before")
		after := run.finish(ctx)
		Expect(after.Findings).To(BeEmpty(), "promises that the sleep broke")
		Expect(after.Counts.Bookings).To(Equal(before.Counts.Bookings))
		saved := bookingService(ctx).Status.Sleep.Saved
		AddReportEntry("saved", fmt.Sprintf("%+v", saved))
		Expect(saved.Sleeps).To(BeNumerically(">=", 1))
		Expect(saved.Seconds).To(BeNumerically(">", 0))
		Expect(saved.CoreSeconds).To(BeNumerically(">", 0))
		Expect(saved.GibibyteSeconds).To(BeNumerically(">", 0))

		By("working as before")
		again := startLoad(ctx, 45*time.Second) // a referral's way to its booking takes many pages
		again.flowing(ctx)
		result := again.finish(ctx)
		Expect(result.Findings).To(BeEmpty(), "promises that were broken after the sleep")
		Expect(result.Counts.Bookings).To(BeNumerically(">", 10), "bookings acknowledged")
	}, NodeTimeout(40*time.Minute))

	It("is kept awake where patients are served", Label("slow", "sleep"), func(ctx context.Context) {
		class := func(ctx context.Context, value string) {
			GinkgoHelper()
			ns := &corev1.Namespace{}
			Expect(objects.Get(ctx, client.ObjectKey{Name: bookingKey.Namespace}, ns)).To(Succeed())
			before := ns.DeepCopy()
			ns.Labels[classLabel] = value
			Expect(objects.Patch(ctx, ns, client.MergeFrom(before))).To(Succeed())
		}
		ns := &corev1.Namespace{}
		Expect(objects.Get(ctx, client.ObjectKey{Name: bookingKey.Namespace}, ns)).To(Succeed())
		was := ns.Labels[classLabel]
		Expect(was).To(Equal("Development"), "as the environment's file says")
		try := func() error {
			b := bookingService(ctx)
			before := b.DeepCopy()
			b.Spec.Activity = common.ActivityAsleep
			return objects.Patch(ctx, b, client.MergeFrom(before), client.DryRunAll)
		}
		Expect(try()).To(Succeed())
		// Not in a cleanup: this may be the last spec, and the site is gone by then.
		defer func() {
			class(ctx, was)
			unchanged(ctx)
		}()
		class(ctx, "Live")
		Eventually(try).WithContext(ctx).WithTimeout(time.Minute).Should(MatchError(And(
			ContainSubstring("spec.activity is Asleep: expected Awake in an environment of class Live"), ContainSubstring("leave spec.activity out"))))
	}, NodeTimeout(5*time.Minute))
}

func bookingService(ctx context.Context) *booking.BookingService {
	GinkgoHelper()
	b := &booking.BookingService{}
	Expect(objects.Get(ctx, bookingKey, b)).To(Succeed())
	return b
}

// ask for an activity, as somebody beside Pulumi. Working hours are such that now is none of them, on whatever day.
func ask(ctx context.Context, activity common.Activity) {
	GinkgoHelper()
	b := bookingService(ctx)
	before := b.DeepCopy()
	b.Spec.Activity = activity
	if activity == common.ActivityWorkingHours {
		zone, err := time.LoadLocation(b.Spec.TimeZone)
		Expect(err).NotTo(HaveOccurred())
		b.Spec.WorkingHours = common.WorkingHours{Wake: "22:00", Sleep: "23:00"}
		if time.Now().In(zone).Hour() >= 12 {
			b.Spec.WorkingHours = common.WorkingHours{Wake: "01:00", Sleep: "02:00"}
		}
	}
	Expect(objects.Patch(ctx, b, client.MergeFrom(before), client.FieldOwner("end-to-end"))).To(Succeed())
}

// night is what was seen on the way to be asleep, or awake.
type night struct {
	// steps in the order in which status first named them.
	steps []string
	// trace is each different thing that was seen.
	trace strings.Builder
}

// asked asks for an activity and watches until it is brought about, step by step. It kills the manager when it first sees
// a step, and holds what it sees to the order of steps.
func asked(ctx context.Context, activity common.Activity) *night {
	GinkgoHelper()
	ask(ctx, activity)
	phase, way, comes := common.SleepAsleep, common.SleepFalling, common.ActivityAsleep
	if activity == common.ActivityAwake {
		phase, way, comes = common.SleepAwake, common.SleepWaking, common.ActivityAwake
	}
	n := &night{}
	seen := ""
	people := clientOfPages()
	Eventually(func(g Gomega) {
		is := look(ctx, g)
		if line := is.String(); line != seen {
			seen = line
			fmt.Fprintf(&n.trace, "%s %s\n", time.Now().Format("15:04:05"), line)
		}
		if is.sleep.Phase == way {
			is.inOrder(ctx, people, n)
			if step, _, ok := strings.Cut(is.sleep.Message, ":"); ok && !slices.Contains(n.steps, step) {
				n.steps = append(n.steps, step)
				killManagers(ctx)
				fmt.Fprintf(&n.trace, "%s the manager is killed during %s\n", time.Now().Format("15:04:05"), step)
			}
		}
		g.Expect(is.sleep.Asked).To(Equal(comes))
		g.Expect(is.sleep.Phase).To(Equal(phase), "%s", is)
	}).WithContext(ctx).WithTimeout(12*time.Minute).WithPolling(500*time.Millisecond).Should(Succeed(), n.trace.String)
	return n
}

// parts are what was seen of the service at about one time.
type parts struct {
	// sleep as status says it was read first: what rests on it is read later.
	sleep common.SleepStatus
	// asked is how many replicas the Deployment asks for; replicas and instances are pods that are there.
	asked               int32
	hibernating         bool
	replicas, instances int
}

func (p parts) String() string {
	return fmt.Sprintf("%s: %d replicas asked for, %d there; hibernation %v, %d instances; %s",
		p.sleep.Phase, p.asked, p.replicas, p.hibernating, p.instances, p.sleep.Message)
}

// look reads them. The API server that is asked may be busy: that is for Eventually to try again.
func look(ctx context.Context, g Gomega) parts {
	var p parts
	b := &booking.BookingService{}
	g.Expect(objects.Get(ctx, bookingKey, b)).To(Succeed())
	g.Expect(b.Status.Sleep).NotTo(BeNil())
	p.sleep = *b.Status.Sleep
	name, cluster := databaseOf(b), &unstructured.Unstructured{}
	cluster.SetGroupVersionKind(database.GVK)
	g.Expect(objects.Get(ctx, client.ObjectKey{Namespace: bookingKey.Namespace, Name: name}, cluster)).To(Succeed())
	p.hibernating = database.Hibernating(cluster)
	d := &appsv1.Deployment{}
	g.Expect(objects.Get(ctx, client.ObjectKey{Namespace: bookingKey.Namespace, Name: bookingKey.Name + "-service"}, d)).To(Succeed())
	p.asked = *d.Spec.Replicas
	pods := &corev1.PodList{}
	g.Expect(objects.List(ctx, pods, client.InNamespace(bookingKey.Namespace), bookingPods)).To(Succeed())
	p.replicas = len(pods.Items)
	g.Expect(objects.List(ctx, pods, client.InNamespace(bookingKey.Namespace),
		client.MatchingLabels{database.ClusterLabel: name, database.RoleLabel: database.RoleInstance})).To(Succeed())
	p.instances = len(pods.Items)
	return p
}

// inOrder fails at once where a part was stopped or started before its time. On the way to sleep what was read later may
// be further on, and never less; on the way back it may have been stopped still.
func (p parts) inOrder(ctx context.Context, people *http.Client, n *night) {
	GinkgoHelper()
	if p.sleep.Phase == common.SleepFalling {
		if !strings.HasPrefix(p.sleep.Message, "edge:") {
			Expect(letIn(ctx, people)).To(BeFalse(), "clients are let in after the edge was closed:\n%s", n.trace.String())
		}
		if p.hibernating {
			Expect(p.replicas).To(BeZero(), "the database is stopped under the program:\n%s", n.trace.String())
		}
		if p.sleep.DrainedTime == nil {
			// Written before the program is stopped: at most the next look sees that.
			Expect(p.replicas).To(BeNumerically(">", 0), "the program is gone before its work was seen to be done:\n%s", n.trace.String())
		}
		return
	}
	if p.asked > 0 && p.hibernating {
		Fail("the program is started before the database:\n" + n.trace.String())
	}
}

// asleep expects everything of a service that sleeps, and what is refused of it.
func asleep(ctx context.Context) {
	GinkgoHelper()
	p := look(ctx, NewWithT(GinkgoT()))
	Expect(p.replicas+p.instances).To(BeZero(), p.String())
	Expect(p.sleep.Freed).NotTo(BeNil())
	AddReportEntry("freed", fmt.Sprintf("%s cores, %s of memory", p.sleep.Freed.CPU.String(), p.sleep.Freed.Memory.String()))
	b, volumes := bookingService(ctx), &corev1.PersistentVolumeClaimList{}
	Expect(objects.List(ctx, volumes, client.InNamespace(bookingKey.Namespace), client.MatchingLabels{database.ClusterLabel: databaseOf(b)})).To(Succeed())
	Expect(volumes.Items).To(HaveLen(3), "its volumes stay")
	Expect(b.Status.ObservedGeneration).To(Equal(b.Generation))
	ready := meta.FindStatusCondition(b.Status.Conditions, common.ConditionReady)
	Expect(ready).To(And(HaveField("Status", metav1.ConditionTrue), HaveField("Reason", common.ReasonAsleep)))
	Expect(letIn(ctx, clientOfPages())).To(BeFalse())

	By("telling people so")
	Expect(answers(ctx, "bash", "-c", asReader+"kubectl spine status")).To(ContainSubstring("asleep"))
	Expect(answers(ctx, "kubectl", "get", "booksvc", "-n", bookingKey.Namespace)).To(ContainSubstring("Asleep"))

	By("being no difference to Pulumi, which says nothing of it")
	unchanged(ctx)

	By("refusing recoveries and its deletion")
	responding, err := rack.ObjectsAs(responder)
	Expect(err).NotTo(HaveOccurred())
	o := plain(ctx, responding, request{booking: true, action: resilience.ActionRestartRolling, part: resilience.PartService})
	awaitPhase(ctx, responding, o, time.Minute, resilience.PhaseBlocked)
	Expect(reasons(o)).To(ContainElement(resilience.ReasonAsleep))
	Expect(objects.Delete(ctx, b, client.DryRunAll)).To(MatchError(ContainSubstring("is not awake")))
}

// clientOfPages opens the pages as a patient's browser does, by a connection of its own each time.
func clientOfPages() *http.Client {
	GinkgoHelper()
	roots, err := fleet.Roots(filepath.Join(rack.Home, "clients", "ca.crt"))
	Expect(err).NotTo(HaveOccurred())
	return &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}}
}

// letIn says whether the first page answers somebody. No answer at all is none.
func letIn(ctx context.Context, people *http.Client) bool {
	GinkgoHelper()
	edge, err := rack.Address(101)
	Expect(err).NotTo(HaveOccurred())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+edge+":8445/", http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	answer, err := people.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode < http.StatusInternalServerError
}
