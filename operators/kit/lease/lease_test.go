// SPDX-License-Identifier: Apache-2.0

package lease

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// server keeps Leases as the API server does.
type server struct {
	leases map[client.ObjectKey]*coordinationv1.Lease
	// gone are holders that no longer exist, by name.
	gone map[string]bool
	// fail is the error of the n-th write from now; 0: none fails.
	fail   int
	writes int
}

var errBroken = errors.New("broken")

func (s *server) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	l, ok := s.leases[key]
	if !ok {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "leases"}, key.Name)
	}
	l.DeepCopyInto(into.(*coordinationv1.Lease))
	return nil
}

func (s *server) Create(_ context.Context, o client.Object, _ ...client.CreateOption) error {
	return s.put(o, true)
}

func (s *server) Update(_ context.Context, o client.Object, _ ...client.UpdateOption) error {
	return s.put(o, false)
}

func (s *server) put(o client.Object, create bool) error {
	if s.fail > 0 {
		if s.fail--; s.fail == 0 {
			return errBroken
		}
	}
	key := client.ObjectKeyFromObject(o)
	old, ok := s.leases[key]
	if ok == create || ok && old.ResourceVersion != o.GetResourceVersion() {
		return apierrors.NewConflict(schema.GroupResource{Resource: "leases"}, o.GetName(), errors.New("modified"))
	}
	s.writes++
	o.SetResourceVersion(strconv.Itoa(s.writes))
	s.leases[key] = o.(*coordinationv1.Lease).DeepCopy()
	return nil
}

func newServer() (*server, *Leases) {
	s := &server{leases: map[client.ObjectKey]*coordinationv1.Lease{}, gone: map[string]bool{}}
	return s, &Leases{Client: s, Exists: func(_ context.Context, h Holder) (bool, error) { return !s.gone[h.Name], nil }}
}

var (
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	keys = []client.ObjectKey{Key("service-spine", "spine-messaging"), Key(Site, "spine-messaging")}
)

func claim(name string) Claim {
	return Claim{Keys: keys, Me: Holder{"ServiceRecovery", "spine-messaging", name, "uid-of-1"}, Rested: true, Now: noon}
}

func at(t time.Time) func(client.ObjectKey) time.Time {
	return func(client.ObjectKey) time.Time { return t }
}

func acquire(t *testing.T, l *Leases, c Claim) int64 {
	t.Helper()
	token, refusal, err := l.Acquire(t.Context(), c)
	if err != nil || refusal != nil {
		t.Fatalf("got %+v, %v", refusal, err)
	}
	return token
}

func TestKeys(t *testing.T) {
	if got := keys[0].String(); got != "spine-messaging/operation-service-spine" {
		t.Error(got)
	}
	if got := keys[1].String(); got != "spine-system/operation-site" {
		t.Error(got)
	}
}

func TestOneHolds(t *testing.T) {
	_, l := newServer()
	a, b := claim("a"), claim("b")
	token := acquire(t, l, a)
	if again := acquire(t, l, a); again != token {
		t.Errorf("taking again what it holds made token %d of %d", again, token)
	}
	if err := l.Holds(t.Context(), keys, a.Me, token); err != nil {
		t.Error(err)
	}
	var lost *LostError
	if err := l.Holds(t.Context(), keys, a.Me, token+1); !errors.As(err, &lost) || lost.Token != token {
		t.Errorf("another token: %v", err)
	}
	if err := l.Holds(t.Context(), keys, b.Me, token); !errors.As(err, &lost) {
		t.Errorf("another holder: %v", err)
	}
	refusal, err := l.Look(t.Context(), b)
	if err != nil || refusal == nil || refusal.Holder == nil || refusal.Holder.Name != "a" {
		t.Errorf("got %+v, %v", refusal, err)
	}
	if _, refusal, _ := l.Acquire(t.Context(), b); refusal == nil {
		t.Error("b took what a holds")
	}
}

