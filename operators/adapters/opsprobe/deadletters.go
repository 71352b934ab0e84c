// SPDX-License-Identifier: Apache-2.0

package opsprobe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"spine.nhs.uk/controlplane/operators/ports"
)

// ListDead implements ports.DeadLetters.
func (p *Prober) ListDead(ctx context.Context, t ports.Target, supplier, after string) ([]ports.DeadLetter, error) {
	var answer struct {
		DeadLetters []ports.DeadLetter `json:"deadLetters"`
	}
	query := url.Values{"supplier": {supplier}, "max": {strconv.Itoa(ports.MaxDeadLetters)}}
	if after != "" {
		query.Set("after", after)
	}
	if err := p.get(ctx, t, "/dead-letters?"+query.Encode(), &answer, http.StatusOK); err != nil {
		return nil, err
	}
	for _, d := range answer.DeadLetters {
		// Going on after an empty ID would begin again.
		if d.ID == "" || d.At.IsZero() {
			return nil, &ports.AnswerError{Target: t, Problem: "/dead-letters with a dead letter that has no id or no time"}
		}
	}
	return answer.DeadLetters, nil
}

// ReplayDead implements ports.DeadLetters.
func (p *Prober) ReplayDead(ctx context.Context, t ports.Target, supplier string, ids []string) (int, error) {
	// The program takes no IDs for all of them, which is not what a caller with none means.
	if len(ids) == 0 || len(ids) > ports.MaxDeadLetters {
		return 0, fmt.Errorf("%d dead letters to put back: expected 1 to %d", len(ids), ports.MaxDeadLetters)
	}
	body, err := json.Marshal(map[string]any{"supplier": supplier, "ids": ids})
	if err != nil {
		return 0, err
	}
	var answer struct {
		Replayed *int `json:"replayed"`
	}
	if err := p.ask(ctx, t, http.MethodPost, "/dead-letters/replay", body, &answer, http.StatusOK); err != nil {
		return 0, err
	}
	if answer.Replayed == nil || *answer.Replayed < 0 || *answer.Replayed > len(ids) {
		return 0, &ports.AnswerError{Target: t, Problem: "/dead-letters/replay without a number of messages that were put back"}
	}
	return *answer.Replayed, nil
}
