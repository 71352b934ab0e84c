// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// The service directory changes by the hour and is read by every page, so it
// is kept for a few seconds. Slots and referrals are never cached.
const (
	cacheFor       = 5 * time.Second
	cacheMost      = 4096 // entries; past it the cache starts anew
	specialtyLimit = 5000 // services of one specialty that a search looks at
)

type serviceCache struct {
	store  Store
	now    func() time.Time
	flight singleflight.Group

	mu    sync.RWMutex
	lists map[string]cached[[]domain.Service]
	ones  map[int64]cached[domain.Service]
}

type cached[T any] struct {
	value T
	until time.Time
}

func newServiceCache(s Store, now func() time.Time) *serviceCache {
	return &serviceCache{store: s, now: now, lists: map[string]cached[[]domain.Service]{}, ones: map[int64]cached[domain.Service]{}}
}

// specialty returns a list that must not be changed.
func (c *serviceCache) specialty(ctx context.Context, code string) ([]domain.Service, error) {
	now := c.now()
	c.mu.RLock()
	hit, ok := c.lists[code]
	c.mu.RUnlock()
	if ok && now.Before(hit.until) {
		return hit.value, nil
	}
	// A caller that goes away must not fail the others that wait with it.
	got, err, _ := c.flight.Do(code, func() (any, error) {
		return c.store.Specialty(context.WithoutCancel(ctx), code, specialtyLimit)
	})
	if err != nil {
		return nil, err
	}
	list := got.([]domain.Service)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.lists) >= cacheMost {
		clear(c.lists)
	}
	c.lists[code] = cached[[]domain.Service]{value: list, until: now.Add(cacheFor)}
	return list, nil
}

func (c *serviceCache) one(ctx context.Context, id int64) (domain.Service, error) {
	now := c.now()
	c.mu.RLock()
	hit, ok := c.ones[id]
	c.mu.RUnlock()
	if ok && now.Before(hit.until) {
		return hit.value, nil
	}
	found, err := c.store.Services(ctx, []int64{id})
	if err != nil {
		return domain.Service{}, err
	}
	if len(found) == 0 {
		return domain.Service{}, domain.ErrNotFound
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ones) >= cacheMost {
		clear(c.ones)
	}
	c.ones[id] = cached[domain.Service]{value: found[0], until: now.Add(cacheFor)}
	return found[0], nil
}
