// SPDX-License-Identifier: Apache-2.0

package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"spine.nhs.uk/controlplane/hack/awsdouble/table"
)

const broker = "aws:mq/broker:Broker"

// shapes is a small table, so that tests do not follow the SDK.
func shapes(t *testing.T) *table.Table {
	t.Helper()
	s, err := table.Parse([]byte(`{
		"sdk": "6.83.2",
		"provider": {"region": "string", "allowedAccountIds": "[string]", "defaultTags": "#aws.Tags", "insecure": "bool"},
		"types": {"aws:mq/broker:Broker": {
			"inputs": {"engineType": "string!", "users": "[#mq.User]!", "subnetIds": "[string]", "tags": "{string}", "size": "int", "name": "string"},
			"outputs": {"engineType": "string!", "arn": "string!", "instances": "[#mq.Instance]!", "tagsAll": "{string}!", "tags": "{string}", "name": "string!"},
			"replaces": ["engineType", "users.username"]
		}},
		"objects": {
			"aws.Tags": {"tags": "{string}"},
			"mq.User": {"username": "string!", "password": "string!", "admin": "bool"},
			"mq.Instance": {"endpoints": "[string]", "consoleUrl": "string"}
		}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// values makes properties of plain values; "?" is unknown, and a leading "!" makes a secret.
func values(m map[string]any) resource.PropertyMap {
	return resource.NewPropertyMapFromMapRepl(m, nil, func(v any) (resource.PropertyValue, bool) {
		text, ok := v.(string)
		switch {
		case !ok:
			return resource.PropertyValue{}, false
		case text == "?":
			return resource.MakeComputed(resource.NewStringProperty("")), true
		case strings.HasPrefix(text, "!"):
			return resource.MakeSecret(resource.NewStringProperty(text[1:])), true
		}
		return resource.PropertyValue{}, false
	})
}

func user(extra ...any) map[string]any {
	m := map[string]any{"username": "a", "password": "!p"}
	for i := 0; i < len(extra); i += 2 {
		m[extra[i].(string)] = extra[i+1]
	}
	return m
}

func TestCheck(t *testing.T) {
	tests := map[string]struct {
		token  string
		inputs map[string]any
		want   []failure
	}{
		"all well": {broker, map[string]any{
			"engineType": "RabbitMQ", "users": []any{user()}, "subnetIds": []any{"?"}, "tags": map[string]any{"a": "b"}, "size": 3,
		}, nil},
		"unknown values pass": {broker, map[string]any{"engineType": "?", "users": "?"}, nil},
		"everything at once": {broker, map[string]any{
			"users": []any{user("admin", "yes", "pasword", "x"), "root"}, "subnetId": "a", "tags": map[string]any{"n": 1}, "size": 1.5, "subnetIds": "a",
		}, []failure{
			{"engineType", "is required"},
			{"size", "is a number: it must be a whole number"},
			{"subnetId", "is no property of this type; it has subnetIds"},
			{"subnetIds", "is a text: it must be a list"},
			{`tags["n"]`, "is a number: it must be a text"},
			{"users[0].admin", "is a text: it must be true or false"},
			{"users[0].pasword", "is no property of this type; it has password"},
			{"users[1]", "is a text: it must be an object"},
		}},
		"null is not given": {broker, map[string]any{"engineType": nil, "users": []any{user()}}, []failure{{"engineType", "is required"}}},
		"another type": {"aws:mq/other:Other", nil, []failure{{"", "the stand-in has no shape of aws:mq/other:Other: " +
			"`go generate ./hack/awsdouble` reads it from the SDK, once a program calls its constructor"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := check(shapes(t), test.token, values(test.inputs))
			if want := test.want; !reflect.DeepEqual(got, want) {
				t.Errorf("got %v\nwant %v", got, want)
			}
		})
	}
}

// A failure never tells a value: it may be a secret.
func TestCheckTellsNoValue(t *testing.T) {
	const hidden = "Hidden-In-Plain-Sight"
	for _, f := range check(shapes(t), broker, values(map[string]any{"size": "!" + hidden, "users": hidden, "engineType": []any{hidden}})) {
		if strings.Contains(f.reason, hidden) || strings.Contains(f.path, hidden) {
			t.Errorf("tells it: %+v", f)
		}
	}
}

func TestCheckProvider(t *testing.T) {
	tests := map[string]struct {
		settings map[string]any
		want     []failure
	}{
		"plain":          {map[string]any{"region": "eu-west-2", "allowedAccountIds": []any{"1"}, "version": "6.83.2"}, nil},
		"as JSON":        {map[string]any{"allowedAccountIds": `["1"]`, "defaultTags": `{"tags":{"a":"b"}}`, "insecure": "false"}, nil},
		"wrong in JSON":  {map[string]any{"defaultTags": `{"tag":{"a":"b"}}`}, []failure{{"defaultTags.tag", "is no property of this type; it has tags"}}},
		"an unknown one": {map[string]any{"regoin": "eu-west-2"}, []failure{{"regoin", "is no property of this type; it has region"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := checkProvider(shapes(t), values(test.settings))
			if want := test.want; !reflect.DeepEqual(got, want) {
				t.Errorf("got %v\nwant %v", got, want)
			}
		})
	}
}
