// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

func TestSettings(t *testing.T) {
	folded := map[string]any{
		"region": "eu-west-2", "allowedAccountIds": `["123456789012"]`, "stsRegion": "012345678901", "skipRegionValidation": "true",
		"defaultTags": `{"tags":{"owner":"[a team]","later":"` + plugin.UnknownStringValue + `"}}`, "token": Secret{}, "profile": "[not JSON", "retries": 3.0,
		"assumeRole": `{"` + resource.SigKey + `":"` + resource.SecretSig + `","value":"` + hidden + `"}`,
	}
	want := map[string]any{
		"region": "eu-west-2", "allowedAccountIds": []any{"123456789012"}, "stsRegion": "012345678901", "skipRegionValidation": "true",
		"defaultTags": map[string]any{"tags": map[string]any{"owner": "[a team]", "later": Unknown{}}}, "token": Secret{}, "profile": "[not JSON", "retries": 3.0,
		"assumeRole": Secret{},
	}
	if got := Settings("pulumi:providers:aws", folded); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	if folded["allowedAccountIds"] != `["123456789012"]` {
		t.Error("what was given is changed")
	}
	if got := Settings("aws:s3/bucketPolicy:BucketPolicy", map[string]any{"policy": `{"a":1}`}); got["policy"] != `{"a":1}` {
		t.Errorf("the policy of a bucket is taken apart: %v", got)
	}
	if Settings("pulumi:providers:aws", nil) != nil {
		t.Error("nothing has become something")
	}
}

func FuzzSettings(f *testing.F) {
	f.Add(`["1"]`)
	f.Add(`{"a":{"b":[null,1e9]}}`)
	f.Add("[secret]")
	f.Fuzz(func(t *testing.T, text string) {
		got := Settings("pulumi:providers:aws", map[string]any{"a": text})
		if _, err := json.Marshal(got); err != nil {
			t.Errorf("%q becomes what no report can show: %v", text, err)
		}
	})
}
