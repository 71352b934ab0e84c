// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"encoding/json"
	"io/fs"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/client-go/kubernetes/scheme"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/component/manifests"
	"spine.nhs.uk/controlplane/infra/platform/certmanager"
	"spine.nhs.uk/controlplane/infra/platform/cloudnativepg"
	"spine.nhs.uk/controlplane/infra/platform/manager"
	"spine.nhs.uk/controlplane/infra/platform/rabbitmq"
	"spine.nhs.uk/controlplane/infra/platform/services"
	"spine.nhs.uk/controlplane/infra/tags"
)

// operators stands in for the files of our manager.
var operators = fstest.MapFS{
	"deployment.yaml": {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: spine-system}\n" +
		"data: {image: '{{ .Image }}', edge: '{{ .EdgeAddress }}', hosts: '{{ .HostsDir }} {{ .SSHPort }}', rules: '{{ .OperationsDigest }}', pair: '{{ .PeerKubeconfig }} {{ .WitnessDir }} {{ .TrafficDir }}', place: '{{ .ThirdPlace }}'}\n")},
	"pair/role.yaml": {Data: []byte("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: p, namespace: spine-system}\n")},
	"crds/x.yaml":    {Data: []byte("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: xs.test}\n")},
	"embed.go":       {Data: []byte("package manifests")},
}

func inputs() manifests.Inputs {
	images := component.Images{}
	for _, i := range Images() {
		images[i] = "r:5000/spine/" + i + "@sha256:0"
	}
	return manifests.Inputs{
		Images: images,
		Labels: tags.Tags{Environment: "local", Owner: "platform"}.Labels(),
		Values: values{APIServers: []string{"10.0.0.11/32", "10.0.0.12/32"}, APIPort: 6443},
	}
}

func engineSets(t *testing.T) []manifests.Set {
	t.Helper()
	var all []manifests.Set
	certificates := func(in manifests.Inputs) (manifests.Set, error) { return certmanager.Set(nil, in) }
	for _, build := range []func(manifests.Inputs) (manifests.Set, error){certificates, cloudnativepg.Set, rabbitmq.Set} {
		set, err := build(inputs())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, set)
	}
	return all
}

// typed decodes an object of Kubernetes' own into its type and refuses fields
// that the type does not have; nil for one of another kind.
func typed(t *testing.T, key string, object any) runtime.Object {
	t.Helper()
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	strict := serializer.NewSerializerWithOptions(serializer.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, serializer.SerializerOptions{Strict: true})
	out, _, err := strict.Decode(raw, nil, nil)
	if runtime.IsNotRegisteredError(err) {
		return nil
	}
	if err != nil {
		t.Errorf("%s: %v", key, err)
	}
	return out
}

// TestOperatorsSurviveAHost: two replicas that never share a host, a budget, no
// rights beyond what they need, and only one on its way out at a time.
func TestOperatorsSurviveAHost(t *testing.T) {
	for _, set := range engineSets(t) {
		deployments, budgets := 0, 0
		for key, object := range set.Objects {
			switch o := typed(t, key, object).(type) {
			case *appsv1.Deployment:
				deployments++
				checkDeployment(t, key, o)
			case *policyv1.PodDisruptionBudget:
				budgets++
			}
		}
		if deployments != 1 || budgets != 1 {
			t.Errorf("%s has %d deployments and %d budgets", set.Name, deployments, budgets)
		}
	}
}

