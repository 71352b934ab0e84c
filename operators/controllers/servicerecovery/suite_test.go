// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"context"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spine.nhs.uk/controlplane/operators/kit/lease"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

func TestServiceRecovery(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "ServiceRecovery")
}

var (
	cluster *operatortest.Cluster
	// manager has the rights of the manager and no more.
	manager client.Client
)

// responders and auditors are the groups that the roles for people are given to here.
const (
	responders = "responders"
	auditors   = "auditors"
)

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	cluster, err = operatortest.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Stop)
	manager, err = cluster.Manager()
	Expect(err).NotTo(HaveOccurred())
	for _, namespace := range []string{"spine-system", "spine-messaging", "spine-booking"} {
		Expect(cluster.Client.Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "responders"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "spine-responder"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "Group", Name: responders}},
		})).To(Succeed())
	}
	Expect(cluster.Client.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "auditors"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "spine-auditor"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "Group", Name: auditors}},
	})).To(Succeed())
})

// as is a client of somebody, with the rights of a responder.
func as(user string) client.Client { return inGroup(user, responders) }

func inGroup(user, group string) client.Client {
	GinkgoHelper()
	config := rest.CopyConfig(cluster.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{group, "system:authenticated"}}
	c, err := client.New(config, client.Options{Scheme: operatortest.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return c
}

// forget takes away a lease that all specs share: some leave an operation in the middle, or
// one that rests until a time of their own clock.
func forget(ctx context.Context, name string) {
	GinkgoHelper()
	key := lease.Key(name, "")
	held := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	Expect(client.IgnoreNotFound(cluster.Client.Delete(ctx, held))).To(Succeed())
}
