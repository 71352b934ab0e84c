// SPDX-License-Identifier: Apache-2.0

// Package rights compares what a service account may do with what an API server's audit log shows that it did.
package rights

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/yaml"
)

// Right is one verb on one kind of resource. Fields are empty where a request has none: the namespace of a ClusterRole,
// the core group.
type Right struct{ Namespace, Group, Resource, Verb string }

// String reads "patch deployments.apps in spine-messaging".
func (r Right) String() string {
	what, where := r.Resource, "everywhere"
	if r.Group != "" {
		what += "." + r.Group
	}
	if r.Namespace != "" {
		where = "in " + r.Namespace
	}
	return r.Verb + " " + what + " " + where
}

// Held lists the rights in Roles and ClusterRoles of that name, YAML documents of any kinds. Rules by resource name or
// with wildcards are refused: what they allow cannot be listed.
func Held(manifests []byte, role string) ([]Right, error) {
	var out []Right
	for i, doc := range bytes.Split(manifests, []byte("\n---\n")) {
		var r rbacv1.Role // which a ClusterRole reads as, too
		if err := yaml.Unmarshal(doc, &r); err != nil {
			return nil, fmt.Errorf("document %d: %w", i+1, err)
		}
		if r.Kind != "Role" && r.Kind != "ClusterRole" || r.Name != role {
			continue
		}
		for _, rule := range r.Rules {
			words := slices.Concat(rule.APIGroups, rule.Resources, rule.Verbs)
			if len(rule.ResourceNames)+len(rule.NonResourceURLs) > 0 || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, "*") }) {
				return nil, fmt.Errorf("document %d: a rule of %s names resources, URLs or a wildcard: expected groups, kinds and verbs only", i+1, role)
			}
			out = append(out, expand(r.Namespace, rule)...)
		}
	}
	return sorted(out), nil
}

func expand(namespace string, rule rbacv1.PolicyRule) []Right {
	var out []Right
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				out = append(out, Right{namespace, group, resource, verb})
			}
		}
	}
	return out
}

// event is what of a line of the audit log counts.
type event struct {
	Verb string `json:"verb"`
	User struct {
		Username string `json:"username"`
	} `json:"user"`
	Object *struct {
		Namespace   string `json:"namespace"`
		Group       string `json:"apiGroup"`
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	Response struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	// Annotations hold what the authorizer decided.
	Annotations map[string]string `json:"annotations"`
}

// Log is what an audit log says of one user.
type Log struct {
	// Used rights: requests that were allowed, whatever came of them.
	Used []Right
	// Refused requests: rights that it did not have.
	Refused []Right
}

// The annotation of an event that says whether its request was allowed, and what it says if not.
const decision, forbidden = "authorization.k8s.io/decision", "forbid"

// created is the status of an answer that something was made.
const created = 201

// Read reads an API server's audit log, a JSON object a line. Lines about others, and requests for no resource, are
// passed over.
func Read(log []byte, user string) (Log, error) {
	used, refused := sets.New[Right](), sets.New[Right]()
	lines := bufio.NewScanner(bytes.NewReader(log))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return Log{}, fmt.Errorf("line %d of the audit log: %w", n, err)
		}
		if e.User.Username != user || e.Object == nil {
			continue
		}
		r := Right{e.Object.Namespace, e.Object.Group, e.Object.Resource, e.Verb}
		if e.Object.Subresource != "" {
			r.Resource += "/" + e.Object.Subresource
		}
		switch {
		case e.Annotations[decision] == forbidden:
			refused.Insert(r)
		case e.Verb == "patch" && e.Response.Code == created:
			// A server-side apply of what is not there takes both rights, and is recorded as one.
			used.Insert(r, Right{r.Namespace, r.Group, r.Resource, "create"})
		default:
			used.Insert(r)
		}
	}
	if err := lines.Err(); err != nil {
		return Log{}, fmt.Errorf("the audit log: %w", err)
	}
	return Log{sorted(used.UnsortedList()), sorted(refused.UnsortedList())}, nil
}

// Unused are the rights that were held and not used. A request in a namespace uses the right for that namespace, and
// only without one the right for everywhere.
func Unused(held, used []Right) []Right {
	seen := sets.New[Right]()
	for _, r := range used {
		if !slices.Contains(held, r) {
			r.Namespace = ""
		}
		seen.Insert(r)
	}
	return slices.DeleteFunc(slices.Clone(held), seen.Has)
}

func sorted(rights []Right) []Right {
	slices.SortFunc(rights, func(a, b Right) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Verb, b.Verb))
	})
	return slices.Compact(rights)
}
