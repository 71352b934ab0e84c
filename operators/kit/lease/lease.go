// SPDX-License-Identifier: Apache-2.0

// Package lease keeps operations apart: one recovery actor for each resource. A lease does
// not expire by time, as an operation goes on after its operator was killed; it is free when
// its holder gave it back or no longer exists. Each taking gives a greater fencing token.
package lease

import (
	"fmt"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/types"
)

// CoolingAnnotation of a Lease says until when nobody may take it, in RFC 3339.
const CoolingAnnotation = "spine.nhs.uk/cooling-until"

// Holder is an operation, as holderIdentity names it.
type Holder struct {
	// Kind, Namespace and Name of the operation.
	Kind, Namespace, Name string
	// UID tells it from another of the same name.
	UID types.UID
}

// String is kind/namespace/name/uid.
func (h Holder) String() string {
	return h.Kind + "/" + h.Namespace + "/" + h.Name + "/" + string(h.UID)
}

// ParseHolder reads what String wrote.
func ParseHolder(identity string) (Holder, error) {
	p := strings.Split(identity, "/")
	if len(p) != 4 || p[0] == "" || p[1] == "" || p[2] == "" || p[3] == "" {
		return Holder{}, fmt.Errorf("holderIdentity %q: expected kind/namespace/name/uid: clear it if no operation runs", identity)
	}
	return Holder{Kind: p[0], Namespace: p[1], Name: p[2], UID: types.UID(p[3])}, nil
}

// Verdict is how a lease stands to one operation.
type Verdict string

const (
	// Free: nobody holds it, and it has cooled down.
	Free Verdict = "Free"
	// Mine: the operation holds it already.
	Mine Verdict = "Mine"
	// Held: another holds it, who may no longer exist.
	Held Verdict = "Held"
	// Cooling: nobody holds it, and an operation ended too short a time ago.
	Cooling Verdict = "Cooling"
)

// Claim is what an operation wants to hold.
type Claim struct {
	// Keys of the leases, in the order in which all operations take them.
	Keys []types.NamespacedName
	// Me is the operation.
	Me Holder
	// Rested waits until what it takes has cooled down.
	Rested bool
	// Now is the time.
	Now time.Time
}

// Judge says how a lease stands to a claim, and until when it cools. A nil lease was never
// taken. A cooling time that cannot be read has passed.
func Judge(l *coordinationv1.Lease, c Claim) (Verdict, time.Time) {
	switch holder := identity(l); {
	case holder == c.Me.String():
		return Mine, time.Time{}
	case holder != "":
		return Held, time.Time{}
	case l == nil || !c.Rested:
		return Free, time.Time{}
	}
	if until := restsUntil(l); c.Now.Before(until) {
		return Cooling, until
	}
	return Free, time.Time{}
}

// restsUntil is what a lease's annotation says; the zero time when it says nothing.
func restsUntil(l *coordinationv1.Lease) time.Time {
	until, err := time.Parse(time.RFC3339, l.Annotations[CoolingAnnotation])
	if err != nil {
		return time.Time{}
	}
	return until
}

// identity of a lease's holder; empty when nobody holds it.
func identity(l *coordinationv1.Lease) string {
	if l == nil || l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}

// transitions of a lease: its last fencing token.
func transitions(l *coordinationv1.Lease) int64 {
	if l == nil || l.Spec.LeaseTransitions == nil {
		return 0
	}
	return int64(*l.Spec.LeaseTransitions)
}

// Token that is to be written to all of an operation's leases: greater than any that they
// had, so that it grows for each resource, and the same when the operation takes them again.
func Token(leases []*coordinationv1.Lease, me Holder) int64 {
	var token int64
	for _, l := range leases {
		last := transitions(l)
		if identity(l) != me.String() {
			last++
		}
		token = max(token, last)
	}
	return token
}

// SystemNamespace holds the leases of hosts and of the site.
const SystemNamespace = "spine-system"

// Site is the resource that every disruptive operation takes: members of different services
// share hosts, so one disruption at a time in a site.
const Site = "site"

// Key is where the lease of a resource is: "service-NAME" in the operation's own namespace,
// all others ("host-NAME", "site") in SystemNamespace.
func Key(resource, namespace string) types.NamespacedName {
	if !strings.HasPrefix(resource, "service-") {
		namespace = SystemNamespace
	}
	return types.NamespacedName{Namespace: namespace, Name: "operation-" + resource}
}
