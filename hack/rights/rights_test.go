// SPDX-License-Identifier: Apache-2.0

package rights

import (
	"slices"
	"strings"
	"testing"
)

const roles = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: keeper}
rules:
- {apiGroups: [""], resources: [nodes, pods], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: keeper, namespace: zoo}
rules:
- {apiGroups: [apps], resources: [deployments], verbs: [create, get, patch]}
- {apiGroups: [""], resources: [pods/eviction], verbs: [create]}
- {apiGroups: [""], resources: [nodes], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: visitor, namespace: zoo}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get]}
`

const log = `{"verb":"list","user":{"username":"keeper"},"objectRef":{"resource":"pods","namespace":"pond"},"annotations":{"authorization.k8s.io/decision":"allow"}}
{"verb":"patch","user":{"username":"keeper"},"objectRef":{"resource":"deployments","namespace":"zoo","apiGroup":"apps"},"responseStatus":{"code":201},"annotations":{"authorization.k8s.io/decision":"allow"}}
{"verb":"get","user":{"username":"visitor"},"objectRef":{"resource":"deployments","namespace":"zoo","apiGroup":"apps"},"annotations":{"authorization.k8s.io/decision":"allow"}}
{"verb":"create","user":{"username":"keeper"},"objectRef":{"resource":"pods","subresource":"eviction","namespace":"zoo"},"annotations":{"authorization.k8s.io/decision":"forbid"}}
{"verb":"list","user":{"username":"keeper"},"objectRef":{"resource":"nodes","namespace":"zoo"},"annotations":{"authorization.k8s.io/decision":"allow"}}
{"verb":"get","user":{"username":"keeper"},"requestURI":"/readyz"}
`

func words(rights []Right) string {
	var out []string
	for _, r := range rights {
		out = append(out, r.String())
	}
	return strings.Join(out, "; ")
}

func TestUnused(t *testing.T) {
	held, err := Held([]byte(roles), "keeper")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := words(held), "list nodes everywhere; list pods everywhere; list nodes in zoo; create pods/eviction in zoo; create deployments.apps in zoo; get deployments.apps in zoo; patch deployments.apps in zoo"; got != want {
		t.Errorf("held: %s", got)
	}
	seen, err := Read([]byte(log), "keeper")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := words(seen.Refused), "create pods/eviction in zoo"; got != want {
		t.Errorf("refused: %s", got)
	}
	if got, want := words(Unused(held, seen.Used)), "list nodes everywhere; create pods/eviction in zoo; get deployments.apps in zoo"; got != want {
		t.Errorf("unused: %s", got)
	}
}

func TestHeldRefusesWhatItCannotList(t *testing.T) {
	for _, change := range []string{"verbs: ['*']", "verbs: [list], resourceNames: [a]"} {
		if _, err := Held([]byte(strings.Replace(roles, "verbs: [list]", change, 1)), "keeper"); err == nil {
			t.Errorf("taken: %s", change)
		}
	}
	if _, err := Held([]byte("kind: ["), "keeper"); err == nil {
		t.Error("taken: no YAML")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(log))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, text []byte) {
		seen, err := Read(text, "keeper")
		if err == nil && slices.ContainsFunc(slices.Concat(seen.Used, seen.Refused), func(r Right) bool { return r.String() == "" }) {
			t.Error("a right without words")
		}
	})
}
