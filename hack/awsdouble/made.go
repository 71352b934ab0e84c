// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"spine.nhs.uk/controlplane/hack/awsdouble/table"
)

// region is the only one that the double knows the zones of.
const region = "eu-west-2"

// account is what identifiers name where the provider allows no account in particular; AWS gives no such number.
const account = "000000000000"

// maker makes up what AWS would have said. The same resource always gets the same: nothing is kept between runs.
type maker struct {
	table   *table.Table
	account string
	// token and name are the resource's.
	token, name string
}

// prefixes are those of identifiers that people know by sight. Others have the resource's name in front.
var prefixes = map[string]string{
	"aws:ec2/vpc:Vpc": "vpc", "aws:ec2/subnet:Subnet": "subnet", "aws:ec2/securityGroup:SecurityGroup": "sg",
	"aws:ec2/routeTable:RouteTable": "rtb", "aws:ec2/internetGateway:InternetGateway": "igw", "aws:ec2/natGateway:NatGateway": "nat",
	"aws:ec2/eip:Eip": "eipalloc", "aws:ec2/vpcEndpoint:VpcEndpoint": "vpce", "aws:ec2/flowLog:FlowLog": "fl",
	"aws:ec2/managedPrefixList:ManagedPrefixList": "pl", "aws:ec2/networkAcl:NetworkAcl": "acl", "aws:ec2/launchTemplate:LaunchTemplate": "lt",
}

// hash is of the resource and a word: 16 hexadecimal digits and one more, as AWS's are.
func (m *maker) hash(word string) string {
	sum := sha256.Sum256([]byte(m.token + "\x00" + m.name + "\x00" + word))
	return hex.EncodeToString(sum[:])[:17]
}

// id is the resource's identifier: its own name where it was given one, as AWS does with most.
func (m *maker) id(inputs resource.PropertyMap) string {
	if prefix, ok := prefixes[m.token]; ok {
		return prefix + "-" + m.hash("id")
	}
	for _, key := range []resource.PropertyKey{"bucket", "name", "clusterIdentifier", "identifier"} {
		if v, ok := inputs[key]; ok && v.IsString() {
			return v.StringValue()
		}
	}
	return m.name + "-" + m.hash("id")
}

// arn is of the resource itself, or of what a property such as roleArn is about.
func (m *maker) arn(property string) string {
	kind := strings.TrimSuffix(property, "Arn")
	if property == "arn" {
		_, word, _ := strings.Cut(m.token, "/")
		kind, _, _ = strings.Cut(word, ":")
	}
	where := region
	if m.service() == "iam" {
		where = "" // Identities are the account's, in all regions.
	}
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s/%s", m.service(), where, m.account, kind, m.name)
}

// service is the word of a type's service in the SDK; it is AWS's in most cases.
func (m *maker) service() string {
	_, rest, _ := strings.Cut(m.token, ":")
	module, _, _ := strings.Cut(rest, "/")
	return module
}

// outputs are the inputs and everything that is always there after a resource was made.
func (m *maker) outputs(typ *table.Type, inputs resource.PropertyMap, tags resource.PropertyMap) resource.PropertyMap {
	out := inputs.Copy()
	for name, kind := range typ.Outputs {
		key := resource.PropertyKey(name)
		if _, given := out[key]; given || !kind.Required() || name == "tags" {
			continue
		}
		out[key] = m.value(name, kind, 0)
	}
	out["id"] = resource.NewStringProperty(m.id(inputs))
	if _, ok := typ.Outputs["tagsAll"]; ok {
		out["tagsAll"] = resource.NewObjectProperty(tags)
	}
	return out
}

// deepest is how far made-up values nest: types may hold themselves.
const deepest = 4

func (m *maker) value(name string, kind table.Kind, depth int) resource.PropertyValue {
	if item, ok := kind.List(); ok {
		if depth >= deepest {
			return resource.NewArrayProperty([]resource.PropertyValue{})
		}
		return resource.NewArrayProperty([]resource.PropertyValue{m.value(name, item, depth+1)})
	}
	if _, ok := kind.Map(); ok {
		return resource.NewObjectProperty(resource.PropertyMap{})
	}
	if fields, ok := m.table.Object(kind); ok {
		object := resource.PropertyMap{}
		if depth < deepest {
			for field, kind := range fields {
				object[resource.PropertyKey(field)] = m.value(field, kind, depth+1)
			}
		}
		return resource.NewObjectProperty(object)
	}
	switch kind.Bare() {
	case "bool":
		return resource.NewBoolProperty(false)
	case "int", "number":
		return resource.NewNumberProperty(1)
	case "string":
		return resource.NewStringProperty(m.text(name))
	}
	return resource.NewNullProperty()
}

// Where these are set, the made-up EKS cluster has a real API behind it: its URL, and its
// authority in base64.
const (
	eksEndpoint  = "AWSDOUBLE_EKS_ENDPOINT"
	eksAuthority = "AWSDOUBLE_EKS_AUTHORITY"
)

// text is a made-up text that has the form which programs rely on.
func (m *maker) text(name string) string {
	lower := strings.ToLower(name)
	switch {
	case strings.HasSuffix(lower, "arn"):
		return m.arn(name)
	case m.service() == "eks" && lower == "endpoint" && os.Getenv(eksEndpoint) != "":
		return os.Getenv(eksEndpoint)
	case m.service() == "eks" && lower == "data" && os.Getenv(eksAuthority) != "":
		return os.Getenv(eksAuthority)
	case lower == "issuer" || strings.HasSuffix(lower, "url") || lower == "endpoint" && m.service() == "eks":
		return "https://" + m.host(name)
	case lower == "endpoints" && m.service() == "mq":
		return "amqps://" + m.host(name) + ":5671"
	case strings.HasSuffix(lower, "endpoint") || strings.HasSuffix(lower, "dnsname") || strings.HasSuffix(lower, "domainname") || lower == "address":
		return m.host(name)
	case lower == "data":
		return base64.StdEncoding.EncodeToString([]byte("made up for " + m.name))
	case lower == "accountid" || lower == "ownerid" || lower == "registryid":
		return m.account
	case lower == "region":
		return region
	case lower == "availabilityzone":
		return region + "a"
	}
	return m.name + "-" + m.hash(name)
}

// host is a name below a domain that nobody can have (RFC 2606).
func (m *maker) host(what string) string {
	return fmt.Sprintf("%s-%s.%s.aws.invalid", m.name, m.hash(what), region)
}
