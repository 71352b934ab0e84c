// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

// These tests apply to a real API server, which they start on loopback from the tools
// that hack/tools builds: go test -tags apiserver ./infra/provider/kubernetes
package kubernetes

import (
	"strings"
	"testing"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spine.nhs.uk/controlplane/infra/provider/apiservertest"
)

func realResource() *resource { return Manifests().(*resource) }

func realInputs(kubeconfig, name string, objects map[string]any) property.Map {
	return markSecrets(value(map[string]any{
		"name": name, "namespace": "things", "kubeconfig": kubeconfig, "objects": objects, "waitSeconds": 20,
	}).AsMap())
}

func object(apiVersion, kind, namespace, name string, rest map[string]any) (string, map[string]any) {
	meta := map[string]any{"name": name}
	if namespace != "" {
		meta["namespace"] = namespace
	}
	o := map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": meta}
	for k, v := range rest {
		o[k] = v
	}
	return keyOf(apiVersion, kind, namespace, name), o
}

func thingsSet() map[string]any {
	out := map[string]any{}
	add := func(apiVersion, kind, namespace, name string, rest map[string]any) {
		k, o := object(apiVersion, kind, namespace, name, rest)
		out[k] = o
	}
	add("v1", "Namespace", "", "things", nil)
	add("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "things.example.org", map[string]any{"spec": map[string]any{
		"group": "example.org", "scope": "Namespaced",
		"names": map[string]any{"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"},
		"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true, "schema": map[string]any{
			"openAPIV3Schema": map[string]any{"type": "object", "properties": map[string]any{
				"spec": map[string]any{"type": "object", "properties": map[string]any{"size": map[string]any{"type": "integer", "maximum": 9}}}}}}}},
	}})
	add("example.org/v1", "Thing", "things", "one", map[string]any{"spec": map[string]any{"size": 1}})
	add("v1", "ConfigMap", "things", "config", map[string]any{"data": map[string]any{"k": "v"}})
	add("v1", "Secret", "things", "secret", map[string]any{"stringData": map[string]any{"password": "hush"}})
	add("v1", "Service", "things", "svc", map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"port": 80}}}})
	add("rbac.authorization.k8s.io/v1", "ClusterRole", "", "things", map[string]any{"rules": []any{
		map[string]any{"apiGroups": []any{""}, "resources": []any{"pods"}, "verbs": []any{"get"}}}})
	return out
}

func TestRealAPIServer(t *testing.T) {
	kubeconfig := apiservertest.Start(t).Kubeconfig()
	s := serve(t, realResource())
	in := realInputs(kubeconfig, "things", thingsSet())

	if _, err := s.Create(p.CreateRequest{Urn: testURN, Properties: in, DryRun: true}); err != nil {
		t.Fatalf("preview of a set whose kinds and namespace do not exist yet: %v", err)
	}
	begin := time.Now()
	created, err := s.Create(p.CreateRequest{Urn: testURN, Properties: in})
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	t.Logf("created in %s", time.Since(begin).Round(time.Millisecond))
	if d := drift(t, s, created.Properties); d.Len() != 0 {
		t.Fatalf("drift right after create: %#v", d)
	}
	checkDriftAndRepair(t, s, kubeconfig, created.Properties)
	checkRefusals(t, s, kubeconfig, created.Properties)

	finalizeNamespaces(t, kubeconfig)
	lift := keepThings(t, kubeconfig)
	err = s.Delete(p.DeleteRequest{ID: created.ID, Urn: testURN, Properties: created.Properties})
	t.Logf("refused:\n%v", err)
	if err == nil || !strings.Contains(err.Error(), "nothing was deleted: delete Thing things/one: ") || !strings.Contains(err.Error(), "one holds 7 messages") {
		t.Errorf("a policy keeps the instance: %v", err)
	}
	if d := drift(t, s, created.Properties); d.Len() != 0 {
		t.Errorf("a refused delete deleted: %#v", d)
	}
	lift()
	if err := s.Delete(p.DeleteRequest{ID: created.ID, Urn: testURN, Properties: created.Properties}); err != nil {
		t.Fatalf("delete: %v", err)
	}
	resp, err := s.Read(p.ReadRequest{ID: created.ID, Urn: testURN, Properties: created.Properties, Inputs: in})
	if err != nil || resp.ID != "" {
		t.Errorf("after the delete: ID %q, %v", resp.ID, err)
	}
}

func drift(t *testing.T, s integration.Server, state property.Map) property.Map {
	t.Helper()
	resp, err := s.Read(p.ReadRequest{ID: "things/things", Urn: testURN, Properties: state, Inputs: inputsOf(state)})
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return resp.Properties.Get("drift").AsMap()
}

