// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"maps"
	"slices"
	"strings"
)

// grant is some actions on some resources.
type grant struct {
	// actions are whole names, such as "ec2:CreateVpc".
	actions []string
	// resource is an ARN, or a pattern of ARNs, in which {account} and {env} stand
	// for the environment's; "*" for actions that AWS cannot limit to resources,
	// which are those that list and describe, and few others.
	resource string
	// only are conditions: by operator and key, the values.
	only map[string]map[string][]string
}

// actions are, by type token, what creating, reading, changing and deleting a
// resource of the type takes. They are those of the provider's calls, as AWS's
// Service Authorization Reference names them.
var actions = map[string][]grant{}

func init() {
	for _, part := range []map[string][]grant{networkActions, edgeActions, clusterActions, identityActions, dataActions, storageActions, evidenceActions, moneyActions} {
		maps.Copy(actions, part)
	}
}

// Known are the type tokens whose actions are known, sorted.
func Known() []string { return slices.Sorted(maps.Keys(actions)) }

// anything is for actions that know no resources.
const anything = "*"

// on grants a service's actions, written as words, on a resource.
func on(resource, service, names string) grant {
	var list []string
	for _, name := range strings.Fields(names) {
		list = append(list, service+":"+name)
	}
	return grant{actions: list, resource: resource}
}

// where adds a condition to a grant.
func (g grant) where(operator, key string, values ...string) grant {
	g.only = map[string]map[string][]string{operator: {key: values}}
	return g
}

// linked lets a service make its own role in the account, when the first resource of
// it does; none other can be made by it.
func linked(service string) grant {
	return on("arn:aws:iam::{account}:role/aws-service-role/"+service+"/*", "iam", "CreateServiceLinkedRole").
		where("StringEquals", "iam:AWSServiceName", service)
}

// regional is the ARN of what a service has in the account and region.
func regional(service, rest string) string {
	return "arn:aws:" + service + ":eu-west-2:{account}:" + rest
}
