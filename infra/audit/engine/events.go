// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// ReadPreview reads an event log (`pulumi preview --event-log`, `pulumi up --event-log`) or the output of
// `pulumi preview --json`. The name is what errors call it.
func ReadPreview(name string, text []byte) (*Preview, error) {
	var head struct {
		Sequence      *int            `json:"sequence"`
		Steps         json.RawMessage `json:"steps"`
		ChangeSummary json.RawMessage `json:"changeSummary"`
		ResourcePlans json.RawMessage `json:"resourcePlans"`
	}
	err := json.NewDecoder(bytes.NewReader(text)).Decode(&head)
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return nil, refuse(name, "it is empty: write it by `pulumi preview --event-log FILE`")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, refuse(name, "it ends in the middle: write it again, and wait for the engine to end")
	case err != nil:
		return nil, refuse(name, "it is not JSON: give the file of `pulumi preview --event-log FILE`, or the output of `pulumi preview --json`")
	case head.Sequence != nil:
		return readEvents(name, text)
	case head.Steps != nil || head.ChangeSummary != nil:
		return readDigest(name, text)
	case head.ResourcePlans != nil:
		return nil, refuse(name, "it is an update plan: give it as --plan, beside the event log of the preview that saved it")
	}
	return nil, refuse(name, "it is JSON, but neither an event log nor the output of `pulumi preview --json`")
}

// readEvents reads an event log, one event a line. A log tells the truth only when nothing is missing: events are
// numbered without gaps, and the last is the engine's closing one.
func readEvents(name string, text []byte) (*Preview, error) {
	p := &Preview{}
	g := newGathering(name, p)
	closed, summed := false, false
	d := json.NewDecoder(bytes.NewReader(text))
	for n := 0; ; n++ {
		var e apitype.EngineEvent
		err := d.Decode(&e)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, refuse(name, "event %d is cut off or no event of the engine: write it again, and wait for the engine to end", n)
		}
		if e.Sequence != n {
			return nil, refuse(name, "event %d is missing (the next is %d): give the log as the engine wrote it", n, e.Sequence)
		}
		if closed {
			return nil, refuse(name, "events follow the closing one: give the log of one run of the engine")
		}
		if err := g.event(e); err != nil {
			return nil, err
		}
		closed, summed = e.CancelEvent != nil, summed || e.SummaryEvent != nil
	}
	if !closed {
		return nil, refuse(name, "the engine's closing event is missing: the log is cut off, or its preview still runs")
	}
	refused := slices.ContainsFunc(p.Violations, func(v Violation) bool { return v.Mandatory })
	if !summed || p.ended && !refused {
		p.Failed = true
	}
	g.finish()
	return p, nil
}

func (g *gathering) event(e apitype.EngineEvent) error {
	p := g.preview
	switch {
	case e.PreludeEvent != nil:
		p.Config = e.PreludeEvent.Config
		p.Time = time.Unix(int64(e.Timestamp), 0).UTC()
	case e.ResourcePreEvent != nil:
		return g.add(fromMetadata(e.ResourcePreEvent.Metadata))
	case e.ResOutputsEvent != nil:
		return g.add(fromMetadata(e.ResOutputsEvent.Metadata))
	case e.ResOpFailedEvent != nil:
		p.Failed = true
		return g.add(fromMetadata(e.ResOpFailedEvent.Metadata))
	case e.DiagnosticEvent != nil:
		p.diagnostic(*e.DiagnosticEvent)
	case e.ErrorEvent != nil:
		p.Failed = true
		p.Diagnostics = append(p.Diagnostics, Diagnostic{Severity: "error", Message: e.ErrorEvent.Error})
	case e.PolicyEvent != nil:
		v := e.PolicyEvent
		p.Violations = append(p.Violations, Violation{Pack: v.PolicyPackName, Rule: v.PolicyName, URN: v.ResourceURN,
			Message: strings.TrimSpace(v.Message), Mandatory: v.EnforcementLevel == "mandatory"})
	case e.SummaryEvent != nil:
		p.Failed = p.Failed || e.SummaryEvent.MaybeCorrupt
	case e.CancelEvent != nil, e.StdoutEvent != nil, e.ProgressEvent != nil, e.PolicyLoadEvent != nil,
		e.PolicyRemediationEvent != nil, e.PolicyAnalyzeSummaryEvent != nil, e.PolicyRemediateSummaryEvent != nil,
		e.PolicyAnalyzeStackSummaryEvent != nil, e.StartDebuggingEvent != nil:
	default:
		p.Unread++
	}
	return nil
}

// diagnostic keeps what people have to read. An error means that the engine did not see everything.
func (p *Preview) diagnostic(e apitype.DiagnosticEvent) {
	severity, _, _ := strings.Cut(e.Severity, "#")
	message := strings.TrimSpace(e.Message)
	if message == "preview failed" || message == "update failed" {
		p.ended = true // It repeats what was said, or what rules found.
		return
	}
	p.Failed = p.Failed || severity == "error"
	if e.Ephemeral || message == "" || severity == "debug" {
		return
	}
	p.Diagnostics = append(p.Diagnostics, Diagnostic{URN: e.URN, Severity: severity, Message: message})
}

func fromMetadata(m apitype.StepEventMetadata) part {
	out := part{op: m.Op, urn: m.URN, typ: m.Type, keys: m.Keys, provider: m.Provider}
	out.old, out.new = fromState(m.Old), fromState(m.New)
	for _, s := range []*apitype.StepEventStateMetadata{m.New, m.Old} {
		if s != nil && out.provider == "" {
			out.provider = s.Provider
		}
	}
	if m.DetailedDiff != nil {
		out.diff = map[string]Kind{}
		for path, d := range m.DetailedDiff {
			out.diff[path] = kindOf(string(d.Kind), d.InputDiff)
		}
	}
	return out
}

func fromState(s *apitype.StepEventStateMetadata) *state {
	if s == nil {
		return nil
	}
	return &state{custom: s.Custom, protect: s.Protect, retain: s.RetainOnDelete, pendingDelete: s.Delete, parent: s.Parent,
		inputs: values(s.Type, s.Inputs), outputs: values(s.Type, s.Outputs)}
}