func checkDriftAndRepair(t *testing.T, s integration.Server, kubeconfig string, state property.Map) {
	t.Helper()
	c, err := connectCluster(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{}
	if err := c.client.Get(t.Context(), client.ObjectKey{Namespace: "things", Name: "secret"}, secret); err != nil {
		t.Fatal(err)
	}
	secret.Data["password"] = []byte("by hand")
	if err := c.client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if err := c.client.Delete(t.Context(), reference{"example.org/v1", "Thing", "things", "one"}.object()); err != nil {
		t.Fatal(err)
	}
	found := drift(t, s, state)
	if got := stringOr(found.Get("v1/Secret/things/secret"), ""); got != "changed fields: data.password" {
		t.Errorf("secret: %q", got)
	}
	if got := stringOr(found.Get("example.org/v1/Thing/things/one"), ""); got != "missing" || found.Len() != 2 {
		t.Errorf("drift: %#v", found)
	}
	if _, err := s.Update(p.UpdateRequest{ID: "things/things", Urn: testURN, State: state, Inputs: inputsOf(state)}); err != nil {
		t.Fatalf("repair: %v", err)
	}
	if d := drift(t, s, state); d.Len() != 0 {
		t.Errorf("drift after the repair: %#v", d)
	}
}

func checkRefusals(t *testing.T, s integration.Server, kubeconfig string, state property.Map) {
	t.Helper()
	preview := func(change func(map[string]any)) error {
		objects := thingsSet()
		change(objects)
		_, err := s.Update(p.UpdateRequest{ID: "things/things", Urn: testURN, State: state,
			Inputs: realInputs(kubeconfig, "things", objects), DryRun: true})
		return err
	}
	err := preview(func(o map[string]any) {
		o["v1/Service/things/svc"].(map[string]any)["spec"].(map[string]any)["clusterIP"] = "10.96.0.77"
		o["example.org/v1/Thing/things/one"].(map[string]any)["spec"].(map[string]any)["size"] = 10
		o["v1/ConfigMap/things/config"].(map[string]any)["dta"] = map[string]any{"k": "v"}
		k, typo := object("example.org/v1", "Thing", "things", "two", map[string]any{"spec": map[string]any{"sise": 1}})
		o[k] = typo
	})
	t.Logf("refused in preview:\n%v", err)
	for _, want := range []string{"v1/Service/things/svc: ", "cannot change in place", "should be less than or equal to 9", ".dta: field not declared in schema", ".spec.sise: field not declared in schema"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the refusal lacks %q: %v", want, err)
		}
	}
}

// keepThings has a policy refuse that a Thing is deleted, and returns what ends that.
func keepThings(t *testing.T, kubeconfig string) func() {
	t.Helper()
	c, err := connectCluster(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	const api = "admissionregistration.k8s.io/v1"
	var made []*unstructured.Unstructured
	for kind, spec := range map[string]map[string]any{
		"ValidatingAdmissionPolicy": {
			"matchConstraints": map[string]any{"resourceRules": []any{map[string]any{
				"apiGroups": []any{"example.org"}, "apiVersions": []any{"v1"}, "operations": []any{"DELETE"}, "resources": []any{"things"}}}},
			"validations": []any{map[string]any{"expression": "false", "messageExpression": "oldObject.metadata.name + ' holds 7 messages'"}},
		},
		"ValidatingAdmissionPolicyBinding": {"policyName": "things", "validationActions": []any{"Deny"}},
	} {
		_, o := object(api, kind, "", "things", map[string]any{"spec": spec})
		u := &unstructured.Unstructured{Object: o}
		if err := c.client.Create(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		made = append(made, u)
	}
	thing := reference{"example.org/v1", "Thing", "things", "one"}.object()
	until := func(refused bool) {
		for t.Context().Err() == nil && (c.client.Delete(t.Context(), thing, client.DryRunAll) != nil) != refused {
			time.Sleep(50 * time.Millisecond)
		}
	}
	until(true)
	return func() {
		for _, u := range made {
			if err := c.client.Delete(t.Context(), u); err != nil {
				t.Fatal(err)
			}
		}
		until(false)
	}
}

// finalizeNamespaces stands in for the namespace controller, until the test ends.
func finalizeNamespaces(t *testing.T, kubeconfig string) {
	t.Helper()
	c, err := connectCluster(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for t.Context().Err() == nil {
			list := &corev1.NamespaceList{}
			if err := c.client.List(t.Context(), list); err != nil {
				return
			}
			for i := range list.Items {
				if ns := &list.Items[i]; !ns.DeletionTimestamp.IsZero() {
					ns.Spec.Finalizers = nil
					// Losing a race against another write only means another turn.
					_ = c.client.SubResource("finalize").Update(t.Context(), ns)
				}
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
}
