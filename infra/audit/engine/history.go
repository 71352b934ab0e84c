// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Update is one run of the engine that the backend has a record of.
type Update struct {
	// Number counts a stack's updates from 1.
	Number int
	// Kind is "update", "refresh", "destroy", "import" and the like.
	Kind string
	// Result is "succeeded" or "failed", or "in-progress" for one that was killed.
	Result         string
	Started, Ended time.Time
	Message        string
	// Commit is what was checked out; Dirty says that files differed from it.
	Commit string
	Dirty  bool
	// Author and Committer are those of the commit. Self-managed backends do not record who ran the update.
	Author, Committer string
	// Unjudged says why rules could not stop it; empty when they could.
	Unjudged string
	// Before and After are the states around it; nil where the backend has none.
	Before, After *Deployment
}

// ReadUpdate reads one record of a history.
func ReadUpdate(name string, text []byte) (*Update, error) {
	var u struct {
		Kind        string            `json:"kind"`
		StartTime   int64             `json:"startTime"`
		EndTime     int64             `json:"endTime"`
		Message     string            `json:"message"`
		Environment map[string]string `json:"environment"`
		Result      string            `json:"result"`
	}
	if err := json.Unmarshal(text, &u); err != nil {
		return nil, refuse(name, "the record is damaged: %v: restore the file from the backend's backup", err)
	}
	if !slices.Contains([]string{"update", "preview", "refresh", "rename", "destroy", "import", "resource-import"}, u.Kind) {
		return nil, refuse(name, "its kind is %q: it is no record of an update, or one of a newer Pulumi", u.Kind)
	}
	if !slices.Contains([]string{"not-started", "in-progress", "succeeded", "failed"}, u.Result) {
		return nil, refuse(name, "its result is %q: it is no record of an update, or one of a newer Pulumi", u.Result)
	}
	if u.StartTime <= 0 || u.EndTime != 0 && u.EndTime < u.StartTime {
		return nil, refuse(name, "it starts at %d and ends at %d: the record is damaged", u.StartTime, u.EndTime)
	}
	out := &Update{Kind: u.Kind, Result: u.Result, Message: u.Message, Started: time.Unix(u.StartTime, 0).UTC(),
		Commit: u.Environment["git.head"], Dirty: u.Environment["git.dirty"] == "true",
		Author: u.Environment["git.author"], Committer: u.Environment["git.committer"]}
	out.Unjudged = unjudged(out.Kind, u.Environment)
	if u.EndTime != 0 {
		out.Ended = time.Unix(u.EndTime, 0).UTC()
	}
	return out, nil
}

// unjudged tells from the flags and variables that Pulumi records whether rules were asked before anything was changed.
func unjudged(kind string, environment map[string]string) string {
	recorded := false
	for key := range environment {
		recorded = recorded || strings.HasPrefix(key, "pulumi.flag.")
	}
	switch {
	case kind != "update":
		return "" // Rules are asked about updates.
	case !recorded:
		return "whether rules were asked is not recorded"
	case environment["pulumi.flag.skip-preview"] == "true":
		return "it was run with --skip-preview: rules could not stop it before it changed anything"
	case environment["pulumi.flag.policy-pack"] == "" && environment["pulumi.env.PULUMI_OPTION_POLICY_PACK"] == "":
		return "it was run without the rules"
	}
	return ""
}
