// SPDX-License-Identifier: Apache-2.0

// Package document writes policy documents of IAM. They are made of names that are
// known beforehand wherever that can be, so that a preview shows them and rules can
// judge them.
package document

import "encoding/json"

// Principals are who a statement is about: by kind (AWS, Service) their names.
type Principals map[string][]string

// Conditions are when it holds: by operator (StringEquals, ArnLike) keys and values.
type Conditions map[string]map[string][]string

// A Statement allows something, or denies it.
type Statement struct {
	Sid string `json:",omitempty"`
	// Effect is Allow or Deny; empty is Allow.
	Effect string
	// Principal is for documents on a resource; those of roles have none.
	Principal Principals `json:",omitempty"`
	Action    []string   `json:",omitempty"`
	// NotAction is for ceilings (permissions boundaries), which say what they keep out.
	NotAction []string `json:",omitempty"`
	// Resource is empty in trust policies, where it may not stand.
	Resource  []string   `json:",omitempty"`
	Condition Conditions `json:",omitempty"`
}

// version is the language that all documents are written in.
const version = "2012-10-17"

// JSON is the document of the statements: the same ones give the same bytes.
func JSON(statements ...Statement) string {
	list := make([]Statement, len(statements))
	for i, s := range statements {
		if s.Effect == "" {
			s.Effect = "Allow"
		}
		list[i] = s
	}
	// Text, lists and maps of text always have a JSON.
	text, _ := json.Marshal(struct {
		Version   string
		Statement []Statement
	}{version, list})
	return string(text)
}

// Service names one service as principal: logs.amazonaws.com.
func Service(names ...string) Principals { return Principals{"Service": names} }

// Account is the principal that stands for all roles of an account which the
// account's own policies allow it too.
func Account(account string) Principals {
	return Principals{"AWS": {"arn:aws:iam::" + account + ":root"}}
}

// FromAccount holds for what a service does on behalf of the account: no other
// customer of AWS's can have the service act on our resources.
func FromAccount(account string) Conditions {
	return Conditions{"StringEquals": {"aws:SourceAccount": {account}}}
}

// Trust is the document of a role that a service takes on behalf of the account.
func Trust(service, account string) string {
	return JSON(Statement{Principal: Service(service), Action: []string{"sts:AssumeRole"}, Condition: FromAccount(account)})
}
