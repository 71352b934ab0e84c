// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"reflect"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Diff compares what is asked for with what was last seen on the machine, item
// by item, so that a preview names the file, unit or setting that will change
// and a repair after drift touches nothing else. It uses no network.
func (h *Host) Diff(_ context.Context, req infer.DiffRequest[HostInputs, HostState]) (infer.DiffResponse, error) {
	resp := infer.DiffResponse{DetailedDiff: map[string]p.PropertyDiff{}}
	for _, d := range compare(desired(req.Inputs.HostArgs), req.State.observed()) {
		resp.DetailedDiff[d.path] = p.PropertyDiff{Kind: d.kind}
	}
	for path, kind := range changedInputs(req.State.HostArgs, req.Inputs.HostArgs) {
		resp.DetailedDiff[path] = p.PropertyDiff{Kind: kind, InputDiff: true}
		// Another name or another pinned key is another machine. The new one
		// may stand at the old one's address, so the old one goes first.
		if kind == p.UpdateReplace {
			resp.DeleteBeforeReplace = true
		}
	}
	resp.HasChanges = len(resp.DetailedDiff) > 0
	return resp, nil
}

// changedInputs names the inputs that differ, with the kind of change. The
// identity file is no difference of the host: engineers keep theirs in
// different places.
func changedInputs(was, now HostArgs) map[string]p.DiffKind {
	out := map[string]p.DiffKind{}
	if was.SSH.HostKey != now.SSH.HostKey {
		out["ssh.hostKey"] = p.UpdateReplace
	}
	a, b := was.SSH.Target("", ""), now.SSH.Target("", "")
	if a.User != b.User {
		out["ssh.user"] = p.Update
	}
	if a.Port != b.Port {
		out["ssh.port"] = p.Update
	}
	wv, nv := reflect.ValueOf(was), reflect.ValueOf(now)
	for i := range wv.NumField() {
		name := wv.Type().Field(i).Tag.Get("pulumi")
		name, _, _ = strings.Cut(name, ",")
		w, n := wv.Field(i), nv.Field(i)
		switch {
		case name == "ssh" || reflect.DeepEqual(w.Interface(), n.Interface()) || empty(w) && empty(n):
		case name == "name":
			out[name] = p.UpdateReplace
		case empty(w):
			out[name] = p.Add
		case empty(n):
			out[name] = p.Delete
		default:
			out[name] = p.Update
		}
	}
	return out
}

// empty treats an absent list and an empty one alike, as both mean nothing.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		return v.Len() == 0
	}
	return v.IsZero()
}
