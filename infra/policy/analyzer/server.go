// SPDX-License-Identifier: Apache-2.0

package analyzer

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"spine.nhs.uk/controlplane/infra/policy"
)

// environmentKey is where a stack's configuration has the environment, and in it the
// waivers.
const environmentKey = "spine:environment"

// server is the SDK's server, which does not pass on what the engine says about the
// stack. (The SDK's own policyx has neither stack-wide rules nor providers yet.)
type server struct {
	pulumirpc.AnalyzerServer
	analyzer *Analyzer
}

// Server answers the engine's calls by the analyzer.
func (a *Analyzer) Server() pulumirpc.AnalyzerServer {
	return &server{AnalyzerServer: plugin.NewAnalyzerServer(a), analyzer: a}
}

// ConfigureStack learns which stack is judged, and its waivers.
func (s *server) ConfigureStack(
	_ context.Context, r *pulumirpc.AnalyzerStackConfigureRequest,
) (*pulumirpc.AnalyzerStackConfigureResponse, error) {
	waivers, err := policy.DecodeWaivers([]byte(r.GetConfig()[environmentKey]))
	if err != nil {
		return nil, err
	}
	a := s.analyzer
	a.mu.Lock()
	defer a.mu.Unlock()
	a.environment = policy.Environment{Project: r.GetProject(), Stack: r.GetStack()}
	a.waivers = waivers
	for _, key := range r.GetConfigSecretKeys() {
		a.secrets.add(r.GetConfig()[key])
	}
	return &pulumirpc.AnalyzerStackConfigureResponse{}, nil
}
