// SPDX-License-Identifier: Apache-2.0

package lease

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Client is what leases need of a client. Get must read what is there now, not a cache.
type Client interface {
	Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error
	Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error
	Update(ctx context.Context, o client.Object, opts ...client.UpdateOption) error
}

// Leases takes and gives back.
type Leases struct {
	// Client reads and writes Leases.
	Client Client
	// Exists says whether an operation of that UID is still there.
	Exists func(context.Context, Holder) (bool, error)
}

// Refusal is why a lease cannot be taken now.
type Refusal struct {
	// Lease that is not free.
	Lease client.ObjectKey
	// Holder, when another operation has it; nil when it cools down.
	Holder *Holder
	// Until when it cools down.
	Until time.Time
}

// LostError: a lease is not the operation's any more, or never was with that token.
type LostError struct {
	// Lease that was lost.
	Lease client.ObjectKey
	// Holder and Token that it has now; an empty holder is nobody.
	Holder string
	Token  int64
}

func (e *LostError) Error() string {
	who := e.Holder
	if who == "" {
		who = "nobody"
	}
	return fmt.Sprintf("lease %s is held by %s with token %d", e.Lease, who, e.Token)
}

// Look says whether an operation could take all leases now; it takes none. Nil: it could.
func (s *Leases) Look(ctx context.Context, c Claim) (*Refusal, error) {
	_, refusal, err := s.read(ctx, c)
	return refusal, err
}

// Acquire takes all leases, in their order, and returns their token; or says which is not
// free and takes none. After an error or a refusal it may hold some of them: call it again,
// or Release. Taking again what it holds changes nothing.
func (s *Leases) Acquire(ctx context.Context, c Claim) (int64, *Refusal, error) {
	leases, refusal, err := s.read(ctx, c)
	if err != nil || refusal != nil {
		return 0, refusal, err
	}
	token := Token(leases, c.Me)
	for i, l := range leases {
		if identity(l) == c.Me.String() && transitions(l) == token {
			continue
		}
		if err := s.take(ctx, c.Keys[i], l, c, token); err != nil {
			return 0, nil, fmt.Errorf("lease %s: %w", c.Keys[i], err)
		}
	}
	return token, nil, nil
}

func (s *Leases) take(ctx context.Context, key client.ObjectKey, l *coordinationv1.Lease, c Claim, token int64) error {
	never := l == nil
	if never {
		l = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	}
	at := metav1.NewMicroTime(c.Now)
	l.Spec.HolderIdentity, l.Spec.LeaseTransitions = ptr.To(c.Me.String()), ptr.To(int32(token))
	l.Spec.AcquireTime, l.Spec.RenewTime = &at, &at
	if never {
		return s.Client.Create(ctx, l)
	}
	return s.Client.Update(ctx, l)
}

// Holds returns a *LostError unless the operation holds all leases with the token.
func (s *Leases) Holds(ctx context.Context, keys []client.ObjectKey, me Holder, token int64) error {
	for _, key := range keys {
		l, err := s.get(ctx, key)
		if err != nil {
			return err
		}
		if identity(l) != me.String() || transitions(l) != token {
			return &LostError{Lease: key, Holder: identity(l), Token: transitions(l)}
		}
	}
	return nil
}

// Release gives back what of the leases the operation holds; cooling says until when each
// may not be taken again, the zero time at once. It tries all of them.
func (s *Leases) Release(ctx context.Context, keys []client.ObjectKey, me Holder, cooling func(client.ObjectKey) time.Time) error {
	var errs []error
	for _, key := range keys {
		l, err := s.get(ctx, key)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if identity(l) != me.String() {
			continue
		}
		l.Spec.HolderIdentity, l.Spec.RenewTime = nil, nil
		// A rest that began before it took the lease is not cut short.
		if until := cooling(key); until.After(restsUntil(l)) {
			metav1.SetMetaDataAnnotation(&l.ObjectMeta, CoolingAnnotation, until.UTC().Format(time.RFC3339))
		}
		if err := s.Client.Update(ctx, l); err != nil {
			errs = append(errs, fmt.Errorf("lease %s: %w", key, err))
		}
	}
	return errors.Join(errs...)
}

// Holding returns who holds a lease; nil when nobody does, or one who no longer exists.
func (s *Leases) Holding(ctx context.Context, key client.ObjectKey) (*Holder, error) {
	l, err := s.get(ctx, key)
	if err != nil || identity(l) == "" {
		return nil, err
	}
	return s.living(ctx, key, l)
}

// OnService says in words which operation holds a service; empty when none does.
func (s *Leases) OnService(ctx context.Context, namespace, name string) (string, error) {
	h, err := s.Holding(ctx, Key("service-"+name, namespace))
	if err != nil || h == nil {
		return "", err
	}
	return h.Kind + " " + h.Namespace + "/" + h.Name, nil
}

// read gets all leases; those never taken are nil. It refuses on the first that is not free.
func (s *Leases) read(ctx context.Context, c Claim) ([]*coordinationv1.Lease, *Refusal, error) {
	var out []*coordinationv1.Lease
	for _, key := range c.Keys {
		l, err := s.get(ctx, key)
		if err != nil {
			return nil, nil, err
		}
		switch verdict, until := Judge(l, c); verdict {
		case Cooling:
			return nil, &Refusal{Lease: key, Until: until}, nil
		case Held:
			holder, err := s.living(ctx, key, l)
			if err != nil {
				return nil, nil, err
			}
			if holder != nil {
				return nil, &Refusal{Lease: key, Holder: holder}, nil
			}
		}
		out = append(out, l)
	}
	return out, nil, nil
}

// living returns a lease's holder, or nil when that no longer exists.
func (s *Leases) living(ctx context.Context, key client.ObjectKey, l *coordinationv1.Lease) (*Holder, error) {
	holder, err := ParseHolder(identity(l))
	if err != nil {
		return nil, fmt.Errorf("lease %s: %w", key, err)
	}
	exists, err := s.Exists(ctx, holder)
	if err != nil {
		return nil, fmt.Errorf("lease %s: whether %s still exists: %w", key, holder, err)
	}
	if !exists {
		return nil, nil
	}
	return &holder, nil
}

func (s *Leases) get(ctx context.Context, key client.ObjectKey) (*coordinationv1.Lease, error) {
	l := &coordinationv1.Lease{}
	if err := s.Client.Get(ctx, key, l); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return nil, nil
		}
		return nil, fmt.Errorf("lease %s: %w", key, err)
	}
	return l, nil
}

// operationKind is the one kind of operations whose existence can be looked up.
const operationKind = "ServiceRecovery"

// New returns Leases of a client that reads Leases and operations as they are now. A holder
// of a kind that is not known counts as there: nobody but its own operator can tell.
func New(c client.Client) *Leases {
	return &Leases{Client: c, Exists: func(ctx context.Context, h Holder) (bool, error) {
		if h.Kind != operationKind {
			return true, nil
		}
		var o api.ServiceRecovery
		if err := c.Get(ctx, client.ObjectKey{Namespace: h.Namespace, Name: h.Name}, &o); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		return o.UID == h.UID, nil
	}}
}