func checkDeployment(t *testing.T, key string, d *appsv1.Deployment) {
	t.Helper()
	pod := d.Spec.Template.Spec
	if *d.Spec.Replicas != 2 || d.Spec.Strategy.RollingUpdate.MaxSurge.IntValue() != 0 {
		t.Errorf("%s: want two replicas, replaced in place", key)
	}
	apart := pod.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	if len(apart) != 1 || apart[0].TopologyKey != corev1.LabelHostname || !maps.Equal(apart[0].LabelSelector.MatchLabels, d.Spec.Template.Labels) {
		t.Errorf("%s: two replicas may share a host: %+v", key, apart)
	}
	if !maps.Equal(d.Spec.Selector.MatchLabels, d.Spec.Template.Labels) {
		t.Errorf("%s selects %v, its pods have %v", key, d.Spec.Selector.MatchLabels, d.Spec.Template.Labels)
	}
	if pod.PriorityClassName == "" || !*pod.SecurityContext.RunAsNonRoot || pod.SecurityContext.SeccompProfile == nil {
		t.Errorf("%s: no priority, or not restricted", key)
	}
	for _, c := range pod.Containers {
		s := c.SecurityContext
		if *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) {
			t.Errorf("%s: container %s is not restricted", key, c.Name)
		}
		if c.Resources.Requests.Cpu().IsZero() || c.Resources.Limits.Memory().IsZero() || c.ReadinessProbe == nil || c.LivenessProbe == nil {
			t.Errorf("%s: container %s lacks resources or probes", key, c.Name)
		}
		if !strings.Contains(c.Image, "@sha256:") {
			t.Errorf("%s: image %s has no digest", key, c.Image)
		}
	}
}

// TestNamespacesAreClosed: everything restricted, and nothing in or out but by
// name.
func TestNamespacesAreClosed(t *testing.T) {
	ours, err := manager.Set(operators, managed(switchable()), inputs())
	if err != nil {
		t.Fatal(err)
	}
	// The manager's own policy is among the operators' files; no pods run for clients.
	exempt := []string{"spine-system", "spine-clients"}
	for _, set := range append(engineSets(t), ours) {
		closed := map[string]bool{}
		var namespaces []string
		for key, object := range set.Objects {
			switch o := typed(t, key, object).(type) {
			case *corev1.Namespace:
				namespaces = append(namespaces, o.Name)
				if o.Labels["pod-security.kubernetes.io/enforce"] != "restricted" {
					t.Errorf("%s is not restricted", key)
				}
			case *networkingv1.NetworkPolicy:
				if len(o.Spec.PodSelector.MatchLabels) == 0 && len(o.Spec.PolicyTypes) == 2 && len(o.Spec.Ingress)+len(o.Spec.Egress) == 0 {
					closed[o.Namespace] = true
				}
				for _, rule := range o.Spec.Egress {
					if len(rule.To) == 0 || len(rule.Ports) == 0 {
						t.Errorf("%s lets everything out", key)
					}
				}
				for _, rule := range o.Spec.Ingress {
					if len(rule.From) == 0 || len(rule.Ports) == 0 {
						t.Errorf("%s lets everything in", key)
					}
				}
			}
		}
		for _, n := range namespaces {
			if !closed[n] && !slices.Contains(exempt, n) {
				t.Errorf("namespace %s of %s is open", n, set.Name)
			}
		}
	}
}

// managed is a site with hosts, or without.
func managed(hosts *manager.Hosts) manager.Args {
	return manager.Args{EdgeAddress: "10.0.0.101", APIServers: []string{"10.0.0.11/32"}, APIPort: 6443, Hosts: hosts}
}

// switchable are two hosts, one with a BMC.
func switchable() *manager.Hosts {
	return &manager.Hosts{SSHPort: 2222, Addresses: []string{"10.0.0.11", "10.0.0.12"}, Controllers: []manager.Controller{
		{Name: "a", Address: "10.0.0.111", User: "admin", Password: "Hidden1"},
	}}
}

