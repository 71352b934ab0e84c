// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"spine.nhs.uk/controlplane/hack/awsdouble/table"
)

// server answers the engine. It reaches nothing and remembers nothing but its provider's settings: what it made is in the
// stack's state only.
type server struct {
	// Calls that the engine makes of no custom resource are left to the embedded server, which refuses them.
	pulumirpc.UnimplementedResourceProviderServer
	table *table.Table

	mu sync.Mutex
	// account and tags are settings of the provider: the account that it may touch, and the tags of everything.
	account string
	tags    resource.PropertyMap
}

// keep says what values may be on the way in and out. Secrets are the engine's: it gives plain values and marks what it
// gets back.
var keep = plugin.MarshalOptions{KeepUnknowns: true, SkipNulls: true}

func read(s *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(s, keep)
}

func write(m resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(m, keep)
}

func (s *server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: s.table.SDK}, nil
}

func (s *server) Attach(context.Context, *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (s *server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// CheckConfig holds a provider's settings against the SDK's types, and hands them back as the released plugin does.
func (s *server) CheckConfig(_ context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	settings, err := read(r.GetNews())
	if err != nil {
		return nil, err
	}
	inputs, err := write(encoded(settings))
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CheckResponse{Inputs: inputs, Failures: failed(checkProvider(s.table, settings))}, nil
}

// DiffConfig: another account or region is another place, so that everything there is another thing.
func (s *server) DiffConfig(_ context.Context, r *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	old, next, err := both(r)
	if err != nil {
		return nil, err
	}
	return diff(&table.Type{Replaces: []string{"region"}}, decoded(old), decoded(next)), nil
}

func (s *server) Configure(_ context.Context, r *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	settings, err := read(r.GetArgs())
	if err != nil {
		return nil, err
	}
	settings = decoded(settings)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account, s.tags = account, resource.PropertyMap{}
	if v := settings["allowedAccountIds"]; v.IsArray() && len(v.ArrayValue()) == 1 && v.ArrayValue()[0].IsString() {
		s.account = v.ArrayValue()[0].StringValue()
	}
	if v := settings["defaultTags"]; v.IsObject() && v.ObjectValue()["tags"].IsObject() {
		s.tags = v.ObjectValue()["tags"].ObjectValue()
	}
	return &pulumirpc.ConfigureResponse{SupportsPreview: true}, nil
}

// Check names everything that the SDK's types do not allow.
func (s *server) Check(_ context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	inputs, err := read(r.GetNews())
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CheckResponse{Inputs: r.GetNews(), Failures: failed(check(s.table, tokenOf(r.GetUrn()), inputs))}, nil
}

// Diff compares inputs; and the tags that come from the provider, which are no input of the resource.
func (s *server) Diff(_ context.Context, r *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	old, next, err := both(r)
	if err != nil {
		return nil, err
	}
	typ := s.typeOf(r.GetUrn())
	answer := diff(typ, old, next)
	state, err := read(r.GetOlds())
	if err != nil {
		return nil, err
	}
	before, had := state["tagsAll"]
	if had && !before.DeepEquals(resource.NewObjectProperty(s.allTags(next))) && answer.DetailedDiff["tags"] == nil {
		answer.DetailedDiff["tagsAll"] = &pulumirpc.PropertyDiff{Kind: pulumirpc.PropertyDiff_UPDATE}
		answer.Diffs = append(answer.Diffs, "tagsAll")
		answer.Changes = pulumirpc.DiffResponse_DIFF_SOME
	}
	return answer, nil
}

// Create makes up what AWS would have said; in a preview that is not known yet.
func (s *server) Create(_ context.Context, r *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	m := s.maker(r.GetUrn())
	inputs, err := read(r.GetProperties())
	if err != nil {
		return nil, err
	}
	properties, err := s.outputs(m, inputs, r.GetPreview())
	if err != nil {
		return nil, err
	}
	if r.GetPreview() {
		return &pulumirpc.CreateResponse{Properties: properties}, nil
	}
	return &pulumirpc.CreateResponse{Id: m.id(inputs), Properties: properties}, nil
}

// Update keeps the identifiers, which do not depend on what can be changed in place.
func (s *server) Update(_ context.Context, r *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	inputs, err := read(r.GetNews())
	if err != nil {
		return nil, err
	}
	properties, err := s.outputs(s.maker(r.GetUrn()), inputs, false)
	return &pulumirpc.UpdateResponse{Properties: properties}, err
}

// Read finds what the state says: there is nothing else to look at.
func (s *server) Read(_ context.Context, r *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	return &pulumirpc.ReadResponse{Id: r.GetId(), Properties: r.GetProperties(), Inputs: r.GetInputs()}, nil
}

func (s *server) Delete(context.Context, *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (s *server) Invoke(_ context.Context, r *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer, err := invoke(r.GetTok(), s.account)
	if err != nil {
		return nil, err
	}
	value, err := structpb.NewStruct(answer)
	return &pulumirpc.InvokeResponse{Return: value}, err
}

func (s *server) outputs(m *maker, inputs resource.PropertyMap, preview bool) (*structpb.Struct, error) {
	typ := s.table.Types[m.token]
	out := m.outputs(typ, inputs, s.allTags(inputs))
	if preview {
		for key := range out {
			if _, given := inputs[key]; !given && key != "tagsAll" {
				out[key] = resource.MakeComputed(resource.NewStringProperty(""))
			}
		}
	}
	return write(out)
}

// allTags are those of a resource with those that the provider gives to all; its own come first.
func (s *server) allTags(inputs resource.PropertyMap) resource.PropertyMap {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.tags.Copy()
	if v := inputs["tags"]; v.IsObject() {
		maps.Copy(out, v.ObjectValue())
	}
	return out
}

func (s *server) maker(urn string) *maker {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &maker{table: s.table, account: s.account, token: tokenOf(urn), name: urn[strings.LastIndex(urn, "::")+2:]}
}

// typeOf is the shape of a resource's type. Check has refused what has none.
func (s *server) typeOf(urn string) *table.Type {
	if t, ok := s.table.Types[tokenOf(urn)]; ok {
		return t
	}
	return &table.Type{}
}

// tokenOf is the type in a URN, without those of the components around it.
func tokenOf(urn string) string { return string(resource.URN(urn).Type()) }

func both(r *pulumirpc.DiffRequest) (old, next resource.PropertyMap, err error) {
	if old, err = read(r.GetOldInputs()); err != nil {
		return nil, nil, err
	}
	next, err = read(r.GetNews())
	return old, next, err
}

func failed(failures []failure) []*pulumirpc.CheckFailure {
	var out []*pulumirpc.CheckFailure
	for _, f := range slices.Compact(failures) {
		out = append(out, &pulumirpc.CheckFailure{Property: f.path, Reason: f.reason})
	}
	return out
}
