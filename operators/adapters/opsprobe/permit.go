// SPDX-License-Identifier: Apache-2.0

package opsprobe

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"spine.nhs.uk/controlplane/operators/ports"
)

// Permit implements ports.Permits.
func (p *Prober) Permit(ctx context.Context, t ports.Target, permit ports.Permit) error {
	said := struct {
		Epoch   int64      `json:"epoch"`
		Until   *time.Time `json:"until,omitempty"`
		Endless bool       `json:"endless,omitempty"`
	}{Epoch: permit.Epoch, Endless: permit.Endless}
	if !permit.Until.IsZero() {
		said.Until = &permit.Until
	}
	body, err := json.Marshal(said)
	if err != nil {
		return err
	}
	var answer struct {
		Epoch *int64 `json:"epoch"`
	}
	if err := p.ask(ctx, t, http.MethodPost, "/permit", body, &answer, http.StatusOK); err != nil {
		return err
	}
	if answer.Epoch == nil || *answer.Epoch != permit.Epoch {
		return &ports.AnswerError{Target: t, Problem: "/permit without the epoch that it was given"}
	}
	return nil
}
