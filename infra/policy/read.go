// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// FromProperties are the values of a resource's properties as the engine holds them.
// saw is called with the text of each secret that is left behind; nil when nobody
// wants to know.
func FromProperties(properties resource.PropertyMap, saw func(secret string)) map[string]any {
	if saw == nil {
		saw = func(string) {}
	}
	values := make(map[string]any, len(properties))
	for key, v := range properties {
		values[string(key)] = fromProperty(v, saw)
	}
	return values
}

func fromProperty(v resource.PropertyValue, saw func(string)) any {
	switch {
	case v.IsSecret():
		texts(v.SecretValue().Element, saw)
		return Secret{}
	case v.IsOutput() && v.OutputValue().Secret:
		texts(v.OutputValue().Element, saw)
		return Secret{}
	case v.IsOutput() && v.OutputValue().Known:
		return fromProperty(v.OutputValue().Element, saw)
	case v.IsOutput(), v.IsComputed():
		return Unknown{}
	case v.IsBool():
		return v.BoolValue()
	case v.IsNumber():
		return v.NumberValue()
	case v.IsString():
		return v.StringValue()
	case v.IsArray():
		list := make([]any, len(v.ArrayValue()))
		for i, item := range v.ArrayValue() {
			list[i] = fromProperty(item, saw)
		}
		return list
	case v.IsObject():
		return FromProperties(v.ObjectValue(), saw)
	case v.IsResourceReference():
		return string(v.ResourceReferenceValue().URN)
	case v.IsAsset():
		return v.AssetValue().Hash
	case v.IsArchive():
		return v.ArchiveValue().Hash
	}
	return nil
}

// texts are all texts in a value, secret or not.
func texts(v resource.PropertyValue, saw func(string)) {
	switch {
	case v.IsSecret():
		texts(v.SecretValue().Element, saw)
	case v.IsOutput():
		texts(v.OutputValue().Element, saw)
	case v.IsString():
		saw(v.StringValue())
	case v.IsArray():
		for _, item := range v.ArrayValue() {
			texts(item, saw)
		}
	case v.IsObject():
		for _, field := range v.ObjectValue() {
			texts(field, saw)
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
	switch s {
	case Secret{}.String():
		return Secret{}
	case Unknown{}.String(), plugin.UnknownStringValue, plugin.UnknownBoolValue, plugin.UnknownNumberValue,
		plugin.UnknownArrayValue, plugin.UnknownObjectValue, plugin.UnknownAssetValue, plugin.UnknownArchiveValue:
		return Unknown{}
	}
	return s
}