func TestManager(t *testing.T) {
	set, err := manager.Set(operators, managed(switchable()), inputs())
	if err != nil {
		t.Fatal(err)
	}
	config := typed(t, "m", set.Objects["v1/ConfigMap/spine-system/m"]).(*corev1.ConfigMap)
	if config.Data["hosts"] != "/etc/spine/hosts 2222" {
		t.Errorf("hosts are at %q", config.Data["hosts"])
	}
	if config.Data["image"] != "r:5000/spine/spine-manager:dev@sha256:0" || config.Data["edge"] != "10.0.0.101" {
		t.Errorf("markers became %v", config.Data)
	}
	if _, ok := set.Objects["apiextensions.k8s.io/v1/CustomResourceDefinition/xs.test"]; !ok {
		t.Errorf("no definitions among %v", slices.Sorted(maps.Keys(set.Objects)))
	}
	secret := typed(t, "hosts", set.Objects["v1/Secret/spine-system/hosts"]).(*corev1.Secret)
	if text := string(secret.Data["inventory.yaml"]); !strings.Contains(text, "password: Hidden1") || !set.Secret("v1/Secret/spine-system/hosts") {
		t.Errorf("the inventory is %q, a secret: %v", text, set.Secret("v1/Secret/spine-system/hosts"))
	}
	way := typed(t, "way", set.Objects["networking.k8s.io/v1/NetworkPolicy/spine-system/spine-manager-hosts"]).(*networkingv1.NetworkPolicy)
	var ways []string
	for _, rule := range way.Spec.Egress {
		for _, port := range rule.Ports {
			for _, to := range rule.To {
				ways = append(ways, to.IPBlock.CIDR+":"+port.Port.String())
			}
		}
	}
	if got := strings.Join(ways, " "); got != "10.0.0.111/32:443 10.0.0.11/32:10250 10.0.0.12/32:10250 10.0.0.11/32:2222 10.0.0.12/32:2222" {
		t.Errorf("the manager gets to %s", got)
	}
	if _, err := manager.Set(operators, manager.Args{}, inputs()); err == nil || !strings.Contains(err.Error(), "API servers") {
		t.Errorf("a manager that may go anywhere: %v", err)
	}
	api := typed(t, "api", set.Objects["networking.k8s.io/v1/NetworkPolicy/spine-system/spine-manager-api"]).(*networkingv1.NetworkPolicy)
	if rule := api.Spec.Egress[0]; len(api.Spec.Egress) != 1 || rule.To[0].IPBlock.CIDR != "10.0.0.11/32" || rule.Ports[0].Port.IntValue() != 6443 {
		t.Errorf("the manager gets to API servers by %+v", api.Spec.Egress)
	}
	alone, err := manager.Set(operators, managed(nil), inputs())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := alone.Objects["v1/Secret/spine-system/hosts"]; ok {
		t.Error("an inventory of no hosts")
	}
	rules := typed(t, "operations", alone.Objects["v1/ConfigMap/spine-system/operations"]).(*corev1.ConfigMap)
	if rules.Data["operations.yaml"] != "{}" {
		t.Errorf("without rules the manager gets %q", rules.Data["operations.yaml"])
	}
	some := managed(nil)
	some.Operations = map[string]string{"coolDown": "5m"}
	ruled, err := manager.Set(operators, some, inputs())
	if err != nil {
		t.Fatal(err)
	}
	rules = typed(t, "operations", ruled.Objects["v1/ConfigMap/spine-system/operations"]).(*corev1.ConfigMap)
	if got := rules.Data["operations.yaml"]; got != "{\n  \"coolDown\": \"5m\"\n}" {
		t.Errorf("the manager gets the rules %q", got)
	}
	config = typed(t, "m", ruled.Objects["v1/ConfigMap/spine-system/m"]).(*corev1.ConfigMap)
	before := typed(t, "m", alone.Objects["v1/ConfigMap/spine-system/m"]).(*corev1.ConfigMap)
	if config.Data["rules"] == "" || config.Data["rules"] == before.Data["rules"] {
		t.Errorf("pods do not notice other rules: digest %q", config.Data["rules"])
	}
	if _, err := manager.Set(fstest.MapFS{}, managed(nil), inputs()); err == nil {
		t.Error("a manager without files must be refused")
	}
	var broken fs.FS = fstest.MapFS{"x.yaml": {Data: []byte("{{ .Unknown }}")}}
	if _, err := manager.Set(broken, managed(nil), inputs()); err == nil || !strings.Contains(err.Error(), "x.yaml") {
		t.Errorf("an unknown marker: %v", err)
	}
}

