// SPDX-License-Identifier: Apache-2.0

package operatortest

import (
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

// Image is a well-formed reference with a digest of one digit repeated.
func Image(name string, digit byte) common.Image {
	digest := make([]byte, 64)
	for i := range digest {
		digest[i] = digit
	}
	return common.Image("registry.test/spine/" + name + ":17@sha256:" + string(digest))
}

// Messaging is a MessagingService that needs nothing but a name; options change it.
func Messaging(name string, options ...func(*api.MessagingService)) *api.MessagingService {
	resources := common.Resources{CPU: resource.MustParse("100m"), Memory: resource.MustParse("256Mi")}
	storage := common.Storage{Size: resource.MustParse("1Gi")}
	m := &api.MessagingService{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "spine-messaging"},
		Spec: api.MessagingServiceSpec{
			Gateway:         api.GatewaySpec{WorkloadSpec: common.WorkloadSpec{Image: Image("message-gateway", '1'), Resources: resources}},
			Database:        common.DatabaseSpec{Image: Image("postgresql", '1'), Storage: storage, Resources: resources},
			Broker:          common.BrokerSpec{Image: Image("rabbitmq", '1'), Storage: storage, Resources: resources},
			MailboxesSecret: common.LocalSecret{Name: "mailboxes"},
			Suppliers:       []api.Supplier{{Name: "load"}, {Name: "pharmacy"}},
			Routes: []api.Route{
				{Interaction: "SPINE_LOAD_TEST", Pattern: api.PatternForwardReliable, Supplier: "load", Reliability: &api.Reliability{
					Retries: 2, RetryInterval: metav1.Duration{Duration: time.Minute},
					PersistDuration: metav1.Duration{Duration: 5 * time.Minute}, DuplicateElimination: api.DuplicateEliminationAlways,
				}, Timeout: metav1.Duration{Duration: 30 * time.Second}},
				{Interaction: "PDS_QUERY", Pattern: api.PatternSync, Supplier: "pharmacy",
					Endpoint: "https://pds.test:9443/query", Timeout: metav1.Duration{Duration: 30 * time.Second}},
			},
		},
	}
	for _, change := range options {
		change(m)
	}
	return m
}

// Site is the eastern one of two, where services begin with the role.
func Site(role common.Role) *common.SiteSpec {
	return &common.SiteSpec{
		Name: "east", Role: role, Networks: []common.SiteNetwork{"10.93.0.0/24"}, DatabasePort: 5433, OpsPort: 9443,
		Peer: common.PeerSpec{Name: "west", Networks: []common.SiteNetwork{"10.94.0.0/24"}, DatabaseHost: "10.94.0.101", DatabasePort: 5433},
	}
}
