// SPDX-License-Identifier: Apache-2.0

// Package analyzer runs rules inside the Pulumi engine, as a policy pack: the engine
// asks about each resource before it is touched, and about all of them at the end of
// a preview and of an update.
package analyzer

import (
	"context"
	"sync"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"spine.nhs.uk/controlplane/infra/policy"
)

// Name is the pack's, as reports of the engine show it.
const Name = "spine"

// Version is the pack's.
const Version = "1.0.0"

// Analyzer answers the engine.
type Analyzer struct {
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

var _ plugin.Analyzer = (*Analyzer)(nil)

// New makes an analyzer of rules.
func New(rules []policy.Rule, now time.Time) *Analyzer {
	return &Analyzer{
		rules: rules, now: now,
		judged: map[string][]policy.Result{}, inputs: map[string]map[string]any{}, secrets: secrets{},
	}
}

// Name is the analyzer's.
func (a *Analyzer) Name() tokens.QName { return Name }

// GetPluginInfo says which version this is.
func (a *Analyzer) GetPluginInfo() (plugin.PluginInfo, error) {
	version := semver.MustParse(Version)
	return plugin.PluginInfo{Version: &version}, nil
}

// Configure: the rules have no settings. What an environment may do otherwise stands
// in its waivers.
func (a *Analyzer) Configure(map[string]plugin.AnalyzerPolicyConfig) error { return nil }

// Cancel has nothing to end: no answer takes long.
func (a *Analyzer) Cancel(context.Context) error { return nil }

// Close has nothing to close.
func (a *Analyzer) Close() error { return nil }

// Analyze judges one resource.
func (a *Analyzer) Analyze(r plugin.AnalyzerResource) (plugin.AnalyzeResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	planned := a.planned(r)
	results := policy.CheckResource(a.rules, planned, a.of(planned))
	a.judged[planned.URN], a.inputs[planned.URN] = results, planned.Inputs
	return a.answer(policy.Waive(results, a.waivers, a.now).Results), nil
}

// AnalyzeStack judges all resources together, and gives account of the waivers.
func (a *Analyzer) AnalyzeStack(resources []plugin.AnalyzerStackResource) (plugin.AnalyzeResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var stack policy.Stack
	var all []policy.Result
	for _, r := range resources {
		planned := a.planned(r.AnalyzerResource)
		planned.Outputs = planned.Inputs
		if inputs, ok := a.inputs[planned.URN]; ok {
			planned.Inputs = inputs
		}
		planned.Parent = string(r.Parent)
		for _, d := range r.Dependencies {
			planned.Dependencies = append(planned.Dependencies, string(d))
		}
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

// planned reads the engine's resource. Secrets are remembered, to be struck out of
// all that is said.
func (a *Analyzer) planned(r plugin.AnalyzerResource) policy.Resource {
	planned := policy.Resource{
		URN: string(r.URN), Type: string(r.Type), Name: r.Name,
		Inputs:  policy.FromProperties(r.Properties, a.secrets.add),
		Protect: r.Options.Protect, Parent: string(r.Options.Parent),
	}
	if p := r.Provider; p != nil {
		planned.Provider = &policy.Provider{
			URN: string(p.URN), Type: string(p.Type), Name: p.Name,
			Inputs: policy.FromProperties(p.Properties, a.secrets.add),
		}
	}
	return planned
}

// of is the resource's environment: what the engine said, or, when a state is judged
// that has no configuration, what stands in the URN.
func (a *Analyzer) of(r policy.Resource) policy.Environment {
	if a.environment.Stack != "" {
		return a.environment
	}
	return policy.EnvironmentOf(r.URN)
}