// What only one of two sites needs, no other gets: neither rights nor the controllers that use them.
func TestManagerOfAPair(t *testing.T) {
	const role, config = "rbac.authorization.k8s.io/v1/Role/spine-system/p", "v1/ConfigMap/spine-system/m"
	const files = "/etc/spine/peer/kubeconfig /etc/spine/witness /etc/spine/traffic"
	args := managed(nil)
	for _, c := range []struct {
		place *manager.ThirdPlace
		pair  string
		kind  string
	}{
		{nil, "  ", "NameServer"},
		{&manager.ThirdPlace{NameServer: &manager.NameServer{Address: netip.MustParseAddrPort("10.0.9.1:53")}, Zone: "z."}, files, "NameServer"},
		{&manager.ThirdPlace{AWS: &manager.PlaceInAWS{Table: "t", Networks: []string{"192.0.2.0/24"}, Credentials: "c"}, Zone: "z."}, files, "AWS"},
	} {
		args.ThirdPlace = c.place
		set, err := manager.Set(operators, args, inputs())
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := set.Objects[role]; ok != (c.place != nil) {
			t.Errorf("third place %v: the rights of a pair are given: %v", c.place, ok)
		}
		if got := typed(t, "m", set.Objects[config]).(*corev1.ConfigMap).Data["pair"]; got != c.pair {
			t.Errorf("third place %v: the manager looks at %q", c.place, got)
		}
		if got := typed(t, "m", set.Objects[config]).(*corev1.ConfigMap).Data["place"]; got != c.kind {
			t.Errorf("third place %v: the manager takes it for %s", c.place, got)
		}
	}
	args.ThirdPlace = &manager.ThirdPlace{Zone: "z."}
	if _, err := manager.Set(operators, args, inputs()); err == nil || !strings.Contains(err.Error(), "a name server or AWS") {
		t.Errorf("a third place that is nothing: %v", err)
	}
}

// TestLater: what is known later takes the place of its text, and nothing else is touched.
func TestLater(t *testing.T) {
	values := map[string]pulumi.StringInput{"the host": pulumi.String("db.example")}
	got := later(map[string]any{"a": []any{"the host", "the host!"}, "n": 1.0}, values)
	list := got.(pulumi.Map)["a"].(pulumi.Array)
	if list[0] != pulumi.String("db.example") {
		t.Errorf("got %v", list[0])
	}
	if _, replaced := list[1].(pulumi.String); replaced {
		t.Error("a text around it was replaced")
	}
}

// TestEnginesWhereNeeded: the operators of engines that run elsewhere are left out.
func TestEnginesWhereNeeded(t *testing.T) {
	away := services.Engine{Elsewhere: &services.Elsewhere{Host: "db.example"}}
	for name, c := range map[string]struct {
		args Args
		want string
	}{
		"all here":         {Args{Messaging: &services.Messaging{}}, "postgresql rabbitmq"},
		"database away":    {Args{Messaging: &services.Messaging{Database: away}, VolumesKey: "k"}, "rabbitmq volumes"},
		"booking's is not": {Args{Messaging: &services.Messaging{Database: away, Broker: away}, Booking: &services.Booking{}}, "postgresql"},
		"all away":         {Args{Messaging: &services.Messaging{Database: away, Broker: away}, Booking: &services.Booking{Database: away}}, ""},
	} {
		sets, err := c.args.engines(inputs())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range sets {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestOneWayIn(t *testing.T) {
	args := Args{Messaging: &services.Messaging{}, EdgeAddress: "10.0.0.1"}
	if got := args.entrances(); got["mesh"].URL() != "https://10.0.0.1:8443" || len(got) != 2 {
		t.Errorf("by address: %v", got)
	}
	args = Args{Messaging: &services.Messaging{}, Entrances: map[string]component.Endpoint{"mesh": {Name: "m.example", Port: 443}}}
	if got := args.entrances(); got["mesh"].URL() != "https://m.example:443" || len(got) != 1 {
		t.Errorf("by balancers: %v", got)
	}
}
