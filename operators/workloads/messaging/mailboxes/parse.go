// SPDX-License-Identifier: Apache-2.0

package mailboxes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"gopkg.in/yaml.v3"
)

// MaxBytes is the largest file that is read: room for some 30,000 mailboxes.
const MaxBytes = 16 << 20

// Parse reads the file's text. The error, if any, is an *Error and lists every problem.
func Parse(text []byte) (*Directory, error) {
	p := &parser{}
	sharedKey, list := p.file(text)
	p.validate(sharedKey, list)
	if len(p.problems) > 0 {
		return nil, &Error{Problems: p.sorted()}
	}
	mailboxes := make([]*Mailbox, len(list))
	for i := range list {
		mailboxes[i] = &list[i].Mailbox
	}
	return newDirectory(sharedKey.secret(), mailboxes), nil
}

// value is a piece of text with the place it came from.
type value struct {
	text string
	line int
	// unread is set when a problem with it was told already: checking it again would only confuse.
	unread bool
}

func (v value) secret() Secret { return Secret(v.text) }

type entry struct {
	Mailbox
	line   int
	path   string
	fields map[string]value
	names  []value
	flows  []value
}

type parser struct{ problems []Problem }

func (p *parser) problem(line int, path, format string, args ...any) {
	p.problems = append(p.problems, Problem{Line: line, Path: path, Message: fmt.Sprintf(format, args...)})
}

func (p *parser) file(text []byte) (value, []entry) {
	sharedKey := value{line: 1}
	unreadable := func(line int, format string, args ...any) (value, []entry) {
		p.problem(line, "", format, args...)
		sharedKey.unread = true
		return sharedKey, nil
	}
	if len(text) > MaxBytes {
		return unreadable(1, "the file has %d bytes; at most %d are read: split the environment", len(text), MaxBytes)
	}
	var doc yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return unreadable(1, "the file is empty: it must hold sharedKey and mailboxes")
	} else if err != nil {
		return unreadable(errorLine(err), "this is not YAML: check indentation, quotes and brackets around this line")
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return unreadable(1, "the file holds more than one YAML document: keep one")
	}
	root := doc.Content[0]
	var list []entry
	sawMailboxes := false
	if !p.mapping(root, "", func(key string, node *yaml.Node) bool {
		switch key {
		case "sharedKey":
			sharedKey = p.text(node, key)
		case "mailboxes":
			sawMailboxes = true
			list = p.entries(node)
		default:
			return false
		}
		return true
	}) {
		sharedKey.unread = true
		return sharedKey, nil
	}
	if !sawMailboxes {
		p.problem(root.Line, "mailboxes", "is missing: list the mailboxes of this environment")
	}
	return sharedKey, list
}

func (p *parser) entries(node *yaml.Node) []entry {
	if node.Kind != yaml.SequenceNode {
		p.problem(node.Line, "mailboxes", "must be a list of mailboxes")
		return nil
	}
	out := make([]entry, 0, len(node.Content))
	for i, item := range node.Content {
		e := entry{path: fmt.Sprintf("mailboxes[%d]", i), line: item.Line, fields: map[string]value{}}
		if p.mapping(item, e.path, func(key string, node *yaml.Node) bool { return p.field(&e, key, node) }) {
			out = append(out, e)
		}
	}
	return out
}

func (p *parser) field(e *entry, key string, node *yaml.Node) bool {
	path := e.path + "." + key
	switch key {
	case "id", "name", "password", "organisation", "partyKey", "asid", "supplier":
		e.fields[key] = p.text(node, path)
	case "certificateNames":
		e.names = p.texts(node, path)
		e.fields[key] = value{line: node.Line}
	case "workflows":
		e.flows = p.texts(node, path)
		e.fields[key] = value{line: node.Line}
	case "internal":
		switch {
		case node.Kind == yaml.ScalarNode && node.Tag == "!!bool" && node.Decode(&e.Internal) == nil:
		default:
			p.problem(node.Line, path, "must be true or false")
		}
	default:
		return false
	}
	return true
}

// mapping calls known for each key of a mapping. What is not one, and keys that are unknown or repeated, are problems.
func (p *parser) mapping(node *yaml.Node, path string, known func(key string, node *yaml.Node) bool) bool {
	if node.Kind != yaml.MappingNode {
		p.problem(node.Line, path, "must be a mapping of keys to values")
		return false
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, val := node.Content[i], node.Content[i+1]
		at := printable(key.Value)
		if path != "" {
			at = path + "." + at
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			p.problem(key.Line, path, "has a key that is not text")
		case seen[key.Value]:
			p.problem(key.Line, at, "is given twice: keep one")
		case !known(key.Value, val):
			p.problem(key.Line, at, "is not a known key: check its spelling, or remove it")
		}
		seen[key.Value] = true
	}
	return true
}

func (p *parser) text(node *yaml.Node, path string) value {
	v := value{text: node.Value, line: node.Line}
	if node.Kind != yaml.ScalarNode || (node.Tag != "!!str" && node.Tag != "!!int" && node.Tag != "!!float") {
		p.problem(node.Line, path, "must be text: put it in quotes")
		v.unread = true
	}
	return v
}

func (p *parser) texts(node *yaml.Node, path string) []value {
	if node.Kind != yaml.SequenceNode {
		p.problem(node.Line, path, "must be a list")
		return []value{{line: node.Line, unread: true}}
	}
	out := make([]value, len(node.Content))
	for i, item := range node.Content {
		out[i] = p.text(item, fmt.Sprintf("%s[%d]", path, i))
	}
	return out
}

var unprintable = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

// printable keeps a key that is being complained of short and harmless in a log.
func printable(key string) string {
	if len(key) > 40 {
		key = key[:40]
	}
	return unprintable.ReplaceAllString(key, "?")
}

var lineIn = regexp.MustCompile(`line (\d+)`)

// errorLine takes only the line from the parser's error: its text may quote the file, and the file holds passwords.
func errorLine(err error) int {
	line := 1
	if m := lineIn.FindStringSubmatch(err.Error()); m != nil {
		_, _ = fmt.Sscan(m[1], &line)
	}
	return line
}
