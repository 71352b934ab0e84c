// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// sample is what the API server makes of a small resource.
func sample() *booking.BookingService {
	b := &booking.BookingService{ObjectMeta: metav1.ObjectMeta{Name: "ers", Namespace: "spine-booking"}}
	b.Spec.Service = common.WorkloadSpec{Image: "r/booking-service:1", Replicas: 2, Resources: quantities("200m", "256Mi")}
	b.Spec.Database = common.DatabaseSpec{Image: "r/postgresql:17", Instances: 3, Resources: quantities("500m", "1Gi")}
	b.Spec.Database.Storage.Size = resource.MustParse("20Gi")
	b.Spec.Gateway = booking.GatewayReference{Name: "spine", Namespace: "spine-messaging", BulkPort: 9444}
	b.Spec.Tokens = booking.TokensSpec{KeysConfigMap: "keys", Issuer: "https://login", Audience: "ers"}
	b.Spec.Exposure = booking.Exposure{Exposure: common.Exposure{LoadBalancerClass: "spine.nhs.uk/edge"}, Port: 9445}
	b.Spec.Topology = common.Topology{HostKey: "host", RackKey: "rack"}
	b.Spec.Issuers = common.Issuers{Platform: "spine-ca", Clients: "spine-clients"}
	b.Spec.ProviderAccess.Port = 443
	b.Spec.Settings.Default()
	return b
}

func quantities(cpu, memory string) common.Resources {
	return common.Resources{CPU: resource.MustParse(cpu), Memory: resource.MustParse(memory)}
}

func TestConfigIsWhatTheProgramReads(t *testing.T) {
	b := sample()
	b.Spec.ProviderAccess.CAConfigMap = "ca"
	b.Spec.Title = "Bookings: \"all\"\nof them"
	m, err := Config(b, booking.IntakeClosed)
	if err != nil {
		t.Fatal(err)
	}
	c, err := booking.ParseServiceConfig([]byte(m.Data["booking.yaml"]))
	if err != nil {
		t.Fatal(err)
	}
	if c.Settings != b.Spec.Settings {
		t.Errorf("settings: got %+v, want %+v", c.Settings, b.Spec.Settings)
	}
	if c.Intake != booking.IntakeClosed || c.Tokens.JWKSFile != "/etc/spine/tokens/jwks.json" || c.ProviderCAFile != "/etc/spine/providers/ca.crt" {
		t.Errorf("got %+v", c)
	}
}

func TestConfigThatTheProgramWouldRefuse(t *testing.T) {
	b := sample()
	b.Spec.TimeZone = "Europe/Atlantis"
	if _, err := Config(b, booking.IntakeOpen); err == nil || !strings.Contains(err.Error(), "timeZone") {
		t.Errorf("got %v", err)
	}
}

// Every file that the program is told of is mounted, from a key that is projected.
func TestFilesOfArguments(t *testing.T) {
	for _, ca := range []string{"", "providers-ca"} {
		b := sample()
		b.Spec.ProviderAccess.CAConfigMap = ca
		pod := Deployment(b, "r/booking-service:1").Spec.Template.Spec
		files := map[string]bool{}
		for _, m := range pod.Containers[0].VolumeMounts {
			i := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
			if i < 0 {
				t.Fatalf("mount %s has no volume", m.Name)
			}
			if !m.ReadOnly {
				t.Errorf("mount %s can be written", m.Name)
			}
			for _, source := range pod.Volumes[i].Projected.Sources {
				for _, k := range keys(source) {
					files[m.MountPath+"/"+k] = true
				}
			}
		}
		want := []string{"/etc/spine/config/booking.yaml", "/etc/spine/tokens/jwks.json"}
		for _, k := range []string{"username", "password", "host", "port", "dbname", "ca.crt"} {
			want = append(want, "/etc/spine/database/"+k)
		}
		for _, d := range []string{"tls", "gateway-client"} {
			want = append(want, "/etc/spine/"+d+"/tls.crt", "/etc/spine/"+d+"/tls.key", "/etc/spine/"+d+"/ca.crt")
		}
		if ca != "" {
			want = append(want, "/etc/spine/providers/ca.crt")
		}
		for _, f := range want {
			if !files[f] {
				t.Errorf("providers' authority %q: %s is not mounted", ca, f)
			}
			delete(files, f)
		}
		for f := range files {
			t.Errorf("providers' authority %q: %s is mounted for nobody", ca, f)
		}
	}
}

