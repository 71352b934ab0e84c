// SPDX-License-Identifier: Apache-2.0

package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

const urn = "urn:pulumi:test::spine::spine:aws:Broker$aws:mq/broker:Broker::messages"

func configured(t *testing.T) *server {
	t.Helper()
	s := &server{table: shapes(t)}
	_, err := s.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: wire(t, map[string]any{
		"allowedAccountIds": `["123456789012"]`, "defaultTags": map[string]any{"tags": map[string]any{"owner": "a", "service": "b"}},
	})})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wire(t *testing.T, m map[string]any) *structpb.Struct {
	t.Helper()
	s, err := write(values(m))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func inputs(extra ...any) map[string]any {
	m := map[string]any{"engineType": "RabbitMQ", "users": []any{map[string]any{"username": "a", "password": "p"}}}
	for i := 0; i < len(extra); i += 2 {
		m[extra[i].(string)] = extra[i+1]
	}
	return m
}

func TestDiff(t *testing.T) {
	own := map[string]any{"tagsAll": map[string]any{"owner": "a", "service": "b"}}
	tests := map[string]struct {
		state, next map[string]any
		want        map[string]pulumirpc.PropertyDiff_Kind
		replaces    []string
	}{
		"nothing":  {own, inputs(), map[string]pulumirpc.PropertyDiff_Kind{}, nil},
		"in place": {own, inputs("size", 2), map[string]pulumirpc.PropertyDiff_Kind{"size": pulumirpc.PropertyDiff_ADD}, nil},
		"replaced": {own, inputs("engineType", "ActiveMQ"), map[string]pulumirpc.PropertyDiff_Kind{"engineType": pulumirpc.PropertyDiff_UPDATE_REPLACE}, []string{"engineType"}},
		"replaced for a nested one": {own, inputs("users", []any{map[string]any{"username": "b", "password": "p"}}),
			map[string]pulumirpc.PropertyDiff_Kind{"users[0].username": pulumirpc.PropertyDiff_UPDATE_REPLACE}, []string{"users[0].username"}},
		"another nested one is not": {own, inputs("users", []any{map[string]any{"username": "a", "password": "q"}}),
			map[string]pulumirpc.PropertyDiff_Kind{"users[0].password": pulumirpc.PropertyDiff_UPDATE}, nil},
		"the provider's tags": {map[string]any{"tagsAll": map[string]any{"owner": "z", "service": "b"}}, inputs(),
			map[string]pulumirpc.PropertyDiff_Kind{"tagsAll": pulumirpc.PropertyDiff_UPDATE}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := configured(t).Diff(t.Context(), &pulumirpc.DiffRequest{
				Urn: urn, Olds: wire(t, test.state), OldInputs: wire(t, inputs()), News: wire(t, test.next),
			})
			if err != nil {
				t.Fatal(err)
			}
			kinds := map[string]pulumirpc.PropertyDiff_Kind{}
			for path, d := range got.GetDetailedDiff() {
				kinds[path] = d.GetKind()
			}
			if want := test.want; !reflect.DeepEqual(kinds, want) {
				t.Errorf("got %v\nwant %v", kinds, want)
			}
			if want := test.replaces; !reflect.DeepEqual(got.GetReplaces(), want) {
				t.Errorf("replaces got %v\nwant %v", got.GetReplaces(), want)
			}
			if changed := got.GetChanges() == pulumirpc.DiffResponse_DIFF_SOME; changed != (len(test.want) > 0) {
				t.Errorf("changes: %v", got.GetChanges())
			}
		})
	}
}

// In a preview what was not given is unknown; after that it is made up, the same each time.
func TestCreate(t *testing.T) {
	create := func(preview bool) (string, resource.PropertyMap) {
		got, err := configured(t).Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Preview: preview, Properties: wire(t, inputs("tags", map[string]any{"service": "own"}))})
		if err != nil {
			t.Fatal(err)
		}
		properties, err := read(got.GetProperties())
		if err != nil {
			t.Fatal(err)
		}
		return got.GetId(), properties
	}
	_, planned := create(true)
	if !planned["arn"].IsComputed() || planned["engineType"].StringValue() != "RabbitMQ" {
		t.Errorf("planned: %v", planned)
	}
	id, made := create(false)
	again, same := create(false)
	if id == "" || id != again || !made.DeepEquals(same) {
		t.Errorf("twice: %s %v, %s %v", id, made, again, same)
	}
	if arn := made["arn"].StringValue(); !strings.HasPrefix(arn, "arn:aws:mq:eu-west-2:123456789012:") {
		t.Errorf("arn: %s", arn)
	}
	if url := made["instances"].ArrayValue()[0].ObjectValue()["consoleUrl"].StringValue(); !strings.HasPrefix(url, "https://") || !strings.HasSuffix(url, ".invalid") {
		t.Errorf("url: %s", url)
	}
	want := values(map[string]any{"owner": "a", "service": "own"})
	if !made["tagsAll"].ObjectValue().DeepEquals(want) {
		t.Errorf("tags: %v", made["tagsAll"])
	}
}

func TestInvoke(t *testing.T) {
	s := configured(t)
	got, err := s.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:index/getCallerIdentity:getCallerIdentity"})
	if err != nil || got.GetReturn().AsMap()["accountId"] != "123456789012" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := s.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:ec2/getAmi:getAmi"}); err == nil || !strings.Contains(err.Error(), "as configuration") {
		t.Errorf("an account's own data: %v", err)
	}
}

// TestSettingsBecomeTexts: the released plugin hands lists and maps of its settings on as JSON, and so rules see them.
func TestSettingsBecomeTexts(t *testing.T) {
	s := &server{table: shapes(t)}
	got, err := s.CheckConfig(t.Context(), &pulumirpc.CheckRequest{News: wire(t, map[string]any{"region": "eu-west-2", "allowedAccountIds": []any{"123456789012"}})})
	if err != nil || len(got.GetFailures()) > 0 {
		t.Fatalf("%v, %v", err, got.GetFailures())
	}
	in := got.GetInputs().GetFields()
	if in["region"].GetStringValue() != "eu-west-2" || in["allowedAccountIds"].GetStringValue() != `["123456789012"]` {
		t.Errorf("the settings are %v", in)
	}
}
