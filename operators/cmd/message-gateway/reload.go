// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/workloads/kit/ops"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/mesh"
)

const reloadEvery = 2 * time.Second

// reload takes up changed routes until ctx ends. Limits of memory and sizes are those of the start.
func (s *server) reload(ctx context.Context) {
	last, _ := os.ReadFile(s.options.config)
	tick := time.NewTicker(reloadEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		text, err := os.ReadFile(s.options.config)
		if err != nil || bytes.Equal(text, last) {
			continue
		}
		last = text
		config, err := api.DecodeGatewayConfig(text)
		if err != nil {
			s.log.Error("changed routes are not valid; the last good ones stay in use", "error", err)
			continue
		}
		s.routes.Set(config)
		s.log.Info("took up changed routes", "routes", len(config.Routes), "suppliers", len(config.Suppliers))
	}
}

const refusal = "the client certificate is not valid here: expired, or not by this service's clients' authority; connect with a current one"

func refuseMesh(w http.ResponseWriter, r *http.Request, _ error) { mesh.Refuse(w, r, refusal) }

func refuseBulk(w http.ResponseWriter, _ *http.Request, _ error) {
	ops.WriteJSON(w, http.StatusForbidden, map[string]any{"error": map[string]string{"code": "invalidCertificate", "message": refusal}})
}
