// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package bookingservice

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

var _ = Describe("The API server", func() {
	It("fills in the same defaults as the program", func(ctx SpecContext) {
		b := sample("defaults")
		Expect(cluster.Client.Create(ctx, b, client.DryRunAll)).To(Succeed())
		want := booking.Settings{}
		want.Default()
		Expect(b.Spec.Settings).To(Equal(want))
		Expect(b.Spec.Gateway.BulkPort).To(BeEquivalentTo(8444))
		Expect(b.Spec.Exposure.Port).To(BeEquivalentTo(8445))
		Expect(b.Spec.Exposure.LoadBalancerClass).To(Equal("spine.nhs.uk/edge"))
	})

	DescribeTable("takes the examples", func(ctx SpecContext, file string) {
		raw, err := os.ReadFile(filepath.Join("..", "..", "..", "runbooks", "examples", file))
		Expect(err).NotTo(HaveOccurred())
		u := &unstructured.Unstructured{}
		Expect(yaml.Unmarshal(raw, &u.Object)).To(Succeed())
		Expect(client.WithFieldValidation(cluster.Client, metav1.FieldValidationStrict).Create(ctx, u, client.DryRunAll)).To(Succeed())
	},
		Entry(nil, "bookingservice.yaml"),
		Entry(nil, "bookingservice-aurora.yaml"),
		Entry(nil, "messagingservice-aws.yaml"),
		Entry(nil, "messagingservice.yaml"),
	)

	// A field that a definition does not know is dropped without a word, and a setting with it.
	It("knows every field of what is made for the engines", func(ctx SpecContext) {
		b := sample("strict")
		Expect(cluster.Client.Create(ctx, b, client.DryRunAll)).To(Succeed())
		b.Spec.Exposure.HostNames = []booking.HostName{"booking.example.org", "10.90.0.101"}
		strict := client.WithFieldValidation(cluster.Client, metav1.FieldValidationStrict)
		for _, o := range []client.Object{
			desired.Database(b), desired.ServerCertificate(b, nil), desired.GatewayClientCertificate(b),
			desired.Deployment(b, "i"), desired.Service(b), desired.Ops(b), desired.Budget(b),
		} {
			Expect(strict.Create(ctx, o, client.DryRunAll)).To(Succeed(), "%T %s", o, o.GetName())
		}
	})

	DescribeTable("refuses with a word on the field", func(ctx SpecContext, change func(*booking.BookingService), says string) {
		b := sample("refused")
		change(b)
		err := cluster.Client.Create(ctx, b, client.DryRunAll)
		Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%v", err)
		Expect(err.Error()).To(ContainSubstring(says))
	},
		Entry("sleep at one of two sites", func(b *booking.BookingService) {
			b.Spec.Site, b.Spec.Activity = operatortest.Site(common.RoleActive), common.ActivityAsleep
		}, "spec.activity"),
		Entry("working hours that end before they begin", func(b *booking.BookingService) { b.Spec.WorkingHours.Wake = "20:00" }, "spec.workingHours.sleep"),
		Entry("an hour that is none", func(b *booking.BookingService) { b.Spec.WorkingHours.Sleep = "7pm" }, "spec.workingHours.sleep"),
		Entry("an activity that is none", func(b *booking.BookingService) { b.Spec.Activity = "Dozing" }, "spec.activity"),
		Entry("both sites of one", func(b *booking.BookingService) { b.Spec.Acknowledge = common.AcknowledgeBothSites }, "acknowledge BothSites needs site"),
		Entry("one database instance", func(b *booking.BookingService) { b.Spec.Database.Instances = 1 }, "spec.database.instances"),
		Entry("one replica", func(b *booking.BookingService) { b.Spec.Service.Replicas = 1 }, "spec.service.replicas"),
		Entry("no durability", func(b *booking.BookingService) {
			b.Spec.Database.Parameters = map[string]common.ParameterValue{"synchronous_commit": "off"}
		}, "synchronous_commit"),
		Entry("sessions that end before they idle", func(b *booking.BookingService) { b.Spec.Sessions = booking.Sessions{IdleMinutes: 30, MaxMinutes: 10} }, "sessions.maxMinutes"),
		Entry("events to itself", func(b *booking.BookingService) { b.Spec.Outbox = booking.Outbox{From: "ERS", To: "ERS"} }, "outbox.to"),
		Entry("a provider with more than all", func(b *booking.BookingService) { b.Spec.Poll.Concurrency, b.Spec.Poll.ProviderConcurrency = 4, 8 }, "poll.concurrency"),
		Entry("more connections than there are", func(b *booking.BookingService) { b.Spec.Service.Replicas = 20 }, "databaseConnections"),
		Entry("a start that is no time", func(b *booking.BookingService) { b.Spec.Poll.Start = "24:00" }, "spec.poll.start"),
		Entry("a longer wait than the contract", func(b *booking.BookingService) { b.Spec.Providers.AnswerSeconds = 121 }, "answerSeconds"),
		Entry("a network with host bits", func(b *booking.BookingService) { b.Spec.ProviderAccess.Networks = []booking.Network{"10.0.0.1/8"} }, "no bits set beyond its length"),
		Entry("a network that is none", func(b *booking.BookingService) { b.Spec.ProviderAccess.Networks = []booking.Network{"everywhere"} }, "IPv4 network"),
		Entry("a mailbox in small letters", func(b *booking.BookingService) { b.Spec.Outbox.From = "ers" }, "spec.outbox.from"),
		Entry("no token issuer", func(b *booking.BookingService) { b.Spec.Tokens.Issuer = "" }, "spec.tokens.issuer"),
		Entry("too little memory", func(b *booking.BookingService) { b.Spec.Service.Resources.Memory = resource.MustParse("1Mi") }, "memory"),
		Entry("a negative limit", func(b *booking.BookingService) { b.Spec.Backlog.OpenIssues = ptr.To[int32](-1) }, "openIssues"),
		Entry("a long name", func(b *booking.BookingService) { b.Name = "a-name-of-more-than-forty-characters-is-too-long" }, "at most 40"),
	)
})