func keys(v corev1.VolumeProjection) []string {
	var items []corev1.KeyToPath
	switch {
	case v.Secret != nil:
		items = v.Secret.Items
	case v.ConfigMap != nil:
		items = v.ConfigMap.Items
	}
	var out []string
	for _, i := range items {
		out = append(out, i.Path)
	}
	return out
}

func TestDeployment(t *testing.T) {
	d := Deployment(sample(), "r/booking-service:2")
	c := d.Spec.Template.Spec.Containers[0]
	if c.Image != "r/booking-service:2" {
		t.Errorf("image %s: the one given must win over the one specified", c.Image)
	}
	if !slices.Contains(c.Args, "--gateway-url=https://spine-gateway.spine-messaging.svc:9444") {
		t.Errorf("arguments: %v", c.Args)
	}
	if u := d.Spec.Strategy.RollingUpdate; u.MaxUnavailable.IntValue() != 0 || u.MaxSurge.IntValue() != 1 {
		t.Errorf("strategy: %+v", u)
	}
	grace := *d.Spec.Template.Spec.TerminationGracePeriodSeconds
	if least := c.Lifecycle.PreStop.Sleep.Seconds + 120; grace < least {
		t.Errorf("grace of %d s does not outlast a booking's 120 s after leaving", grace)
	}
	for k, v := range d.Spec.Selector.MatchLabels {
		if d.Spec.Template.Labels[k] != v {
			t.Errorf("the selector's %s=%s is not on the pods", k, v)
		}
	}
}

func TestCertificates(t *testing.T) {
	b := sample()
	b.Spec.Exposure.HostNames = []booking.HostName{"booking.example.org", "10.90.0.101"}
	u := ServerCertificate(b, []string{"10.90.0.101"})
	names, _, _ := unstructured.NestedStringSlice(u.Object, "spec", "dnsNames")
	addresses, _, _ := unstructured.NestedStringSlice(u.Object, "spec", "ipAddresses")
	for _, want := range []string{"ers-service.spine-booking.svc", OpsServerName(b), "booking.example.org"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing in %v", want, names)
		}
	}
	if !slices.Equal(addresses, []string{"10.90.0.101"}) {
		t.Errorf("addresses: %v", addresses)
	}
	cn, _, _ := unstructured.NestedString(GatewayClientCertificate(b).Object, "spec", "commonName")
	if cn != "ERS" {
		t.Errorf("common name %q: the gateway would not know the mailbox", cn)
	}
}

func TestService(t *testing.T) {
	s := Service(sample())
	if p := s.Spec.Ports[0]; p.Port != 9445 || p.TargetPort.StrVal != "api" {
		t.Errorf("port: %+v", p)
	}
	if *s.Spec.AllocateLoadBalancerNodePorts {
		t.Error("a port of every host would be opened besides the edge's")
	}
	asked := sample()
	asked.Spec.Exposure.NodePort = 30445
	if a, b := s.Spec.Ports[0].NodePort, Service(asked).Spec.Ports[0].NodePort; a != 0 || b != 30445 {
		t.Errorf("nodes open %d without being asked, and %d of 30445", a, b)
	}
	if len(Ops(sample()).Spec.Ports) != 1 || Ops(sample()).Spec.Type != corev1.ServiceTypeClusterIP {
		t.Error("the operations port must not be reachable from outside")
	}
}
