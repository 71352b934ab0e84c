// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/infra/aws/document"
)

// longestPolicy is the most characters that IAM takes in a managed policy ("IAM and
// STS character limits"); mostPolicies how many a role can have by default, less
// that of the guard.
const (
	longestPolicy = 6144
	mostPolicies  = 9
)

// Actions are what resources of a type take, sorted; none of an unknown type.
func Actions(typ string) []string {
	var list []string
	for _, g := range actions[typ] {
		list = append(list, g.actions...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Policies are the documents of the deployment's role: the actions of all types,
// and of the stack's own state. Equal arguments give equal documents.
func (a *Args) Policies() ([]string, error) {
	var grants []grant
	for _, t := range a.Types {
		grants = append(grants, actions[t]...)
	}
	return split(a.statements(append(grants, a.state()...)))
}

// project is the name of the Pulumi project, a part of the paths of its states.
const project = "spine"

// state is reading and writing the stack's own state, using the key of its secrets,
// and the roles in other accounts. Other stacks' are in the same bucket and out of reach.
func (a *Args) state() []grant {
	bucket := "arn:aws:s3:::" + a.StateBucket
	grants := []grant{
		on(bucket, "s3", "ListBucket GetBucketLocation"),
		on(bucket+"/.pulumi/meta.yaml", "s3", "GetObject"),
		on(a.StateKeyArn, "kms", "Encrypt Decrypt GenerateDataKey DescribeKey"),
	}
	for _, path := range []string{
		"stacks/" + project + "/{env}.json*", "history/" + project + "/{env}/*",
		"backups/" + project + "/{env}/*", "locks/organization/" + project + "/{env}/*",
	} {
		grants = append(grants, on(bucket+"/.pulumi/"+path, "s3", "GetObject PutObject DeleteObject"))
	}
	for _, role := range a.Elsewhere {
		grants = append(grants, on(role, "sts", "AssumeRole"))
	}
	return grants
}

// statements join grants of one resource and condition, sorted.
func (a *Args) statements(grants []grant) []document.Statement {
	fill := strings.NewReplacer("{account}", a.Account, "{env}", a.Environment)
	joined := map[string]*document.Statement{}
	for _, g := range grants {
		s := document.Statement{Resource: []string{fill.Replace(g.resource)}, Condition: conditions(g.only, fill)}
		// Maps are written in the order of their keys, so that equal ones have one key.
		text, _ := json.Marshal(s)
		key := string(text)
		if joined[key] == nil {
			joined[key] = &s
		}
		joined[key].Action = append(joined[key].Action, g.actions...)
	}
	var list []document.Statement
	for _, key := range slices.Sorted(maps.Keys(joined)) {
		s := joined[key]
		slices.Sort(s.Action)
		s.Action = slices.Compact(s.Action)
		list = append(list, *s)
	}
	return merged(list)
}

// merged puts resources with the same actions and conditions into one statement.
func merged(list []document.Statement) []document.Statement {
	var out []document.Statement
	at := map[string]int{}
	for _, s := range list {
		alike := s
		alike.Resource = nil
		text, _ := json.Marshal(alike)
		if i, seen := at[string(text)]; seen {
			out[i].Resource = append(out[i].Resource, s.Resource...)
			continue
		}
		at[string(text)] = len(out)
		out = append(out, s)
	}
	return out
}

func conditions(only map[string]map[string][]string, fill *strings.Replacer) document.Conditions {
	if only == nil {
		return nil
	}
	filled := document.Conditions{}
	for operator, keys := range only {
		filled[operator] = map[string][]string{}
		for key, values := range keys {
			for _, v := range values {
				filled[operator][key] = append(filled[operator][key], fill.Replace(v))
			}
		}
	}
	return filled
}

// split shares statements out over as many documents as their length asks for.
func split(statements []document.Statement) ([]string, error) {
	var documents []string
	var rest []document.Statement
	for _, s := range statements {
		if len(document.JSON(s)) > longestPolicy {
			return nil, fmt.Errorf("the statement on %q alone is longer than the %d characters of a policy", s.Resource, longestPolicy)
		}
		if len(rest) > 0 && len(document.JSON(append(rest, s)...)) > longestPolicy {
			documents = append(documents, document.JSON(rest...))
			rest = nil
		}
		rest = append(rest, s)
	}
	documents = append(documents, document.JSON(rest...))
	if len(documents) > mostPolicies {
		return nil, fmt.Errorf("the rights need %d policies, and a role can have %d: join patterns of resources", len(documents), mostPolicies)
	}
	return documents, nil
}

// changeRole are the actions by which a role gets other rights, or other users.
const changeRole = "AttachRolePolicy DetachRolePolicy PutRolePolicy DeleteRolePolicy UpdateAssumeRolePolicy DeleteRole PutRolePermissionsBoundary DeleteRolePermissionsBoundary"

// guard denies the deployment what would let it out of its own limits: changing its
// role, its policies and the boundary, or taking the boundary from a role. Whoever
// widens the rights of a deployment is somebody else, as the bootstrap of an account
// describes.
func (a *Args) guard() string {
	role := "arn:aws:iam::" + a.Account + ":role/" + a.Names.Name("deploy")
	policy := "arn:aws:iam::" + a.Account + ":policy/"
	return document.JSON(
		document.Statement{Effect: "Deny", Action: on("", "iam", changeRole).actions, Resource: []string{role}},
		document.Statement{Effect: "Deny", Action: []string{"iam:DeleteRolePermissionsBoundary"}, Resource: []string{"arn:aws:iam::" + a.Account + ":role/*"}},
		document.Statement{Effect: "Deny",
			Action:   on("", "iam", "CreatePolicyVersion DeletePolicy DeletePolicyVersion SetDefaultPolicyVersion").actions,
			Resource: []string{policy + a.Names.Name("deploy") + "*", policy + a.Names.Name("boundary")}},
	)
}

// boundary is the ceiling of the roles that a deployment makes. By itself it allows
// nothing. It lets through what programs and services do with data and machines, in
// the account's region, and never identities, accounts or the organisation: rights
// cannot be used to make rights. It is written by what is kept out, because the
// policies that AWS keeps for its own services (EKS, Backup) would not fit by name.
func (a *Args) boundary() string {
	return document.JSON(
		document.Statement{NotAction: []string{"account:*", "iam:*", "organizations:*", "sso:*"}, Resource: []string{"*"}},
		// Services' roles pass roles on, and look at their own.
		document.Statement{Action: []string{"iam:GetRole", "iam:ListAttachedRolePolicies", "iam:PassRole"}, Resource: []string{"arn:aws:iam::" + a.Account + ":role/" + a.Environment + "-*"}},
		document.Statement{Effect: "Deny", Action: []string{
			"cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "kms:DisableKey", "kms:ScheduleKeyDeletion",
			"s3:BypassGovernanceRetention", "backup:DeleteBackupVault",
		}, Resource: []string{"*"}},
	)
}
