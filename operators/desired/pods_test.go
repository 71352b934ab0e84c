// SPDX-License-Identifier: Apache-2.0

// Package desired_test holds what must be true of everything that the builders make
// together: no privilege, no opening that nobody knows of, no right that is not used.
package desired_test

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/desired/restore"
	"spine.nhs.uk/controlplane/operators/manifests"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

func bookingService() *bookingapi.BookingService {
	b := &bookingapi.BookingService{ObjectMeta: metav1.ObjectMeta{Name: "ers", Namespace: "spine-booking"}}
	resources := common.Resources{CPU: resource.MustParse("100m"), Memory: resource.MustParse("256Mi")}
	b.Spec.Service = common.WorkloadSpec{Image: operatortest.Image("booking-service", '1'), Replicas: 2, Resources: resources}
	b.Spec.Database = common.DatabaseSpec{Image: operatortest.Image("postgresql", '1'), Instances: 3, Resources: resources}
	b.Spec.Gateway = bookingapi.GatewayReference{Name: "spine", Namespace: "spine-messaging", BulkPort: 8444}
	b.Spec.ProviderAccess = bookingapi.ProviderAccess{Networks: []bookingapi.Network{"10.20.0.0/16"}, Port: 443, CAConfigMap: "ca"}
	b.Spec.Database.Backup = &common.DatabaseBackup{
		Endpoint: "https://objects.test:9000", Bucket: "spine", Secret: common.LocalSecret{Name: "object-store"}, Networks: []common.SiteNetwork{"10.30.0.0/16"}, RetentionDays: 30,
	}
	return b
}

func messagingService() *messagingapi.MessagingService { return operatortest.Messaging("spine") }

// manager returns the objects of a kind in the manager's deployment.yaml.
func manager[T any](t *testing.T, kind string) []T {
	t.Helper()
	raw, err := manifests.FS.ReadFile("deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	for doc := range strings.SplitSeq(string(raw), "\n---\n") {
		var is metav1.TypeMeta
		if err := yaml.Unmarshal([]byte(doc), &is); err != nil {
			t.Fatal(err)
		}
		if is.Kind != kind {
			continue
		}
		var object T
		if err := yaml.UnmarshalStrict([]byte(doc), &object); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		out = append(out, object)
	}
	if len(out) == 0 {
		t.Fatalf("deployment.yaml has no %s", kind)
	}
	return out
}

func templates(t *testing.T) map[string]corev1.PodTemplateSpec {
	return map[string]corev1.PodTemplateSpec{
		"booking service":                     booking.Deployment(bookingService(), "r/booking-service:1").Spec.Template,
		"message gateway":                     messaging.GatewayDeployment(messagingService(), "r/message-gateway:1").Spec.Template,
		"booking service, database elsewhere": booking.Deployment(bookingElsewhere(), "r/booking-service:1").Spec.Template,
		"message gateway, engines elsewhere":  messaging.GatewayDeployment(operatortest.Messaging("spine", operatortest.Elsewhere), "r/message-gateway:1").Spec.Template,
		"restorer":                            copies()["messaging"].Job("r/message-gateway:1", restore.CarryOver).Spec.Template,
		"restorer of bookings":                copies()["booking"].Job("r/booking-service:1", restore.CarryOver).Spec.Template,
		"comparer":                            comparisons()["messaging"].Job("r/message-gateway:1").Spec.Template,
		"comparer of bookings":                comparisons()["booking"].Job("r/booking-service:1").Spec.Template,
		"manager":                             manager[appsv1.Deployment](t, "Deployment")[0].Spec.Template,
	}
}

// The namespaces enforce the restricted standard: what breaks it would never start.
func TestPodsAreRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		t.Fatal(err)
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for name, p := range templates(t) {
		for _, result := range evaluator.EvaluatePod(level, &p.ObjectMeta, &p.Spec) {
			if !result.Allowed {
				t.Errorf("%s: %s: %s", name, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
	}
}

// Beyond the standard: what it leaves open and we do not need.
func TestPodsHaveNothingToSpare(t *testing.T) {
	for name, p := range templates(t) {
		if token := p.Spec.AutomountServiceAccountToken; name != "manager" && (token == nil || *token) {
			t.Errorf("%s: holds a token of the API server that it never uses", name)
		}
		if links := p.Spec.EnableServiceLinks; links == nil || *links {
			t.Errorf("%s: the environment names every Service of the namespace", name)
		}
		if p.Spec.TerminationGracePeriodSeconds == nil {
			t.Errorf("%s: nobody chose how long it may take to stop", name)
		}
		for _, c := range p.Spec.Containers {
			if s := c.SecurityContext; s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
				t.Errorf("%s: the root file system can be written", name)
			}
			if c.Resources.Limits.Memory().IsZero() || !c.Resources.Limits.Memory().Equal(*c.Resources.Requests.Memory()) {
				t.Errorf("%s: memory is not set aside: %+v", name, c.Resources)
			}
			// One that ends by itself serves nobody.
			if p.Spec.RestartPolicy != corev1.RestartPolicyNever && (c.LivenessProbe == nil || c.ReadinessProbe == nil) {
				t.Errorf("%s: nobody asks whether it lives and is ready", name)
			}
			for _, e := range c.Env {
				if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
					t.Errorf("%s: %s brings a secret into the environment, where it outlives its change", name, e.Name)
				}
			}
		}
		for _, v := range p.Spec.Volumes {
			if v.HostPath != nil || v.EmptyDir != nil {
				t.Errorf("%s: volume %s", name, v.Name)
			}
		}
	}
}

func policies(t *testing.T) []*networkingv1.NetworkPolicy {
	out := append(booking.NetworkPolicies(bookingService()), messaging.NetworkPolicies(messagingService())...)
	for _, c := range copies() {
		out = append(out, c.NetworkPolicies()...)
	}
	for _, c := range comparisons() {
		out = append(out, c.NetworkPolicies()...)
	}
	for _, p := range manager[networkingv1.NetworkPolicy](t, "NetworkPolicy") {
		out = append(out, &p)
	}
	return out
}
