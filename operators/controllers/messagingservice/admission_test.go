// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package messagingservice

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

func seconds(n int) metav1.Duration { return metav1.Duration{Duration: time.Duration(n) * time.Second} }

// archived has the ledger kept in an object store.
func archived(m *api.MessagingService) {
	m.Spec.Database.Backup = &common.DatabaseBackup{
		Endpoint: "https://objects.test:9000", Bucket: "spine", Secret: common.LocalSecret{Name: "object-store"},
		Networks: []common.SiteNetwork{"10.30.0.0/16"}, RetentionDays: 7,
	}
}

var _ = Describe("The API server", func() {
	DescribeTable("refuses", func(ctx SpecContext, message string, spoil ...func(*api.MessagingService)) {
		err := cluster.Client.Create(ctx, operatortest.Messaging("refused", spoil...))
		Expect(err).To(MatchError(ContainSubstring(message)))
	},
		Entry("an unknown role", "Unsupported value", paired, func(m *api.MessagingService) { m.Spec.Site.Role = "Spare" }),
		Entry("both sites of one", "acknowledge BothSites needs site", func(m *api.MessagingService) { m.Spec.Acknowledge = common.AcknowledgeBothSites }),
		Entry("a site that is its own peer", "peer.name must be another site", paired, func(m *api.MessagingService) { m.Spec.Site.Peer.Name = "east" }),
		Entry("a peer from nowhere", "must be a network such as 10.90.0.0/24", paired, func(m *api.MessagingService) { m.Spec.Site.Peer.Networks = []common.SiteNetwork{"10.94.0.1/24"} }),
		Entry("one port for two", "databasePort and opsPort must differ", paired, func(m *api.MessagingService) { m.Spec.Site.OpsPort = m.Spec.Site.DatabasePort }),
		Entry("a route to nobody", "every route's supplier must be one of spec.suppliers", func(m *api.MessagingService) { m.Spec.Routes[0].Supplier = "nobody" }),
		Entry("two routes of one interaction", "Duplicate value", func(m *api.MessagingService) {
			m.Spec.Routes = append(m.Spec.Routes, m.Spec.Routes[0])
		}),
		Entry("a push without endpoint", "endpoint is required for delivery Push", func(m *api.MessagingService) { m.Spec.Routes[0].Delivery = api.DeliveryPush }),
		Entry("an inbox with endpoint", "must be left out otherwise", func(m *api.MessagingService) { m.Spec.Routes[0].Endpoint = "https://x.test/" }),
		Entry("an endpoint in clear text", "spec.routes[1].endpoint", func(m *api.MessagingService) { m.Spec.Routes[1].Endpoint = "http://x.test/" }),
		Entry("a reliable route without contract", "reliability is required for the reliable patterns", func(m *api.MessagingService) { m.Spec.Routes[0].Reliability = nil }),
		Entry("an express route with retries", "only the reliable patterns retry", func(m *api.MessagingService) { m.Spec.Routes[0].Pattern = api.PatternAsyncExpress }),
		Entry("retries without pause", "retryInterval must be at least 1s", func(m *api.MessagingService) { m.Spec.Routes[0].Reliability.RetryInterval = seconds(0) }),
		Entry("a retry after a week", "retryInterval must be between 0s and 24h", func(m *api.MessagingService) {
			m.Spec.Routes[0].Reliability.RetryInterval = seconds(7 * 24 * 3600)
		}),
		Entry("a timeout of an hour", "timeout must be between 1s and 2m", func(m *api.MessagingService) { m.Spec.Routes[0].Timeout = seconds(3600) }),
		Entry("one gateway", "spec.gateway.replicas", func(m *api.MessagingService) { m.Spec.Gateway.Replicas = 1 }),
		Entry("two database instances", "spec.database.instances", func(m *api.MessagingService) { m.Spec.Database.Instances = 2 }),
		Entry("four brokers", "replicas must be odd", func(m *api.MessagingService) { m.Spec.Broker.Replicas = 4 }),
		Entry("a database image without version", "must have a tag that begins with PostgreSQL's major version", func(m *api.MessagingService) {
			m.Spec.Database.Image = common.Image(strings.Replace(string(m.Spec.Database.Image), ":17@", "@", 1))
		}),
		Entry("durability by parameter", "decide what can be lost", func(m *api.MessagingService) {
			m.Spec.Database.Parameters = map[string]common.ParameterValue{"fsync": "off"}
		}),
		Entry("backups in clear text", "spec.database.backup.endpoint", archived, func(m *api.MessagingService) { m.Spec.Database.Backup.Endpoint = "http://objects.test" }),
		Entry("backups kept for no time", "spec.database.backup.retentionDays", archived, func(m *api.MessagingService) { m.Spec.Database.Backup.RetentionDays = 366 }),
		Entry("backups to nowhere", "spec.database.backup.networks", archived, func(m *api.MessagingService) { m.Spec.Database.Backup.Networks = nil }),
		Entry("backups of a database that somebody else runs", "for a database that the operator makes", operatortest.Elsewhere, archived),
		Entry("no memory", "memory must be between 16Mi and 2Ti", func(m *api.MessagingService) { m.Spec.Broker.Resources.Memory = resource.MustParse("1Mi") }),
		Entry("no disk", "size must be between 256Mi and 64Ti", func(m *api.MessagingService) { m.Spec.Broker.Storage.Size = resource.MustParse("1Mi") }),
		Entry("one port twice", "meshPort and bulkPort must differ", func(m *api.MessagingService) { m.Spec.Exposure.MeshPort, m.Spec.Exposure.BulkPort = 9000, 9000 }),
		Entry("a message smaller than a request", "maxMessageBytes must be at least maxRequestBytes", func(m *api.MessagingService) { m.Spec.Gateway.Limits.MaxMessageBytes = 2048 }),
		Entry("less memory than two requests", "inFlightBytes must be at least twice", func(m *api.MessagingService) { m.Spec.Gateway.Limits.InFlightBytes = 1 << 20 }),
		Entry("a deletion before the report", "deleteAfter must be longer than undeliveredAfter", func(m *api.MessagingService) {
			m.Spec.Retention = api.Retention{UndeliveredAfter: seconds(48 * 3600), DeleteAfter: seconds(25 * 3600)}
		}),
		Entry("a hot probe", "interval must be between 5s and 10m", func(m *api.MessagingService) { m.Spec.Probe.Interval = seconds(1) }),
		Entry("a name too long", "the name has at most 40 characters", func(m *api.MessagingService) {
			m.Name = "a-name-that-is-longer-than-forty-characters"
		}),
	)

	It("fills in what is left out", func(ctx SpecContext) {
		m := operatortest.Messaging("defaults")
		Expect(cluster.Client.Create(ctx, m)).To(Succeed())
		Expect(m.Spec.Site).To(BeNil())
		Expect(m.Spec.Acknowledge).To(Equal(common.AcknowledgeSite))
		Expect(m.Spec.Gateway.Replicas).To(BeEquivalentTo(2))
		Expect(m.Spec.Gateway.Limits.MaxRequestBytes).To(BeEquivalentTo(5_000_000))
		Expect(m.Spec.Database.Members()).To(BeEquivalentTo(3))
		Expect(m.Spec.Exposure.MeshPort).To(BeEquivalentTo(8443))
		Expect(m.Spec.Exposure.LoadBalancerClass).To(Equal(common.EdgeLoadBalancerClass))
		Expect(m.Spec.Probe.Interval).To(Equal(seconds(15)))
		Expect(m.Spec.Retention.DeleteAfter).To(Equal(seconds(720 * 3600)))
		Expect(m.Spec.Topology.RackKey).To(Equal("topology.kubernetes.io/zone"))
		Expect(m.Spec.Issuers.Clients).To(Equal("spine-clients"))
		Expect(m.Spec.Routes[0].Delivery).To(Equal(api.DeliveryInbox))
		Expect(m.Spec.Routes[0].Traffic).To(Equal(api.TrafficOpen))
	})
})
