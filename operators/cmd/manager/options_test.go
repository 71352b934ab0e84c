// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"spine.nhs.uk/controlplane/operators/manifests"
)

func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want []string // parts of the error; none means that they are good
	}{
		"defaults":     {nil, nil},
		"edge address": {[]string{"--edge-address=10.90.0.101"}, nil},
		"all bad at once": {
			[]string{"--edge-address=edge", "--messaging-namespace=Spine", "--tls-dir=", "--metrics-address=8446", "--ssh-port=0", "--third-place=Azure"},
			[]string{`--edge-address: "edge"`, `--messaging-namespace: "Spine"`, "--tls-dir: name", `--metrics-address: "8446"`, "--ssh-port: must be 1 to 65535", `--third-place: "Azure" must be NameServer or AWS`},
		},
		"no namespace": {[]string{"--booking-namespace="}, []string{`--booking-namespace: ""`}},
	} {
		t.Run(name, func(t *testing.T) {
			o := defaults()
			f := pflag.NewFlagSet("", pflag.ContinueOnError)
			o.flags(f)
			if err := f.Parse(c.args); err != nil {
				t.Fatal(err)
			}
			err := o.validate()
			if (err != nil) != (len(c.want) > 0) {
				t.Fatalf("got %v", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
		})
	}
}

// What is mounted is where the manager looks for it.
func TestDeploymentMountsTheRulesOfOperations(t *testing.T) {
	text, err := manifests.FS.ReadFile("deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir, file := filepath.Split(defaults().operationsConfig)
	if want := "name: operations, mountPath: " + strings.TrimSuffix(dir, "/") + ","; !strings.Contains(string(text), want) || file != "operations.yaml" {
		t.Errorf("deployment.yaml lacks %q, or the file is not operations.yaml but %s", want, file)
	}
}

// The manager is given the witness and the director of one place.
func TestThirdPlace(t *testing.T) {
	for place, want := range map[string]string{
		placeNameServer: "*rfc2136.Witness *rfc2136.Traffic", placeAWS: "*dynamodb.Witness *route53.Traffic",
	} {
		o := defaults()
		o.thirdPlace = place
		if witness, traffic := third(o); fmt.Sprintf("%T %T", witness, traffic) != want {
			t.Errorf("%s: %T %T, want %s", place, witness, traffic, want)
		}
	}
}
