// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package bookingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/ports"
)

var _ = Describe("Sleep", func() {
	It("stops the parts from the edge inwards, and starts them the other way round", func(ctx SpecContext) {
		b := running(ctx, "sleeper")
		Expect(b.sleep().Phase).To(Equal(common.SleepAwake))
		b.be(common.ActivityAsleep)

		By("letting nobody in")
		b.again(time.Second)
		Expect(b.intake()).To(Equal(booking.IntakeStopped))
		b.again(2 * time.Second)
		Expect(b.sleep().Message).To(ContainSubstring("not yet sleeper-1"))
		b.prober.Count(stopped(ports.BookingStatus{InFlight: 1}))
		b.again(2 * time.Second)
		Expect(b.sleep().Message).To(ContainSubstring("not yet sleeper-1"), "a request is in flight")
		Expect(b.condition("Ready")).To(And(HaveField("Status", metav1.ConditionFalse), HaveField("Reason", common.ReasonAsleep)))
		Expect(b.condition("Service").Status).To(Equal(metav1.ConditionTrue), "nothing is stopped yet")

		By("sending what the outbox holds")
		b.prober.Count(stopped(ports.BookingStatus{Bookings: 7, OutboxPending: 2}))
		b.again(2 * time.Second)
		Expect(b.sleep().Message).To(ContainSubstring("accepted 2 events"))
		b.prober.Down(true)
		b.again(2 * time.Second)
		b.prober.Down(false)
		b.prober.Count(stopped(ports.BookingStatus{Bookings: 7}))
		Expect(b.sleep().DrainedTime).To(BeNil())
		b.again(2 * time.Second)
		Expect(b.sleep().DrainedTime).NotTo(BeNil())
		Expect(b.asked()).To(BeEquivalentTo(2), "it is written down before anything rests on it")

		By("stopping the program")
		b.again(2 * time.Second)
		Expect(b.asked()).To(BeZero())
		b.prober.Down(true)
		b.again(2 * time.Second)
		Expect(b.hibernating()).To(BeFalse(), "a replica finishes")
		b.unpod("sleeper-1")
		b.replicas(0, 0)

		By("hibernating the database")
		b.again(2 * time.Second)
		Expect(b.hibernating()).To(BeTrue())
		Expect(b.sleep().Phase).To(Equal(common.SleepFalling))
		b.again(2 * time.Second)
		Expect(b.sleep().Message).To(ContainSubstring("instances are gone"))
		Expect(cluster.Hibernated(ctx, namespace, "sleeper-db")).To(Succeed())
		Expect(b.again(2 * time.Second).RequeueAfter).To(Equal(asleepPace))

		By("sleeping, and being well")
		is := b.get()
		Expect(is.Status.Sleep.Phase).To(Equal(common.SleepAsleep))
		Expect(is.Status.Sleep.Freed.CPU.String()).To(Equal("500m"), "two replicas and three instances of 100m")
		Expect(is.Status.Sleep.Freed.Memory.String()).To(Equal("1280Mi"))
		Expect(is.Status.ObservedGeneration).To(Equal(is.Generation), "who waits for the change need not wait any longer")
		Expect(is.Status.Backlog.Bookings).To(BeEquivalentTo(7), "what was counted last stays")
		Expect(is.Status.Loss).To(Equal(booking.LossNone))
		Expect(b.condition("Ready")).To(And(HaveField("Status", metav1.ConditionTrue), HaveField("Reason", common.ReasonAsleep)))
		for _, kind := range []string{"Database", "Service", "Redundancy", "Backlog", "DeepProbe"} {
			Expect(b.condition(kind).Reason).To(Equal(common.ReasonAsleep), kind)
		}
		Expect(b.condition("Stalled").Status).To(Equal(metav1.ConditionFalse))
		Expect(b.condition("Progressing").Status).To(Equal(metav1.ConditionFalse))

		By("changing nothing, not even to another image")
		next := operatortest.Image("booking-service", '2')
		b.change(func(s *booking.BookingService) { s.Spec.Service.Image = next })
		before := b.versions()
		b.told()
		b.steps(time.Minute)
		Expect(b.versions()).To(Equal(before))
		Expect(b.told()).NotTo(ContainElement(ContainSubstring("ProbeFailed")))

		By("starting the database")
		b.change(func(s *booking.BookingService) { s.Spec.Service.Image = b.image() })
		b.be(common.ActivityAwake)
		b.again(59 * time.Minute)
		Expect(b.hibernating()).To(BeFalse())
		saved := b.sleep().Saved
		Expect(saved.Sleeps).To(BeEquivalentTo(1))
		Expect(saved.Seconds).To(BeNumerically("~", 3600, 60))
		Expect(saved.CoreSeconds).To(BeNumerically("~", 1800, 30))
		Expect(saved.GibibyteSeconds).To(BeNumerically("~", 4500, 80))
		b.again(2 * time.Second)
		Expect(b.sleep().Message).To(ContainSubstring("accepts writes"))
		Expect(b.asked()).To(BeZero())

		By("starting the program")
		b.database(3)
		b.again(2 * time.Second)
		Expect(b.sleep().DrainedTime).To(BeNil(), "what runs may have something to send")
		Expect(b.asked()).To(BeZero())
		b.again(2 * time.Second)
		Expect(b.asked()).To(BeEquivalentTo(2))
		b.again(2 * time.Second)
		Expect(b.sleep().Message).To(ContainSubstring("replica serves"))
		Expect(b.get().Status.ObservedGeneration).To(BeNumerically("<", b.get().Generation))

		By("letting clients in once the deep probe has passed")
		b.replicas(2, 2)
		b.pod("sleeper-2", "10.0.0.2", b.image())
		b.prober.Down(false)
		b.again(2 * time.Second)
		Expect(b.sleep().Message).To(ContainSubstring("deep probe"))
		Expect(b.intake()).To(Equal(booking.IntakeStopped))
		b.again(20 * time.Second)
		Expect(b.intake()).To(Equal(booking.IntakeOpen))
		b.again(2 * time.Second)
		Expect(b.sleep().Message).To(ContainSubstring("not yet 10.0.0.2"))
		b.prober.Count(ports.BookingStatus{Intake: string(booking.IntakeOpen), Bookings: 7})
		b.again(2 * time.Second)
		b.again(20 * time.Second)
		Expect(b.sleep()).To(And(HaveField("Phase", common.SleepAwake), HaveField("Message", ""), HaveField("Saved", saved)))
		Expect(b.condition("Ready").Reason).To(Equal(common.ReasonProbePassed))
		Expect(b.get().Status.ObservedGeneration).To(Equal(b.get().Generation))
	})

	It("is put to sleep and woken by the clock, in its working hours' time zone", func(ctx SpecContext) {
		b := running(ctx, "clocked")
		zone, err := time.LoadLocation("America/New_York")
		Expect(err).NotTo(HaveOccurred())
		b.change(func(s *booking.BookingService) {
			s.Spec.Activity, s.Spec.TimeZone = common.ActivityWorkingHours, zone.String()
			s.Spec.WorkingHours = common.WorkingHours{Wake: "08:30", Sleep: "17:00"}
		})
		now := b.clock.Now().In(zone)
		toFriday := (int(time.Friday) - int(now.Weekday()) + 7) % 7
		friday := time.Date(now.Year(), now.Month(), now.Day()+toFriday, 12, 0, 0, 0, zone)
		b.clock.SetTime(friday)
		b.prober.Count(ports.BookingStatus{Intake: string(booking.IntakeOpen)})
		b.again(time.Second)
		evening := time.Date(friday.Year(), friday.Month(), friday.Day(), 17, 0, 0, 0, zone)
		Expect(b.sleep()).To(And(HaveField("Phase", common.SleepAwake), HaveField("Asked", common.ActivityAwake)))
		Expect(b.sleep().Until.Time).To(BeTemporally("==", evening))

		By("looking again at the hour itself, if nothing else is to be looked at before")
		b.clock.SetTime(evening.Add(-10 * time.Second))
		Expect(b.again(0).RequeueAfter).To(And(BeNumerically(">", 0), BeNumerically("<=", 10*time.Second)))
		Expect(b.intake()).To(Equal(booking.IntakeOpen))

		By("falling asleep until Monday")
		b.again(10 * time.Second)
		Expect(b.intake()).To(Equal(booking.IntakeStopped))
		Expect(b.sleep()).To(And(HaveField("Phase", common.SleepFalling), HaveField("Asked", common.ActivityAsleep)))
		monday := time.Date(friday.Year(), friday.Month(), friday.Day()+3, 8, 30, 0, 0, zone)
		Expect(b.sleep().Until.Time).To(BeTemporally("==", monday))
		b.ends("clocked-1")
		Expect(cluster.Hibernated(ctx, namespace, "clocked-db")).To(Succeed())
		b.again(2 * time.Second)
		Expect(b.condition("Ready").Message).To(ContainSubstring("until " + monday.UTC().Format(time.RFC3339)))

		By("waking on Monday, not before")
		b.clock.SetTime(monday.Add(-time.Second))
		b.again(0)
		Expect(b.hibernating()).To(BeTrue())
		b.again(time.Second)
		Expect(b.hibernating()).To(BeFalse())
		Expect(b.sleep()).To(And(HaveField("Phase", common.SleepWaking), HaveField("Asked", common.ActivityAwake)))

		By("being woken by somebody, out of hours")
		b.clock.SetTime(friday.Add(24 * time.Hour))
		b.be(common.ActivityAwake)
		b.again(0)
		Expect(b.sleep()).To(And(HaveField("Phase", common.SleepWaking), HaveField("Until", BeNil())))
	})

	It("turns round where it stands", func(ctx SpecContext) {
		b := running(ctx, "turning")
		b.be(common.ActivityAsleep)
		b.prober.Count(stopped(ports.BookingStatus{}))
		for range 3 {
			b.again(2 * time.Second)
		}
		Expect(b.asked()).To(BeZero())
		b.be(common.ActivityAwake)
		b.again(2 * time.Second)
		b.again(2 * time.Second)
		Expect(b.asked()).To(BeEquivalentTo(2))
		Expect(b.hibernating()).To(BeFalse())

		By("and back, without stopping what was not seen to be drained again")
		b.be(common.ActivityAsleep)
		b.prober.Count(stopped(ports.BookingStatus{OutboxPending: 1}))
		b.again(2 * time.Second)
		b.again(2 * time.Second)
		Expect(b.asked()).To(BeEquivalentTo(2))
		Expect(b.sleep().Saved.Sleeps).To(BeZero())
	})

	It("leaves a database alone that somebody else runs", func(ctx SpecContext) {
		b := newBench(ctx, "borrowed", func(s *booking.BookingService) { s.Spec.Database = operatortest.Aurora() })
		b.step(0)
		b.replicas(2, 2)
		b.pod("borrowed-1", "10.0.4.1", b.image())
		b.steps(time.Minute)
		b.be(common.ActivityAsleep)
		b.ends("borrowed-1")
		Expect(b.sleep().Phase).To(Equal(common.SleepAsleep))
		Expect(b.sleep().Message).To(ContainSubstring("somebody else runs it"))
		Expect(b.sleep().Freed.CPU.String()).To(Equal("200m"))
		Expect(b.condition("Ready").Reason).To(Equal(common.ReasonAsleep))
	})

	It("keeps what it holds from being deleted uncounted", func(ctx SpecContext) {
		b := running(ctx, "kept")
		b.be(common.ActivityAsleep)
		err := cluster.Client.Delete(ctx, b.get())
		Expect(apierrors.IsForbidden(err)).To(BeTrue(), "%v", err)
		Expect(err.Error()).To(And(ContainSubstring("is not awake"), ContainSubstring("spec.activity"), ContainSubstring(common.ForceDeleteAnnotation)))

		By("waking, when nobody can count yet either")
		b.again(2 * time.Second)
		b.be(common.ActivityAwake)
		Expect(apierrors.IsForbidden(cluster.Client.Delete(ctx, b.get()))).To(BeTrue())
		b.change(func(s *booking.BookingService) {
			s.Annotations = map[string]string{common.ForceDeleteAnnotation: "CHG2: site closes"}
		})
		Expect(cluster.Client.Delete(ctx, b.get())).To(Succeed())
		b.step(time.Second)
		Expect(apierrors.IsNotFound(cluster.Client.Get(ctx, b.key, &booking.BookingService{}))).To(BeTrue())
	})

	It("is refused where patients are served, and where nobody says", func(ctx SpecContext) {
		b := running(ctx, "wakeful")
		classed := func(ctx SpecContext, class string) {
			GinkgoHelper()
			ns := &corev1.Namespace{}
			Expect(cluster.Client.Get(ctx, client.ObjectKey{Name: namespace}, ns)).To(Succeed())
			ns.Labels["spine.nhs.uk/class"] = class
			if class == "" {
				delete(ns.Labels, "spine.nhs.uk/class")
			}
			Expect(cluster.Client.Update(ctx, ns)).To(Succeed())
		}
		child := sample("newborn")
		child.Spec.Activity = common.ActivityAsleep
		made := func(ctx SpecContext) func() error {
			return func() error { return cluster.Client.Create(ctx, child.DeepCopy(), client.DryRunAll) }
		}
		changed := func() error {
			service := b.get()
			service.Spec.Activity = common.ActivityAsleep
			return cluster.Client.Update(ctx, service, client.DryRunAll)
		}
		byTheClock := func() error {
			service := b.get()
			service.Spec.Activity = common.ActivityWorkingHours
			return cluster.Client.Update(ctx, service, client.DryRunAll)
		}
		DeferCleanup(func(ctx SpecContext) {
			classed(ctx, "Development")
			Eventually(made(ctx), 10*time.Second).Should(Succeed())
		})
		for class, says := range map[string]string{"Live": "of class Live", "Recovery": "of class Recovery", "": "of unknown class"} {
			classed(ctx, class)
			refused := MatchError(And(ContainSubstring(says), ContainSubstring("spec.activity is Asleep: expected Awake"), ContainSubstring("leave spec.activity out")))
			Eventually(made(ctx), 10*time.Second).Should(refused)
			Expect(changed()).To(refused)
			Expect(byTheClock()).To(MatchError(And(ContainSubstring(says), ContainSubstring("spec.activity is WorkingHours: expected Awake"))))
		}

		By("one that sleeps already can be changed and woken there")
		classed(ctx, "Test")
		Eventually(changed, 10*time.Second).Should(Succeed())
		b.be(common.ActivityAsleep)
		classed(ctx, "Live")
		Eventually(made(ctx), 10*time.Second).ShouldNot(Succeed())
		b.change(func(s *booking.BookingService) { s.Spec.Title = "Asleep still" })
		b.be(common.ActivityAwake)
	})
})

