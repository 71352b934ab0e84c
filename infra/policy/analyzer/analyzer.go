// SPDX-License-Identifier: Apache-2.0

// Package analyzer runs rules inside the Pulumi engine, as a policy pack: the engine
// asks about each resource before it is touched, and about all of them at the end of
// a preview and of an update.
package analyzer

import (
	"context"
	"fmt"
	"sync"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"spine.nhs.uk/controlplane/infra/policy"
)

// Name is the pack's, as reports of the engine show it.
const Name = "spine"

// Version is the pack's.
const Version = "1.0.0"

// environmentKey is where a stack's configuration has the environment, and in it the
// waivers.
const environmentKey = "spine:environment"

// Analyzer answers the engine's calls. (The SDK's own server reads every property into
// values of its own first, and does not pass on what the engine says about the stack.)
type Analyzer struct {
	// Calls that a later engine may add are answered by "there is no such thing".
	pulumirpc.UnimplementedAnalyzerServer

	rules []policy.Rule
	// now decides which waivers hold, for the whole of a run.
	now time.Time

	mu          sync.Mutex
	environment policy.Environment
	waivers     []policy.Waiver
	// judged holds what each resource's rules found, by URN, for the waivers' account
	// at the end, and inputs what the program asked for: stack-wide rules look at that.
	judged  map[string][]policy.Result
	inputs  map[string]map[string]any
	secrets secrets
}

// New makes an analyzer of rules.
func New(rules []policy.Rule, now time.Time) *Analyzer {
	return &Analyzer{
		rules: rules, now: now,
		judged: map[string][]policy.Result{}, inputs: map[string]map[string]any{}, secrets: secrets{},
	}
}

// Handshake has nothing to negotiate.
func (a *Analyzer) Handshake(context.Context, *pulumirpc.AnalyzerHandshakeRequest) (*pulumirpc.AnalyzerHandshakeResponse, error) {
	return &pulumirpc.AnalyzerHandshakeResponse{}, nil
}

// GetPluginInfo says which version this is.
func (a *Analyzer) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

// Configure: the rules have no settings. What an environment may do otherwise stands
// in its waivers.
func (a *Analyzer) Configure(context.Context, *pulumirpc.ConfigureAnalyzerRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// Cancel has nothing to end: no answer takes long.
func (a *Analyzer) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// ConfigureStack learns which stack is judged, and its waivers.
func (a *Analyzer) ConfigureStack(
	_ context.Context, r *pulumirpc.AnalyzerStackConfigureRequest,
) (*pulumirpc.AnalyzerStackConfigureResponse, error) {
	waivers, err := policy.DecodeWaivers([]byte(r.GetConfig()[environmentKey]))
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.environment = policy.Environment{Project: r.GetProject(), Stack: r.GetStack()}
	a.waivers = waivers
	for _, key := range r.GetConfigSecretKeys() {
		a.secrets.add(r.GetConfig()[key])
	}
	return &pulumirpc.AnalyzerStackConfigureResponse{}, nil
}

// Analyze judges one resource.
func (a *Analyzer) Analyze(_ context.Context, r *pulumirpc.AnalyzeRequest) (*pulumirpc.AnalyzeResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	planned, err := a.planned(r)
	if err != nil {
		return nil, err
	}
	results := policy.CheckResource(a.rules, planned, a.of(planned))
	a.judged[planned.URN], a.inputs[planned.URN] = results, planned.Inputs
	return a.answer(policy.Waive(results, a.waivers, a.now).Results), nil
}

// AnalyzeStack judges all resources together, and gives account of the waivers.
func (a *Analyzer) AnalyzeStack(_ context.Context, request *pulumirpc.AnalyzeStackRequest) (*pulumirpc.AnalyzeResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var stack policy.Stack
	var all []policy.Result
	for _, r := range request.GetResources() {
		planned, err := a.planned(r)
		if err != nil {
			return nil, err
		}
		planned.Outputs = planned.Inputs
		if inputs, ok := a.inputs[planned.URN]; ok {
			planned.Inputs = inputs
		}
		planned.Parent, planned.Dependencies = r.GetParent(), r.GetDependencies()
		stack.Resources = append(stack.Resources, planned)
		stack.Environment = a.of(planned)
		all = append(all, a.judged[planned.URN]...)
	}
	found := policy.CheckStack(a.rules, stack)
	answer := a.answer(policy.Waive(found, a.waivers, a.now).Results)
	for _, w := range policy.Waive(append(all, found...), a.waivers, a.now).Waivers {
		answer.Diagnostics = append(answer.Diagnostics, a.account(w))
	}
	return answer, nil
}

// sent is a resource as the engine sends it, by itself or among all.
type sent interface {
	GetUrn() string
	GetType() string
	GetName() string
	GetProperties() *structpb.Struct
	GetOptions() *pulumirpc.AnalyzerResourceOptions
	GetProvider() *pulumirpc.AnalyzerProviderResource
}

// planned reads the engine's resource. Secrets are remembered, to be struck out of
// all that is said.
func (a *Analyzer) planned(r sent) (policy.Resource, error) {
	planned := policy.Resource{
		URN: r.GetUrn(), Type: r.GetType(), Name: r.GetName(),
		Protect: r.GetOptions().GetProtect(), Parent: r.GetOptions().GetParent(),
	}
	var err error
	if planned.Inputs, err = policy.FromWire(r.GetProperties(), a.secrets.add); err != nil {
		return planned, fmt.Errorf("%s: %w", planned.URN, err)
	}
	planned.Inputs = policy.Settings(planned.Type, planned.Inputs)
	if p := r.GetProvider(); p != nil {
		planned.Provider = &policy.Provider{URN: p.GetUrn(), Type: p.GetType(), Name: p.GetName()}
		if planned.Provider.Inputs, err = policy.FromWire(p.GetProperties(), a.secrets.add); err != nil {
			return planned, fmt.Errorf("%s: %w", p.GetUrn(), err)
		}
		planned.Provider.Inputs = policy.Settings(planned.Provider.Type, planned.Provider.Inputs)
	}
	return planned, nil
}

// of is the resource's environment: what the engine said, or, when a state is judged
// that has no configuration, what stands in the URN.
func (a *Analyzer) of(r policy.Resource) policy.Environment {
	if a.environment.Stack != "" {
		return a.environment
	}
	return policy.EnvironmentOf(r.URN)
}
