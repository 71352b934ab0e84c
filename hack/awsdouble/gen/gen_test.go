// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"spine.nhs.uk/controlplane/hack/awsdouble/table"
)

// sdk is a package in the form of the SDK's.
const sdk = `package mq

type Broker struct {
	pulumi.CustomResourceState
	Arn        pulumi.StringOutput    ` + "`pulumi:\"arn\"`" + `
	EngineType pulumi.StringOutput    ` + "`pulumi:\"engineType\"`" + `
	Size       pulumi.IntPtrOutput    ` + "`pulumi:\"size\"`" + `
	Users      UserArrayOutput        ` + "`pulumi:\"users\"`" + `
}

func NewBroker(ctx *pulumi.Context, name string, args *BrokerArgs, opts ...pulumi.ResourceOption) (*Broker, error) {
	if args.Users == nil {
		return nil, errors.New("invalid value for required argument 'Users'")
	}
	if args.Size == nil {
		args.Size = pulumi.IntPtr(3)
	}
	var resource Broker
	err := ctx.RegisterResource("aws:mq/broker:Broker", name, args, &resource, opts...)
	return &resource, err
}

type brokerState struct {
	Arn        *string ` + "`pulumi:\"arn\"`" + `
	EngineType *string ` + "`pulumi:\"engineType\"`" + `
	Size       *int    ` + "`pulumi:\"size\"`" + `
	Users      []User  ` + "`pulumi:\"users\"`" + `
}

type brokerArgs struct {
	EngineType string            ` + "`pulumi:\"engineType\"`" + `
	Size       *int              ` + "`pulumi:\"size\"`" + `
	Users      []User            ` + "`pulumi:\"users\"`" + `
	Others     []OtherUser       ` + "`pulumi:\"others\"`" + `
	Tags       map[string]string ` + "`pulumi:\"tags\"`" + `
	Policy     interface{}       ` + "`pulumi:\"policy\"`" + `
	Code       pulumi.Archive    ` + "`pulumi:\"code\"`" + `
}

type User struct {
	Name string  ` + "`pulumi:\"name\"`" + `
	Rate *float64 ` + "`pulumi:\"rate\"`" + `
	Next *User    ` + "`pulumi:\"next\"`" + `
}

type OtherUser struct {
	Known Known ` + "`pulumi:\"known\"`" + `
}

type Known string
`

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"aws.go": "package aws\n\ntype providerArgs struct {\n\tRegion *string `pulumi:\"region\"`\n}\n", "mq/mq.go": sdk} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := read(dir, map[string][]string{"mq": {"NewBroker", "NewUserArray"}}, map[string][]string{"aws:mq/broker:Broker": {"engineType"}})
	if err != nil {
		t.Fatal(err)
	}
	want := &table.Table{
		Provider: table.Fields{"region": "string"},
		Types: map[string]*table.Type{"aws:mq/broker:Broker": {
			Inputs:  table.Fields{"engineType": "string!", "size": "int", "users": "[#mq.User]!", "others": "[#mq.OtherUser]", "tags": "{string}", "policy": "any", "code": "asset"},
			Outputs: table.Fields{"arn": "string!", "engineType": "string!", "size": "int", "users": "[#mq.User]!"}, Replaces: []string{"engineType"},
		}},
		Objects: map[string]table.Fields{
			"mq.User": {"name": "string!", "rate": "number", "next": "#mq.User"}, "mq.OtherUser": {"known": "string!"},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if _, err := read(dir, map[string][]string{"mq": {"NewBroker"}}, nil); err == nil {
		t.Error("a type of which nobody knows what replaces it was taken")
	}
}

func TestMerge(t *testing.T) {
	got := &table.Table{
		Types: map[string]*table.Type{"t": {Inputs: table.Fields{"x": "[#c]!", "y": "{#b}"}}},
		// b and c are equal once their own parts, d and e, are one.
		Objects: map[string]table.Fields{"b": {"p": "#d"}, "c": {"p": "#e"}, "d": {"q": "int"}, "e": {"q": "int"}},
	}
	merge(got)
	want := &table.Table{
		Types:   map[string]*table.Type{"t": {Inputs: table.Fields{"x": "[#b]!", "y": "{#b}"}}},
		Objects: map[string]table.Fields{"b": {"p": "#d"}, "d": {"q": "int"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestUsed(t *testing.T) {
	calls := map[string][]string{}
	err := usedIn("x.go", []byte(`package x
import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	queue "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/mq"
	"example.com/s3"
)
func f() { ec2.NewVpc(); queue.NewBroker(); s3.NewBucket(); ec2.GetVpc() }`), calls)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string][]string{"ec2": {"NewVpc"}, "mq": {"NewBroker"}}; !reflect.DeepEqual(calls, want) {
		t.Errorf("got %v\nwant %v", calls, want)
	}
}
