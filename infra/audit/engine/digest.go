// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"encoding/json"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// digest is the output of `pulumi preview --json`, as far as it is read.
type digest struct {
	Config      map[string]string `json:"config"`
	Diagnostics []struct {
		URN      string `json:"urn"`
		Message  string `json:"message"`
		Severity string `json:"severity"`
	} `json:"diagnostics"`
	MaybeCorrupt bool `json:"maybeCorrupt"`
	Steps        []struct {
		Op             apitype.OpType `json:"op"`
		URN            string         `json:"urn"`
		Provider       string         `json:"provider"`
		OldState       *digestState   `json:"oldState"`
		NewState       *digestState   `json:"newState"`
		ReplaceReasons []string       `json:"replaceReasons"`
		DetailedDiff   map[string]struct {
			Kind  string `json:"kind"`
			Input bool   `json:"inputDiff"`
		} `json:"detailedDiff"`
	} `json:"steps"`
	ChangeSummary map[apitype.OpType]int `json:"changeSummary"`
}

type digestState struct {
	Type           string         `json:"type"`
	Custom         bool           `json:"custom"`
	Delete         bool           `json:"delete"`
	Parent         string         `json:"parent"`
	Protect        bool           `json:"protect"`
	RetainOnDelete bool           `json:"retainOnDelete"`
	Provider       string         `json:"provider"`
	Inputs         map[string]any `json:"inputs"`
	Outputs        map[string]any `json:"outputs"`
	Dependencies   []string       `json:"dependencies"`
}

func (s *digestState) read() *state {
	if s == nil {
		return nil
	}
	return &state{custom: s.Custom, protect: s.Protect, retain: s.RetainOnDelete, pendingDelete: s.Delete, parent: s.Parent,
		inputs: values(s.Type, s.Inputs), outputs: values(s.Type, s.Outputs), dependencies: s.Dependencies}
}

func readDigest(name string, text []byte) (*Preview, error) {
	var d digest
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, refuse(name, "it is not the output of `pulumi preview --json`: %v", err)
	}
	p := &Preview{Config: d.Config, Failed: d.MaybeCorrupt}
	g := newGathering(name, p)
	for _, s := range d.Steps {
		out := part{op: s.Op, urn: s.URN, provider: s.Provider, keys: s.ReplaceReasons, old: s.OldState.read(), new: s.NewState.read()}
		for _, side := range []*digestState{s.NewState, s.OldState} {
			if side != nil && out.typ == "" {
				out.typ = side.Type
			}
			if side != nil && out.provider == "" {
				out.provider = side.Provider
			}
		}
		if s.DetailedDiff != nil {
			out.diff = map[string]Kind{}
			for path, k := range s.DetailedDiff {
				out.diff[path] = kindOf(k.Kind, k.Input)
			}
		}
		if err := g.add(out); err != nil {
			return nil, err
		}
	}
	for _, m := range d.Diagnostics {
		p.diagnostic(apitype.DiagnosticEvent{URN: m.URN, Message: m.Message, Severity: m.Severity})
	}
	g.finish()
	return p, nil
}
