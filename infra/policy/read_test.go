// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/asset"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
)

const hidden = "hunter2-hunter2"

func TestFromWire(t *testing.T) {
	text := resource.NewStringProperty
	properties := resource.PropertyMap{
		"text":    text("a"),
		"number":  resource.NewNumberProperty(1.5),
		"bool":    resource.NewBoolProperty(true),
		"null":    resource.NewNullProperty(),
		"list":    resource.NewArrayProperty([]resource.PropertyValue{text("a"), resource.MakeSecret(text(hidden + "1"))}),
		"map":     resource.NewObjectProperty(resource.PropertyMap{"in": resource.MakeSecret(resource.NewObjectProperty(resource.PropertyMap{"deep": text(hidden + "2")}))}),
		"unknown": resource.MakeComputed(text("")),
		"output":  resource.NewOutputProperty(resource.Output{Element: text("known"), Known: true}),
		"asset":   resource.NewAssetProperty(&asset.Asset{Sig: resource.AssetSig, Hash: "0a", Text: hidden}),
		"archive": resource.NewArchiveProperty(&archive.Archive{Sig: resource.ArchiveSig, Hash: "0b", Path: hidden}),
		"other":   resource.MakeCustomResourceReference("urn:x", "id", ""),
		"__own":   text(hidden),
		"later":   resource.NewOutputProperty(resource.Output{Element: text(""), Known: false}),
		"sealed":  resource.NewOutputProperty(resource.Output{Element: resource.NewArrayProperty([]resource.PropertyValue{text(hidden + "3")}), Known: true, Secret: true}),
	}
	sent, err := plugin.MarshalProperties(properties, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepOutputValues: true, KeepResources: true})
	if err != nil {
		t.Fatal(err)
	}
	var saw []string
	got, err := FromWire(sent, func(s string) { saw = append(saw, s) })
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"text": "a", "number": 1.5, "bool": true, "null": nil, "list": []any{"a", Secret{}}, "map": map[string]any{"in": Secret{}},
		"unknown": Unknown{}, "output": "known", "asset": "0a", "archive": "0b", "other": "urn:x", "later": Unknown{}, "sealed": Secret{},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	slices.Sort(saw)
	if !slices.Equal(saw, []string{hidden + "1", hidden + "2", hidden + "3"}) {
		t.Errorf("the secrets seen are %v", saw)
	}
	if out, _ := json.Marshal(got); strings.Contains(string(out), hidden) || strings.Contains(fmt.Sprintf("%#v", got), hidden) {
		t.Error("a secret is in the values")
	}
}

// TestUnknownWire: what may be a secret of a later engine is not read as a plain value.
func TestUnknownWire(t *testing.T) {
	sent, err := structpb.NewStruct(map[string]any{"a": []any{map[string]any{resource.SigKey: "later", "value": hidden}}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := FromWire(sent, func(string) {}); !errors.Is(err, ErrWire) || !strings.HasPrefix(err.Error(), "a: ") || strings.Contains(err.Error(), hidden) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestFromJSON(t *testing.T) {
	for in, want := range map[string]any{
		`"a"`:                                 "a",
		`1`:                                   1.0,
		`null`:                                nil,
		`[true, "a"]`:                         []any{true, "a"},
		`{"a": {}}`:                           map[string]any{"a": map[string]any{}},
		`"[secret]"`:                          Secret{},
		`"[unknown]"`:                         Unknown{},
		`"not[secret]"`:                       "not[secret]",
		`"` + plugin.UnknownStringValue + `"`: Unknown{},
		`"` + plugin.UnknownObjectValue + `"`: Unknown{},
		`{"` + resource.SigKey + `": "` + resource.SecretSig + `", "ciphertext": "v1:x", "plaintext": "` + hidden + `"}`: Secret{},
		`{"` + resource.SigKey + `": "` + resource.OutputValueSig + `", "value": "` + hidden + `", "secret": true}`:      Secret{},
		`{"` + resource.SigKey + `": "` + resource.OutputValueSig + `", "value": {"a": "[secret]"}}`:                     map[string]any{"a": Secret{}},
		`{"` + resource.SigKey + `": "` + resource.OutputValueSig + `"}`:                                                 Unknown{},
		`{"` + resource.SigKey + `": "` + resource.ResourceReferenceSig + `", "urn": "urn:x"}`:                           "urn:x",
		`{"` + resource.SigKey + `": "c44067f5952c0a294b673a41bacd8c17", "hash": "0a", "text": "` + hidden + `"}`:        "0a",
	} {
		var v any
		if err := json.Unmarshal([]byte(in), &v); err != nil {
			t.Fatal(err)
		}
		if got := FromJSON(v); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", in, got, want)
		}
	}
	if got := FromJSON(json.Number("12")); got != 12.0 {
		t.Errorf("got %v", got)
	}
}

// FuzzFromWire: whatever the engine sends, a value that is marked as secret is gone.
func FuzzFromWire(f *testing.F) {
	for _, around := range []string{`{"a": ["b", {"c": %s}]}`, `{"a": {"` + resource.SigKey + `": "` + resource.OutputValueSig + `", "value": %s}}`} {
		f.Add(around)
	}
	f.Fuzz(func(t *testing.T, around string) {
		secret := `{"` + resource.SigKey + `": "` + resource.SecretSig + `", "value": "` + hidden + `"}`
		sent := &structpb.Struct{}
		if strings.Contains(around, hidden) || protojson.Unmarshal([]byte(strings.ReplaceAll(around, "%s", secret)), sent) != nil {
			return
		}
		got, err := FromWire(sent, func(string) {})
		if err != nil && !errors.Is(err, ErrWire) || strings.Contains(fmt.Sprintf("%#v %v", got, err), hidden) {
			t.Errorf("%#v, %v", got, err)
		}
	})
}

// FuzzFromJSON: whatever the engine writes, a value that is marked as secret is gone.
func FuzzFromJSON(f *testing.F) {
	f.Add(`{"a": ["b", {"c": %s}]}`)
	f.Add(`[%s, null, 1e400]`)
	f.Fuzz(func(t *testing.T, around string) {
		secret := `{"` + resource.SigKey + `": "` + resource.SecretSig + `", "plaintext": "` + hidden + `"}`
		var v any
		if strings.Contains(around, hidden) || json.Unmarshal([]byte(strings.ReplaceAll(around, "%s", secret)), &v) != nil {
			return
		}
		got := FromJSON(v)
		if strings.Contains(fmt.Sprintf("%#v", got), hidden) {
			t.Errorf("the secret is in %#v", got)
		}
		Node{Value: got}.Each(func(n Node) { _ = n.At("a", 0).Found("%v", n.Value) })
	})
}
