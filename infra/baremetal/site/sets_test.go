// SPDX-License-Identifier: Apache-2.0

package site

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/infra/baremetal/hosts"
	"spine.nhs.uk/controlplane/infra/baremetal/manifests"
	"spine.nhs.uk/controlplane/infra/baremetal/registry"
	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/tags"
)

func example() *addonArgs {
	images := registry.Catalogue("v1.36.3", registry.KubeRouterImages())
	return &addonArgs{
		site: &Args{
			Tags:        tags.Tags{Environment: "local", Owner: "platform"},
			Hosts:       make([]hosts.Host, 3),
			API:         component.Endpoint{Name: "api.test", Address: "10.0.0.100", Port: 6443},
			EdgeAddress: "10.0.0.101",
			Network:     Network{PodCIDR: "10.244.0.0/16", ServiceCIDR: "10.96.0.0/16", DNSDomain: "cluster.local"},
			VolumesPath: "/var/lib/spine-volumes",
		},
		images:  registry.Unresolved(registry.Registry{Host: "r:5000", Repository: "spine"}, images, "v1.36.3").Images,
		cluster: component.Cluster{Resource: &pulumi.CustomResourceState{}},
	}
}

func sets(t *testing.T, edit func(*Args)) map[string]manifests.Set {
	t.Helper()
	args := example()
	if edit != nil {
		edit(args.site)
	}
	all, err := args.sets()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]manifests.Set{}
	for _, s := range all {
		byName[s.Name] = s
	}
	return byName
}

// typed decodes an object into Kubernetes' own type and refuses fields that
// the type does not have.
func typed(t *testing.T, key string, object any) runtime.Object {
	t.Helper()
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	strict := serializer.NewSerializerWithOptions(serializer.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, serializer.SerializerOptions{Strict: true})
	out, _, err := strict.Decode(raw, nil, nil)
	if err != nil {
		t.Errorf("%s: %v", key, err)
	}
	return out
}

func podOf(o runtime.Object) *corev1.PodSpec {
	switch o := o.(type) {
	case *appsv1.Deployment:
		return &o.Spec.Template.Spec
	case *appsv1.DaemonSet:
		return &o.Spec.Template.Spec
	}
	return nil
}

func TestObjectsAreOfTheirType(t *testing.T) {
	for _, set := range sets(t, nil) {
		for key, object := range set.Objects {
			if pod := podOf(typed(t, key, object)); pod != nil {
				checkPod(t, key, pod)
			}
		}
	}
}

// checkPod holds for every pod that a site runs.
func checkPod(t *testing.T, key string, pod *corev1.PodSpec) {
	t.Helper()
	if pod.PriorityClassName == "" {
		t.Errorf("%s has no priority: a full host could evict it first", key)
	}
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		requests := c.Resources.Requests
		if requests.Cpu().IsZero() || requests.Memory().IsZero() {
			t.Errorf("%s: container %s requests no CPU or memory", key, c.Name)
		}
		s := c.SecurityContext
		if s == nil {
			t.Errorf("%s: container %s has no security context", key, c.Name)
			continue
		}
		privileged := s.Privileged != nil && *s.Privileged
		if privileged && key != "apps/v1/DaemonSet/kube-system/kube-router" {
			t.Errorf("%s: container %s is privileged", key, c.Name)
		}
		if !privileged && (s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Capabilities == nil || len(s.Capabilities.Drop) == 0) {
			t.Errorf("%s: container %s may gain privileges", key, c.Name)
		}
	}
}

func TestNetworkPoliciesOfEverySetWithPods(t *testing.T) {
	all := sets(t, nil)
	for set, key := range map[string]string{
		"dns":     "networking.k8s.io/v1/NetworkPolicy/kube-system/default-deny",
		"storage": "networking.k8s.io/v1/NetworkPolicy/local-path-storage/default-deny",
	} {
		if _, ok := all[set].Objects[key]; !ok {
			t.Errorf("%s has no %s", set, key)
		}
	}
}

func TestVolumesFolderAndHelperPod(t *testing.T) {
	o := typed(t, "config", sets(t, nil)["storage"].Objects["v1/ConfigMap/local-path-storage/local-path-config"])
	data := o.(*corev1.ConfigMap).Data
	var config struct {
		NodePathMap []struct {
			Node  string
			Paths []string
		}
	}
	if err := json.Unmarshal([]byte(data["config.json"]), &config); err != nil {
		t.Fatal(err)
	}
	if n := config.NodePathMap; len(n) != 1 || len(n[0].Paths) != 1 || n[0].Paths[0] != "/var/lib/spine-volumes" {
		t.Errorf("paths are %+v", n)
	}
	var pod corev1.Pod
	if err := yaml.UnmarshalStrict([]byte(data["helperPod.yaml"]), &pod); err != nil {
		t.Fatal(err)
	}
	if image := pod.Spec.Containers[0].Image; !strings.HasPrefix(image, "r:5000/spine/shell:") || !strings.Contains(image, "@sha256:") {
		t.Errorf("the helper pod's image is %s", image)
	}
}

func TestDNSForwardsOnlyWhenThereAreNameservers(t *testing.T) {
	corefile := func(edit func(*Args)) string {
		set := sets(t, edit)["dns"]
		return typed(t, "config", set.Objects["v1/ConfigMap/kube-system/coredns"]).(*corev1.ConfigMap).Data["Corefile"]
	}
	if got := corefile(nil); strings.Contains(got, "forward") {
		t.Errorf("forwards to nobody:\n%s", got)
	}
	got := corefile(func(a *Args) { a.Nameservers = []string{"10.0.0.1", "10.0.0.2"} })
	if !strings.Contains(got, "    forward . 10.0.0.1 10.0.0.2 {\n") || strings.Count(got, "{") != strings.Count(got, "}") {
		t.Errorf("does not forward:\n%s", got)
	}
	service := typed(t, "service", sets(t, nil)["dns"].Objects["v1/Service/kube-system/kube-dns"]).(*corev1.Service)
	if service.Spec.ClusterIP != "10.96.0.10" {
		t.Errorf("DNS is at %s, not where kubelets expect it", service.Spec.ClusterIP)
	}
}