func TestTokensGrow(t *testing.T) {
	_, l := newServer()
	service := func(name string) Claim { c := claim(name); c.Keys, c.Rested = keys[:1], false; return c }
	site := func(name string) Claim { c := claim(name); c.Keys, c.Rested = keys[1:], false; return c }
	var last int64
	for i, c := range []Claim{service("a"), site("b"), site("c"), claim("d"), service("e"), claim("f")} {
		token := acquire(t, l, c)
		if shared := i >= 3; shared && token <= last {
			t.Errorf("%s got token %d after %d", c.Me.Name, token, last)
		}
		if err := l.Holds(t.Context(), c.Keys, c.Me, token); err != nil {
			t.Error(err)
		}
		last = max(last, token)
		if err := l.Release(t.Context(), c.Keys, c.Me, at(time.Time{})); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCoolDown(t *testing.T) {
	_, l := newServer()
	a, b := claim("a"), claim("b")
	acquire(t, l, a)
	if err := l.Release(t.Context(), keys, a.Me, at(noon.Add(time.Minute))); err != nil {
		t.Fatal(err)
	}
	if refusal, err := l.Look(t.Context(), b); err != nil || refusal == nil || refusal.Holder != nil || !refusal.Until.Equal(noon.Add(time.Minute)) {
		t.Errorf("got %+v, %v", refusal, err)
	}
	b.Rested = false
	if refusal, err := l.Look(t.Context(), b); err != nil || refusal != nil {
		t.Errorf("who disrupts nothing need not wait: %+v, %v", refusal, err)
	}
	acquire(t, l, b)
	if err := l.Release(t.Context(), keys, b.Me, at(time.Time{})); err != nil {
		t.Fatal(err)
	}
	c := claim("c")
	if refusal, err := l.Look(t.Context(), c); err != nil || refusal == nil {
		t.Errorf("who did not act cut the rest short: %+v, %v", refusal, err)
	}
	c.Now = noon.Add(time.Minute)
	acquire(t, l, c)
}

func TestWhatIsLeftBehindIsFree(t *testing.T) {
	s, l := newServer()
	token := acquire(t, l, claim("a"))
	s.gone["a"] = true
	if h, err := l.Holding(t.Context(), keys[0]); h != nil || err != nil {
		t.Errorf("got %v, %v", h, err)
	}
	if got := acquire(t, l, claim("b")); got <= token {
		t.Errorf("token %d after %d", got, token)
	}
	if err := l.Release(t.Context(), keys, claim("a").Me, at(time.Time{})); err != nil {
		t.Error(err)
	}
	if words, err := l.OnService(t.Context(), "spine-messaging", "spine"); words != "ServiceRecovery spine-messaging/b" || err != nil {
		t.Errorf("a gave back what b holds: %q, %v", words, err)
	}
}

// A crash between two writes leaves part of the leases held: it takes the rest later, or
// gives back what it has.
func TestHalfTaken(t *testing.T) {
	for fail := 1; fail <= 2; fail++ {
		s, l := newServer()
		s.fail = fail
		if _, _, err := l.Acquire(t.Context(), claim("a")); !errors.Is(err, errBroken) {
			t.Fatalf("got %v", err)
		}
		token := acquire(t, l, claim("a"))
		if err := l.Holds(t.Context(), keys, claim("a").Me, token); err != nil {
			t.Error(err)
		}
		s.fail = fail
		if err := l.Release(t.Context(), keys, claim("a").Me, at(time.Time{})); !errors.Is(err, errBroken) {
			t.Fatalf("got %v", err)
		}
		if err := l.Release(t.Context(), keys, claim("a").Me, at(time.Time{})); err != nil {
			t.Fatal(err)
		}
		acquire(t, l, claim("b"))
	}
}

func TestUnknownHolderBlocks(t *testing.T) {
	s, l := newServer()
	who := "somebody"
	s.leases[keys[0]] = &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: &who}}
	if _, err := l.Look(t.Context(), claim("a")); err == nil {
		t.Error("a lease of somebody unknown was taken for free")
	}
}

func FuzzParseHolder(f *testing.F) {
	f.Add("ServiceRecovery/spine-messaging/a/1")
	f.Add("///")
	f.Fuzz(func(t *testing.T, text string) {
		if h, err := ParseHolder(text); err == nil && h.String() != text {
			t.Errorf("%q became %q", text, h)
		}
	})
}
