// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messaging "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

var certificateKind = schema.GroupVersionKind{Group: "cert-manager.io", Version: "v1", Kind: "Certificate"}

// primaries are the two services' databases' primaries, by CloudNativePG's label.
func primaries(ctx context.Context) []corev1.Pod {
	GinkgoHelper()
	var found []corev1.Pod
	for _, namespace := range []string{messagingKey.Namespace, bookingKey.Namespace} {
		pods := podsOf(ctx, namespace, client.MatchingLabels{"cnpg.io/instanceRole": "primary"})
		Expect(pods).To(HaveLen(1), "primaries in "+namespace)
		found = append(found, pods[0])
	}
	return found
}

func podsOf(ctx context.Context, namespace string, labels client.MatchingLabels) []corev1.Pod {
	GinkgoHelper()
	pods := &corev1.PodList{}
	Expect(objects.List(ctx, pods, client.InNamespace(namespace), labels)).To(Succeed())
	return pods.Items
}

func deletePrimaries(ctx context.Context) {
	for _, p := range primaries(ctx) {
		Expect(objects.Delete(ctx, &p)).To(Succeed())
	}
}

// deletePrograms deletes one pod of each of our own programs.
func deletePrograms(ctx context.Context) {
	for _, d := range []struct{ namespace, name string }{{"spine-messaging", "spine-gateway"}, {"spine-booking", "ers-service"}} {
		pods := programPods(ctx, d.namespace, d.name)
		Expect(pods).NotTo(BeEmpty())
		Expect(objects.Delete(ctx, &pods[0])).To(Succeed())
	}
}

// programPods are the pods of a Deployment, found by its name as their prefix.
func programPods(ctx context.Context, namespace, deployment string) []corev1.Pod {
	GinkgoHelper()
	var found []corev1.Pod
	for _, p := range podsOf(ctx, namespace, nil) {
		if strings.HasPrefix(p.Name, deployment+"-") {
			found = append(found, p)
		}
	}
	return found
}

// queue is one of the broker's, with the node that leads it and all that have a replica of it, by their pods.
type queue struct {
	Name, Leader string
	Members      []string
}

func queues(ctx context.Context, g Gomega) []queue {
	out, err := rack.Run(ctx, "kubectl", "-n", messagingKey.Namespace, "exec", "spine-broker-server-0", "-c", "rabbitmq", "--",
		"rabbitmqctl", "-q", "--formatter", "json", "list_queues", "name", "leader", "members")
	g.Expect(err).NotTo(HaveOccurred(), out)
	var found []queue
	g.Expect(json.Unmarshal([]byte(out), &found)).To(Succeed(), out)
	// A node reads rabbit@spine-broker-server-1.spine-broker-nodes.spine-messaging.
	pod := func(node string) string {
		_, host, _ := strings.Cut(node, "@")
		name, _, _ := strings.Cut(host, ".")
		return name
	}
	for i, q := range found {
		found[i].Leader = pod(q.Leader)
		for j, m := range q.Members {
			found[i].Members[j] = pod(m)
		}
	}
	return found
}

// leadingBroker is the RabbitMQ node that leads most queues.
func leadingBroker(ctx context.Context) *corev1.Pod {
	GinkgoHelper()
	leads := map[string]int{}
	most := ""
	for _, q := range queues(ctx, Default) {
		if leads[q.Leader]++; leads[q.Leader] > leads[most] {
			most = q.Leader
		}
	}
	Expect(most).NotTo(BeEmpty(), "no queue has a leader")
	pod := &corev1.Pod{}
	Expect(objects.Get(ctx, client.ObjectKey{Namespace: messagingKey.Namespace, Name: most}, pod)).To(Succeed())
	AddReportEntry("struck", fmt.Sprintf("%s, leader of %d queues, on host %s", most, leads[most], pod.Spec.NodeName))
	return pod
}

// killLeadingBroker kills it, as a crash would.
func killLeadingBroker(ctx context.Context) {
	// No two brokers share a host.
	_, err := rack.SSH(ctx, leadingBroker(ctx).Spec.NodeName, "pkill -9 -x beam.smp")
	Expect(err).NotTo(HaveOccurred())
}

// loseBrokerVolume takes its volume away, as a host does that is replaced: the others have it for a member that it no
// longer knows to be. It is let in again, and when it is ready, every queue has a replica with it again.
func loseBrokerVolume(ctx context.Context) {
	pod := leadingBroker(ctx)
	volume := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: "persistence-" + pod.Name}}
	Expect(objects.Delete(ctx, volume)).To(Succeed())
	Expect(objects.Delete(ctx, pod, client.GracePeriodSeconds(1))).To(Succeed())
	Eventually(func(g Gomega) {
		successor := &corev1.Pod{}
		g.Expect(objects.Get(ctx, client.ObjectKeyFromObject(pod), successor)).To(Succeed())
		g.Expect(successor.UID).NotTo(Equal(pod.UID))
		g.Expect(successor.Status.Conditions).To(ContainElement(And(HaveField("Type", corev1.PodReady), HaveField("Status", corev1.ConditionTrue))))
	}).WithContext(ctx).WithTimeout(8 * time.Minute).Should(Succeed())
	replicated(ctx)
}

// replicated says that every queue has a replica with each member.
func replicated(ctx context.Context) {
	GinkgoHelper()
	all := queues(ctx, Default)
	Expect(all).NotTo(BeEmpty())
	for _, q := range all {
		Expect(q.Members).To(HaveLen(3), q.Name)
	}
}

