// SPDX-License-Identifier: Apache-2.0

package messaging_test

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

func TestGatewaysReadWhatIsWritten(t *testing.T) {
	for _, closing := range []bool{false, true} {
		m := operatortest.Messaging("spine")
		files, err := messaging.GatewayFiles(m, closing)
		if err != nil {
			t.Fatal(err)
		}
		config, err := api.DecodeGatewayConfig([]byte(files.Data["gateway.yaml"]))
		if err != nil {
			t.Fatal(err)
		}
		if config.Service != "spine-messaging/spine" || len(config.Routes) != 2 || len(config.Suppliers) != 2 {
			t.Errorf("got %+v", config)
		}
		for _, r := range config.Routes {
			if (r.Traffic == api.TrafficStopped) != closing {
				t.Errorf("closing %v: route %s is %s", closing, r.Interaction, r.Traffic)
			}
		}
		if m.Spec.Routes[0].Traffic == api.TrafficStopped {
			t.Error("closing changed the resource itself")
		}
	}
}

func TestAChangeNeverTakesAGatewayFirst(t *testing.T) {
	m := operatortest.Messaging("spine")
	m.Spec.Gateway.Replicas = 2
	d := messaging.GatewayDeployment(m, "image")
	if u := d.Spec.Strategy.RollingUpdate; u.MaxUnavailable.IntValue() != 0 || u.MaxSurge.IntValue() != 1 {
		t.Errorf("strategy is %+v", u)
	}
	pod := d.Spec.Template.Spec
	drain := int64(130)
	if lead := pod.Containers[0].Lifecycle.PreStop.Sleep.Seconds; *pod.TerminationGracePeriodSeconds < drain+lead {
		t.Errorf("%d s are not enough to leave (%d s) and drain (%d s)", *pod.TerminationGracePeriodSeconds, lead, drain)
	}
	for key, value := range d.Spec.Selector.MatchLabels {
		if d.Spec.Template.Labels[key] != value {
			t.Errorf("the selector does not match its pods: %s", key)
		}
	}
	for _, s := range []*corev1.Service{messaging.ClientService(m), messaging.OpsService(m)} {
		for _, p := range s.Spec.Ports {
			if !slices.ContainsFunc(pod.Containers[0].Ports, func(c corev1.ContainerPort) bool { return c.Name == p.TargetPort.StrVal }) {
				t.Errorf("Service %s leads to port %s, which the pod does not have", s.Name, p.TargetPort.StrVal)
			}
		}
	}
	for _, p := range messaging.ClientService(m).Spec.Ports {
		if p.Name == "ops" {
			t.Error("the operations port faces clients")
		}
	}
}

func TestEndpointsAreReachable(t *testing.T) {
	m := operatortest.Messaging("spine")
	m.Spec.Routes = []api.Route{
		{Endpoint: "https://a.test/x"}, {Endpoint: "https://b.test:9443"}, {Endpoint: "https://c.test:9443/y"},
		{Endpoint: "https://d.test:99999"}, {},
	}
	var ports []int
	for _, p := range messaging.NetworkPolicies(m) {
		if p.Name != messaging.GatewayName(m) {
			continue
		}
		for _, rule := range p.Spec.Egress {
			if len(rule.To) == 0 {
				for _, port := range rule.Ports {
					ports = append(ports, port.Port.IntValue())
				}
			}
		}
	}
	if !slices.Equal(ports, []int{443, 9443}) {
		t.Errorf("egress to anywhere on %v, want 443 and 9443", ports)
	}
}

func TestEverythingIsDeniedFirst(t *testing.T) {
	deny := messaging.NetworkPolicies(operatortest.Messaging("spine"))[0]
	both := []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
	if len(deny.Spec.PodSelector.MatchLabels) != 0 || len(deny.Spec.Ingress)+len(deny.Spec.Egress) != 0 || !slices.Equal(deny.Spec.PolicyTypes, both) {
		t.Errorf("the first policy denies not everything: %+v", deny.Spec)
	}
}

// TestNodesOpenWhatIsAskedFor: the MESH API only, and where a balancer needs it.
func TestNodesOpenWhatIsAskedFor(t *testing.T) {
	m := operatortest.Messaging("spine")
	for _, want := range []int32{0, 30443} {
		m.Spec.Exposure.NodePort = want
		ports := messaging.ClientService(m).Spec.Ports
		if ports[0].Name != "mesh" || ports[0].NodePort != want || ports[1].NodePort != 0 {
			t.Errorf("of %d, nodes open %+v", want, ports)
		}
	}
}

func TestCertificatesCoverEveryName(t *testing.T) {
	m := operatortest.Messaging("spine")
	m.Spec.Exposure.HostNames = append(m.Spec.Exposure.HostNames, "spine.example.nhs.uk")
	names := map[string][]string{}
	for _, c := range messaging.Certificates(m, []string{"10.90.0.101"}) {
		dns, _, _ := unstructured.NestedStringSlice(c.Object, "spec", "dnsNames")
		ips, _, _ := unstructured.NestedStringSlice(c.Object, "spec", "ipAddresses")
		names[c.GetName()] = append(dns, ips...)
	}
	for secret, want := range map[string][]string{
		"spine-gateway-tls": {"spine-gateway.spine-messaging.svc", messaging.OpsServerName(m), "spine.example.nhs.uk", "10.90.0.101"},
		"spine-broker-tls":  {"spine-broker.spine-messaging.svc", "*.spine-broker-nodes.spine-messaging"},
	} {
		for _, name := range want {
			if !slices.Contains(names[secret], name) {
				t.Errorf("%s lacks %s: %v", secret, name, names[secret])
			}
		}
	}
}

func TestBrokerFitsItsNode(t *testing.T) {
	for memory, wal := range map[string]string{"256Mi": "16777216", "1Gi": "67108864", "64Gi": "268435456"} {
		m := operatortest.Messaging("spine")
		m.Spec.Broker.Resources.Memory.Set(mustParse(memory))
		config, _, _ := unstructured.NestedString(messaging.BrokerCluster(m).Object, "spec", "rabbitmq", "additionalConfig")
		if !strings.Contains(config, "raft.wal_max_size_bytes = "+wal+"\n") {
			t.Errorf("%s of memory: %s", memory, config)
		}
	}
}
