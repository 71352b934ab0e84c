// SPDX-License-Identifier: Apache-2.0

package desired_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/operators/manifests"
)

// namespaces in which the manager has rights.
var namespaces = []string{"kube-node-lease", "spine-booking", "spine-messaging", "spine-system"}

// everywhere is what the manager may do beyond them, to tell whether hosts live and to move
// pods off one: all of it.
var everywhere = map[string][]string{"nodes": {"list", "patch"}, "pods": {"list"}, "pods/eviction": {"create"}}

// removable is what operations may delete, each by a plan that names it. Where a site is one of two it is databases
// besides: admission lets the manager delete none but those that follow the other site.
func removable(file string) []string {
	always := []string{"pods", "persistentvolumeclaims"}
	if file == "pair/role.yaml" {
		return append(always, "clusters")
	}
	return always
}

// The manager that is taken over must be worth little: it reads no secret, deletes
// nothing that does not come back, runs nothing in a pod, gives no rights, and acts in four namespaces only, and on hosts.
// That its rights suffice is tested by the suites of the controllers.
func TestRights(t *testing.T) {
	files, err := fs.Glob(manifests.FS, "rbac/*.yaml")
	pair, pairErr := fs.Glob(manifests.FS, "pair/*.yaml")
	if err != nil || pairErr != nil || len(files) == 0 || len(pair) == 0 {
		t.Fatalf("rbac: %v, %v; pair: %v, %v", files, err, pair, pairErr)
	}
	files = append(files, pair...)
	for _, file := range files {
		if file == "rbac/people.yaml" {
			continue // for people, and tested beside the operations that they ask for
		}
		raw, err := manifests.FS.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for doc := range strings.SplitSeq(string(raw), "\n---\n") {
			var r rbacv1.Role
			if err := yaml.Unmarshal([]byte(doc), &r); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(r.Kind, "ClusterRole") && r.Name == "spine-manager" {
				for _, rule := range r.Rules {
					checkEverywhere(t, rule)
				}
				continue
			}
			if r.Kind == "ServiceAccount" {
				continue // has no rights but those that a binding gives it
			}
			if r.Kind != "Role" && r.Kind != "RoleBinding" {
				t.Errorf("%s: a %s gives rights beyond a namespace", file, r.Kind)
			}
			if !slices.Contains(namespaces, r.Namespace) {
				t.Errorf("%s: %s in namespace %q", file, r.Kind, r.Namespace)
			}
			for _, rule := range r.Rules {
				checkRule(t, r.Namespace, rule, removable(file))
			}
		}
	}
}

func checkEverywhere(t *testing.T, rule rbacv1.PolicyRule) {
	t.Helper()
	for _, resource := range rule.Resources {
		if !slices.Equal(rule.Verbs, everywhere[resource]) || !slices.Equal(rule.APIGroups, []string{""}) {
			t.Errorf("in the whole cluster: %v of %v may be used with %v", resource, rule.APIGroups, rule.Verbs)
		}
	}
}

func checkRule(t *testing.T, namespace string, rule rbacv1.PolicyRule, removable []string) {
	t.Helper()
	allowed := []string{"get", "list", "watch", "create", "patch", "update"}
	for _, v := range rule.Verbs {
		if v == "delete" && namespace != "spine-system" && !slices.ContainsFunc(rule.Resources, func(r string) bool { return !slices.Contains(removable, r) }) {
			continue
		}
		// Its own dry runs, which did nothing, make room for others.
		if v == "delete" && namespace == "spine-system" && len(rule.Resources) == 1 && (rule.Resources[0] == "failovers" || rule.Resources[0] == "servicerecoveries") {
			continue
		}
		if !slices.Contains(allowed, v) {
			t.Errorf("%s: %v may be used with %q", namespace, rule.Resources, v)
		}
		if v == "update" && !slices.Equal(rule.Resources, []string{"leases"}) {
			t.Errorf("%s: %v may be replaced; a patch says what it changes", namespace, rule.Resources)
		}
	}
	for _, g := range rule.APIGroups {
		if strings.Contains(g, "*") || g == rbacv1.GroupName {
			t.Errorf("%s: rights over the group %q", namespace, g)
		}
	}
	forbidden := []string{"secrets", "pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers", "serviceaccounts", "serviceaccounts/token"}
	for _, resource := range rule.Resources {
		if strings.Contains(resource, "*") || slices.Contains(forbidden, resource) {
			t.Errorf("%s: rights over %s: %v", namespace, resource, rule.Verbs)
		}
	}
}
