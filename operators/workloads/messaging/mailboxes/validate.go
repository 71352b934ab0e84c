// SPDX-License-Identifier: Apache-2.0

package mailboxes

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// minSecret is the shortest shared key or password in characters; anything shorter can be guessed.
const minSecret = 8

type rule struct {
	pattern *regexp.Regexp
	expect  string
}

func newRule(pattern, expect string) rule {
	return rule{pattern: regexp.MustCompile(`^(?:` + pattern + `)$`), expect: expect}
}

var (
	idRule = newRule(`[A-Z0-9][A-Z0-9_-]{0,63}`,
		"must be 1 to 64 upper-case letters, digits, hyphens or underscores, beginning with a letter or digit")
	nameRule   = newRule(`\P{C}{1,120}`, "must be 1 to 120 characters without control characters")
	secretRule = newRule(fmt.Sprintf(`[!-~]{%d,256}`, minSecret),
		fmt.Sprintf("must be %d to 256 characters from ! to ~ (no spaces): clients sign with it", minSecret))
	odsRule      = newRule(`[A-Z0-9]{1,12}`, "must be an ODS code: 1 to 12 upper-case letters and digits")
	partyKeyRule = newRule(`[A-Z0-9]{1,12}-[0-9]{4,12}`, "must be a party key, as in X26-822080")
	asidRule     = newRule(`[0-9]{12}`, "must be 12 digits in quotes")
	hostRule     = newRule(`[A-Za-z0-9][A-Za-z0-9._-]{0,252}`,
		"must be the common name or a DNS name of a certificate, without wildcards")
	workflowRule = newRule(`[!-~]{1,300}`, "must be 1 to 300 characters from ! to ~ (no spaces)")
	supplierRule = newRule(`[A-Za-z0-9][A-Za-z0-9._-]{0,62}`,
		"must be 1 to 63 letters, digits, points, hyphens or underscores, beginning with a letter or digit")
)

// reserved are words that the published API has in the place of a mailbox's ID.
var reserved = map[string]bool{"ENDPOINTLOOKUP": true, "WORKFLOWSEARCH": true}

func (p *parser) validate(sharedKey value, list []entry) {
	p.check(sharedKey, "sharedKey", true, secretRule)
	ids, owners := map[string]string{}, map[string]string{}
	for i := range list {
		e := &list[i]
		p.entry(e)
		if id := e.ID; id != "" {
			at := e.fields["id"].line
			switch {
			case reserved[id]:
				p.problem(at, e.path+".id", "is a word of the API's own paths: choose another")
			case ids[id] != "":
				p.problem(at, e.path+".id", "is taken by %s: every mailbox needs its own", ids[id])
			default:
				ids[id] = e.path
			}
		}
		if !e.Internal {
			continue
		}
		for i, name := range e.CertificateNames {
			if other := owners[name]; other != "" && other != e.path {
				p.problem(e.names[i].line, fmt.Sprintf("%s.certificateNames[%d]", e.path, i),
					"is named by %s too: the bulk interface tells internal mailboxes apart by it, so each needs its own", other)
				continue
			}
			owners[name] = e.path
		}
	}
}

func (p *parser) entry(e *entry) {
	field := func(key string, required bool, r rule) string {
		v, given := e.fields[key]
		if !given {
			v.line = e.line
		}
		p.check(v, e.path+"."+key, required, r)
		return v.text
	}
	e.ID = field("id", true, idRule)
	e.Name = field("name", false, nameRule)
	e.Password = Secret(field("password", true, secretRule))
	e.Organisation = field("organisation", true, odsRule)
	e.PartyKey = field("partyKey", false, partyKeyRule)
	e.ASID = field("asid", false, asidRule)
	e.Supplier = field("supplier", true, supplierRule)
	if e.Name == "" {
		e.Name = e.ID
	}
	e.CertificateNames = p.list(e, "certificateNames", e.names, hostRule)
	for i, name := range e.CertificateNames {
		e.CertificateNames[i] = strings.ToLower(name)
	}
	e.Workflows = p.list(e, "workflows", e.flows, workflowRule)
	if slices.Contains(e.Workflows, AllWorkflows) && len(e.Workflows) > 1 {
		p.problem(e.fields["workflows"].line, e.path+".workflows", `has "*" beside others: "*" means all of them, so let it stand alone`)
	}
}

// list checks a list that must have an item, each by the rule and none twice.
func (p *parser) list(e *entry, key string, items []value, r rule) []string {
	path := e.path + "." + key
	if len(items) == 0 {
		line := e.line
		if v, given := e.fields[key]; given {
			line = v.line
		}
		p.problem(line, path, "needs at least one entry")
	}
	seen := map[string]bool{}
	out := make([]string, len(items))
	for i, v := range items {
		at := fmt.Sprintf("%s[%d]", path, i)
		p.check(v, at, true, r)
		if seen[v.text] && !v.unread {
			p.problem(v.line, at, "is listed twice: keep one")
		}
		seen[v.text] = true
		out[i] = v.text
	}
	return out
}

// check says what is wrong with a value, never what the value is: it may be a password in the wrong place.
func (p *parser) check(v value, path string, required bool, r rule) {
	switch {
	case v.unread:
	case v.text == "" && required:
		p.problem(v.line, path, "is missing: it %s", r.expect)
	case v.text != "" && !r.pattern.MatchString(v.text):
		p.problem(v.line, path, "%s", r.expect)
	}
}
