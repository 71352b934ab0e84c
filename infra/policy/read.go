// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"google.golang.org/protobuf/types/known/structpb"
)

// ErrWire says that the engine sent a value of a kind that this version does not know.
var ErrWire = errors.New("a value of a kind that this version does not know: build the rules with the SDK that belongs to this Pulumi")

// FromWire are the values of a resource's properties as the engine sends them, without
// those that are its own ("__defaults"). saw is called with each text of the secrets that
// are left behind. What is sent is read once, with nothing in between: a preview asks
// about each resource three times.
func FromWire(properties *structpb.Struct, saw func(secret string)) (map[string]any, error) {
	if _, signed := properties.GetFields()[resource.SigKey]; signed {
		return nil, ErrWire // Properties are many: these say that they are one value, a secret perhaps.
	}
	values := make(map[string]any, len(properties.GetFields()))
	for key, v := range properties.GetFields() {
		if resource.IsInternalPropertyKey(resource.PropertyKey(key)) {
			continue
		}
		value, err := fromWire(v, saw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		values[key] = value
	}
	return values, nil
}

func fromWire(v *structpb.Value, saw func(string)) (any, error) {
	switch v := v.GetKind().(type) {
	case *structpb.Value_BoolValue:
		return v.BoolValue, nil
	case *structpb.Value_NumberValue:
		return v.NumberValue, nil
	case *structpb.Value_StringValue:
		if unknown(v.StringValue) {
			return Unknown{}, nil
		}
		return v.StringValue, nil
	case *structpb.Value_ListValue:
		list := make([]any, len(v.ListValue.GetValues()))
		for i, item := range v.ListValue.GetValues() {
			value, err := fromWire(item, saw)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	case *structpb.Value_StructValue:
		fields := v.StructValue.GetFields()
		if signature, ok := fields[resource.SigKey]; ok {
			return fromSignedWire(signature.GetStringValue(), fields, saw)
		}
		return FromWire(v.StructValue, saw)
	}
	return nil, nil
}

// fromSignedWire reads what is no plain value.
func fromSignedWire(signature string, fields map[string]*structpb.Value, saw func(string)) (any, error) {
	switch signature {
	case resource.SecretSig:
		texts(fields["value"], saw)
		return Secret{}, nil
	case resource.OutputValueSig:
		value, known := fields["value"]
		switch {
		case fields["secret"].GetBoolValue():
			texts(value, saw)
			return Secret{}, nil
		case known:
			return fromWire(value, saw)
		}
		return Unknown{}, nil
	case resource.ResourceReferenceSig:
		return fields["urn"].GetStringValue(), nil
	case resource.AssetSig, resource.ArchiveSig:
		return fields["hash"].GetStringValue(), nil
	}
	return nil, ErrWire
}

// texts are all texts in a value, secret or not.
func texts(v *structpb.Value, saw func(string)) {
	switch v := v.GetKind().(type) {
	case *structpb.Value_StringValue:
		saw(v.StringValue)
	case *structpb.Value_ListValue:
		for _, item := range v.ListValue.GetValues() {
			texts(item, saw)
		}
	case *structpb.Value_StructValue:
		for key, field := range v.StructValue.GetFields() {
			if key != resource.SigKey {
				texts(field, saw)
			}
		}
	}
}

// FromJSON is the value of a property in a plan, a checkpoint or an event log, decoded
// from JSON.
func FromJSON(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if signature, ok := v[resource.SigKey]; ok {
			return fromSigned(signature, v)
		}
		fields := make(map[string]any, len(v))
		for key, field := range v {
			fields[key] = FromJSON(field)
		}
		return fields
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = FromJSON(item)
		}
		return list
	case string:
		return fromText(v)
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	}
	return v
}

// fromSigned reads what is no plain value: all that a rule may see of an output is
// its value, and of an asset that there is one.
func fromSigned(signature any, v map[string]any) any {
	switch signature {
	case resource.SecretSig:
		return Secret{}
	case resource.OutputValueSig:
		if secret, _ := v["secret"].(bool); secret {
			return Secret{}
		}
		if value, known := v["value"]; known {
			return FromJSON(value)
		}
		return Unknown{}
	case resource.ResourceReferenceSig:
		return v["urn"]
	}
	return v["hash"]
}

// fromText knows the texts that stand for a secret and for unknown values.
func fromText(s string) any {
	switch {
	case s == Secret{}.String():
		return Secret{}
	case s == Unknown{}.String(), unknown(s):
		return Unknown{}
	}
	return s
}

// unknown says whether a text stands for a value that the engine does not know yet.
func unknown(s string) bool {
	switch s {
	case plugin.UnknownStringValue, plugin.UnknownBoolValue, plugin.UnknownNumberValue,
		plugin.UnknownArrayValue, plugin.UnknownObjectValue, plugin.UnknownAssetValue, plugin.UnknownArchiveValue:
		return true
	}
	return false
}
