// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package main

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

// Where somebody else runs the engines, their operators' kinds may be missing: the manager works
// without them, and ends, to begin again with them, when one has come. A process has one
// manager, as names of controllers are unique in it: this one has a process of its own.
func TestManagerWithoutEngines(t *testing.T) {
	const own = "SPINE_TEST_MANAGER_WITHOUT_ENGINES"
	if os.Getenv(own) == "" {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		command.Env = append(os.Environ(), own+"=1")
		if text, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return
	}
	g := NewWithT(t)
	cluster, err := operatortest.Start()
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(cluster.Stop()).To(Succeed()) })
	clusters := drop(t, cluster, "clusters.postgresql.cnpg.io")
	drop(t, cluster, "rabbitmqclusters.rabbitmq.com")
	g.Eventually(func(g Gomega) {
		_, absent, err := engines(cluster.ManagerConfig())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(absent.kinds).To(HaveLen(2))
	}, 60*time.Second, 200*time.Millisecond).Should(Succeed())

	ctrl.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(t.Output(), nil)))
	o := defaults()
	o.edgeAddress, o.tlsDir = "10.90.0.101", certificates(t)
	o.metricsAddress, o.healthAddress = loopback(t), loopback(t)
	o.operationsConfig = filepath.Join(t.TempDir(), "operations.yaml")
	o.leaderElection = false
	g.Expect(os.WriteFile(o.operationsConfig, []byte("{}"), 0o600)).To(Succeed())
	m, err := newManager(cluster.ManagerConfig(), o)
	g.Expect(err).NotTo(HaveOccurred())
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- m.Start(ctx) }()

	away, made := operatortest.Messaging("away", operatortest.Elsewhere), operatortest.Messaging("made")
	g.Expect(cluster.Client.Create(ctx, away)).To(Succeed())
	g.Expect(cluster.Client.Create(ctx, made)).To(Succeed())
	g.Eventually(func(g Gomega) {
		g.Expect(cluster.Client.Get(ctx, client.ObjectKeyFromObject(away), away)).To(Succeed())
		c := meta.FindStatusCondition(away.Status.Conditions, common.ConditionStalled)
		g.Expect(c).NotTo(BeNil())
		g.Expect(c.Reason).To(Equal(common.ReasonNotStalled), c.Message)
		g.Expect(away.Status.Gateway.CurrentImage).NotTo(BeEmpty())
		g.Expect(cluster.Client.Get(ctx, client.ObjectKeyFromObject(made), made)).To(Succeed())
		c = meta.FindStatusCondition(made.Status.Conditions, common.ConditionStalled)
		g.Expect(c).NotTo(BeNil())
		g.Expect(c.Reason).To(Equal(common.ReasonEngineMissing), c.Message)
	}, 60*time.Second, 200*time.Millisecond).Should(Succeed())

	g.Expect(cluster.Client.Create(ctx, clusters)).To(Succeed())
	g.Eventually(ended, 2*newcomerPace).Should(Receive(MatchError(ContainSubstring("the cluster has learnt the kind Cluster"))))
}

// drop takes a definition away and returns it.
func drop(t *testing.T, cluster *operatortest.Cluster, name string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	if err := cluster.Client.Get(t.Context(), client.ObjectKey{Name: name}, u); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Client.Delete(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	u.SetResourceVersion("")
	u.SetUID("")
	unstructured.RemoveNestedField(u.Object, "status")
	return u
}