// stopped is what a replica says that lets nobody in.
func stopped(s ports.BookingStatus) ports.BookingStatus {
	s.Intake = string(booking.IntakeStopped)
	return s
}

// ends has the program of a service that falls asleep drain and end, its one pod with it.
func (b *bench) ends(pod string) {
	GinkgoHelper()
	b.prober.Count(stopped(ports.BookingStatus{}))
	for range 3 {
		b.again(2 * time.Second)
	}
	b.unpod(pod)
	b.replicas(0, 0)
	b.again(2 * time.Second)
}

// be asks for it.
func (b *bench) be(activity common.Activity) {
	GinkgoHelper()
	b.change(func(s *booking.BookingService) { s.Spec.Activity = activity })
}

// again looks once, as a manager that was started just now.
func (b *bench) again(after time.Duration) reconcile.Result {
	GinkgoHelper()
	b.reconciler = &Reconciler{Client: manager, Prober: b.prober, Events: kit.NewEvents(b.events, b.clock.Now), Clock: b.clock}
	return b.step(after)
}

func (b *bench) sleep() common.SleepStatus {
	GinkgoHelper()
	is := b.get().Status.Sleep
	Expect(is).NotTo(BeNil())
	return *is
}

// asked is how many replicas the Deployment asks for.
func (b *bench) asked() int32 {
	GinkgoHelper()
	return *b.deployment().Spec.Replicas
}

func (b *bench) hibernating() bool {
	GinkgoHelper()
	return database.Hibernating(b.live(database.GVK, desired.DatabaseName(b.get())))
}

// intake is what the program is told.
func (b *bench) intake() booking.Intake {
	GinkgoHelper()
	var m corev1.ConfigMap
	Expect(cluster.Client.Get(b.ctx, client.ObjectKey{Namespace: namespace, Name: b.key.Name + "-service-config"}, &m)).To(Succeed())
	c, err := booking.ParseServiceConfig([]byte(m.Data["booking.yaml"]))
	Expect(err).NotTo(HaveOccurred())
	return c.Intake
}

// unpod plays a replica that has finished.
func (b *bench) unpod(name string) {
	GinkgoHelper()
	now := int64(0)
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	Expect(cluster.Client.Delete(b.ctx, p, &client.DeleteOptions{GracePeriodSeconds: &now})).To(Succeed())
}
