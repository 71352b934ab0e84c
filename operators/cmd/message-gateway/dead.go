// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"spine.nhs.uk/controlplane/operators/workloads/kit/ops"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// listDead answers GET /dead-letters?supplier=S&after=ID&max=N: headers only, oldest first.
func (s *server) listDead(w http.ResponseWriter, r *http.Request) {
	g := s.gateway.Load()
	if g == nil {
		problem(w, http.StatusServiceUnavailable, errStarting.Error())
		return
	}
	query := r.URL.Query()
	most := 100
	if text := query.Get("max"); text != "" {
		var err error
		if most, err = strconv.Atoi(text); err != nil || most < 1 || most > 1000 {
			problem(w, http.StatusBadRequest, "max: expected 1 to 1000")
			return
		}
	}
	found, err := g.DeadLetters(r.Context(), query.Get("supplier"), query.Get("after"), most)
	if err != nil {
		problem(w, statusOf(err), err.Error())
		return
	}
	ops.WriteJSON(w, http.StatusOK, map[string]any{"deadLetters": append([]ledger.Dead{}, found...)})
}

// replayDead answers POST /dead-letters/replay {"supplier": S, "ids": [...]}: those, or up to 1000 of the supplier's.
func (s *server) replayDead(w http.ResponseWriter, r *http.Request) {
	g := s.gateway.Load()
	if g == nil {
		problem(w, http.StatusServiceUnavailable, errStarting.Error())
		return
	}
	var ask struct {
		Supplier string   `json:"supplier"`
		IDs      []string `json:"ids"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(&ask); err != nil || ask.Supplier == "" || len(ask.IDs) > 1000 {
		problem(w, http.StatusBadRequest, `expected {"supplier": "...", "ids": [at most 1000 message IDs; none for all]}`)
		return
	}
	n, err := g.Revive(r.Context(), ask.Supplier, ask.IDs)
	if err != nil {
		problem(w, statusOf(err), err.Error())
		return
	}
	s.log.Info("dead letters put back", "supplier", ask.Supplier, "messages", n)
	ops.WriteJSON(w, http.StatusOK, map[string]int{"replayed": n})
}

func statusOf(err error) int {
	if errors.Is(err, message.ErrNotFound) {
		return http.StatusNotFound
	}
	return http.StatusServiceUnavailable
}

func problem(w http.ResponseWriter, status int, text string) {
	ops.WriteJSON(w, status, map[string]string{"error": text})
}