// cutPrimaryHost cuts the power of the host of the ledger's primary, and gives it back after half a minute.
func cutPrimaryHost(ctx context.Context) {
	host := primaries(ctx)[0].Spec.NodeName
	AddReportEntry("power cut", "host "+host)
	Expect(rack.PowerOff(ctx, host)).To(Succeed())
	back := time.NewTimer(30 * time.Second)
	defer back.Stop()
	select {
	case <-ctx.Done():
	case <-back.C:
	}
	Expect(rack.PowerOn(ctx, host)).To(Succeed())
}

// renewCertificates asks cert-manager for new certificates, as it does by itself before they expire, and waits for them.
func renewCertificates(ctx context.Context) {
	before := map[client.ObjectKey]int64{}
	for _, namespace := range []string{messagingKey.Namespace, bookingKey.Namespace} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(certificateKind)
		Expect(objects.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
		for _, c := range list.Items {
			before[client.ObjectKeyFromObject(&c)], _, _ = unstructured.NestedInt64(c.Object, "status", "revision")
			conditions, _, _ := unstructured.NestedSlice(c.Object, "status", "conditions")
			conditions = append(conditions, map[string]any{
				"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "message": "renewed by the end-to-end suite",
				"lastTransitionTime": time.Now().UTC().Format(time.RFC3339), "observedGeneration": c.GetGeneration(),
			})
			Expect(unstructured.SetNestedSlice(c.Object, conditions, "status", "conditions")).To(Succeed())
			Expect(objects.Status().Update(ctx, &c)).To(Succeed())
		}
	}
	Expect(before).NotTo(BeEmpty(), "certificates found")
	Eventually(func(g Gomega) {
		for key, revision := range before {
			c := &unstructured.Unstructured{}
			c.SetGroupVersionKind(certificateKind)
			g.Expect(objects.Get(ctx, key, c)).To(Succeed())
			now, _, _ := unstructured.NestedInt64(c.Object, "status", "revision")
			g.Expect(now).To(BeNumerically(">", revision), key.String())
		}
	}).WithContext(ctx).WithTimeout(time.Minute).Should(Succeed())
}

// wipeBroker deletes the broker with its volumes: the operator makes a new one, and the gateways fill it from the ledger.
func wipeBroker(ctx context.Context) {
	broker := &unstructured.Unstructured{}
	broker.SetGroupVersionKind(schema.GroupVersionKind{Group: "rabbitmq.com", Version: "v1beta1", Kind: "RabbitmqCluster"})
	broker.SetNamespace(messagingKey.Namespace)
	broker.SetName("spine-broker")
	Expect(objects.Delete(ctx, broker)).To(Succeed())
	Expect(objects.DeleteAllOf(ctx, &corev1.PersistentVolumeClaim{}, client.InNamespace(messagingKey.Namespace),
		client.MatchingLabels{"app.kubernetes.io/name": "spine-broker"})).To(Succeed())
}

// rollEverything does what the README says to push the same programs as new images, of other digests, and roll them out.
func rollEverything(ctx context.Context) {
	before := images(ctx)
	commands := servicesCommands()
	typed(ctx, commands[rollsFrom(commands):])
	after := images(ctx)
	for name, image := range before {
		Expect(after[name]).NotTo(Equal(image), name+" was not changed")
	}
}

// images are what the two services ask for.
func images(ctx context.Context) map[string]string {
	GinkgoHelper()
	m, b := &messaging.MessagingService{}, &booking.BookingService{}
	Expect(objects.Get(ctx, messagingKey, m)).To(Succeed())
	Expect(objects.Get(ctx, bookingKey, b)).To(Succeed())
	return map[string]string{
		"gateway": string(m.Spec.Gateway.Image), "ledger": string(m.Spec.Database.Image), "broker": string(m.Spec.Broker.Image),
		"booking service": string(b.Spec.Service.Image), "booking database": string(b.Spec.Database.Image),
	}
}

// refusedDeletion leaves acknowledged messages uncollected, asks for the service to be deleted, and collects them.
func refusedDeletion(ctx context.Context) {
	edge, err := rack.Address(101)
	Expect(err).NotTo(HaveOccurred())
	record := GinkgoT().TempDir()
	m := &messaging.MessagingService{}
	unsettled := func(g Gomega) int64 {
		g.Expect(objects.Get(ctx, messagingKey, m)).To(Succeed())
		g.Expect(m.Status.Backlog).NotTo(BeNil())
		return m.Status.Backlog.Unsettled
	}
	before := unsettled(NewWithT(GinkgoT())) // booking's events, which no system here collects
	flags := []string{"--url", "https://" + edge + ":8444", "--clients", filepath.Join(rack.Home, "clients")}
	_, err = rack.Run(ctx, "load", append([]string{"messages", "--rate", "10", "--duration", "2s", "--receivers", "0", "--record", record}, flags...)...)
	Expect(err).NotTo(HaveOccurred())

	Eventually(unsettled).WithContext(ctx).WithTimeout(time.Minute).Should(BeNumerically(">", before))
	Expect(objects.Delete(ctx, m)).To(MatchError(And(ContainSubstring("acknowledged"), ContainSubstring(common.ForceDeleteAnnotation))))
	Expect(objects.Get(ctx, messagingKey, m)).To(Succeed())
	Expect(m.DeletionTimestamp).To(BeNil())

	_, err = rack.Run(ctx, "load", append([]string{"receive", "--receivers", "1", "--duration", "5s", "--record", record}, flags...)...)
	Expect(err).NotTo(HaveOccurred())
	Eventually(unsettled).WithContext(ctx).WithTimeout(time.Minute).Should(BeNumerically("<=", before))
}
