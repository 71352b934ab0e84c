// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"html/template"
	"strings"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// cardsMost bounds the cache, in cards of about 500 bytes; past it the cache starts anew.
const cardsMost = 8192

// cards keeps what a search shows of a service. A search shows dozens of services that change by the day, and making
// their cards is most of the cost of the page.
type cards struct {
	mu   sync.RWMutex
	made map[cardKey]template.HTML
}

// cardKey is a state of a service: Updated changes with every change of it.
type cardKey struct {
	id      int64
	updated time.Time
	listed  bool
}

// found is a service and whether it is on the shortlist.
type found struct {
	domain.Service
	Listed bool
}

// cards makes the cards of services, in their order.
func (h *Handler) cards(services []found) (template.HTML, error) {
	var all strings.Builder
	for _, f := range services {
		key := cardKey{f.ID, f.Updated, f.Listed}
		h.kept.mu.RLock()
		card, ok := h.kept.made[key]
		h.kept.mu.RUnlock()
		if !ok {
			var one strings.Builder
			if err := h.templates["services"].ExecuteTemplate(&one, "card", f); err != nil {
				return "", err
			}
			card = template.HTML(one.String())
			h.kept.keep(key, card)
		}
		all.WriteString(string(card))
	}
	return template.HTML(all.String()), nil
}

func (c *cards) keep(key cardKey, card template.HTML) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.made) >= cardsMost {
		clear(c.made)
	}
	c.made[key] = card
}
