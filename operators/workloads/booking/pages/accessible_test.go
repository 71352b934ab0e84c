// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"iter"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// accessible parses a page strictly and checks what a machine can check of WCAG 2.2 AA: language, title, landmarks,
// heading order, labels, names of links and buttons, references between ids. It returns the page.
func accessible(t *testing.T, path, body string) *html.Node {
	t.Helper()
	bad := func(format string, args ...any) { t.Helper(); t.Errorf(path+": "+format, args...) }
	wellFormed(bad, body)
	page, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	ids := map[string]*html.Node{}
	for node := range page.Descendants() {
		if id := attribute(node, "id"); id != "" {
			if ids[id] != nil {
				bad("two elements have the id %q", id)
			}
			ids[id] = node
		}
		if attribute(node, "style") != "" || node.Data == "script" || node.Data == "style" && node.Type == html.ElementNode {
			bad("the policy of the page forbids inline styles and scripts")
		}
	}
	for root := range elements(page, "html") {
		if attribute(root, "lang") != "en-GB" {
			bad("no language")
		}
	}
	for name, count := range map[string]int{"title": 1, "main": 1, "h1": 1, "header": 1, "footer": 1} {
		if got := len(collect(elements(page, name))); got != count {
			bad("%d elements %s, want %d", got, name, count)
		}
	}
	headings(bad, page)
	for node := range page.Descendants() {
		for _, reference := range []string{"aria-describedby", "aria-labelledby", "for"} {
			for _, id := range strings.Fields(attribute(node, reference)) {
				if ids[id] == nil {
					bad("%s=%q points to nothing", reference, id)
				}
			}
		}
		if href := attribute(node, "href"); strings.HasPrefix(href, "#") && ids[href[1:]] == nil {
			bad("the link %s leads nowhere", href)
		}
		control(bad, page, node)
	}
	return page
}

// headings checks that no level is skipped.
func headings(bad func(string, ...any), page *html.Node) {
	last := 0
	for node := range page.Descendants() {
		if node.Type != html.ElementNode || !regexp.MustCompile(`^h[1-6]$`).MatchString(node.Data) {
			continue
		}
		level := int(node.Data[1] - '0')
		// The error summary comes before the page's own heading, as the design system of NHS pages has it.
		if attribute(node, "id") == "errors-title" {
			continue
		}
		if level > last+1 {
			bad("h%d follows h%d", level, last)
		}
		last = level
	}
}

// control checks that whatever can be operated has a name.
func control(bad func(string, ...any), page, node *html.Node) {
	if node.Type != html.ElementNode {
		return
	}
	switch node.Data {
	case "a", "button", "legend", "caption", "th":
		if strings.TrimSpace(text(node)) == "" {
			bad("a %s without text", node.Data)
		}
	case "nav":
		if attribute(node, "aria-label") == "" {
			bad("a nav without a name")
		}
	case "img":
		bad("an image")
	case "input", "select", "textarea":
		if attribute(node, "type") == "hidden" {
			return
		}
		labelled := false
		for label := range elements(page, "label") {
			labelled = labelled || (attribute(label, "for") == attribute(node, "id") && text(label) != "")
		}
		if !labelled {
			bad("the field %q has no label", attribute(node, "name"))
		}
		if attribute(node, "type") == "radio" {
			for parent := range node.Ancestors() {
				if parent.Data == "fieldset" {
					return
				}
			}
			bad("the choice %q has no fieldset", attribute(node, "name"))
		}
	}
}

// wellFormed checks that every element that is opened is closed, in order.
func wellFormed(bad func(string, ...any), body string) {
	if !strings.HasPrefix(body, "<!DOCTYPE html>") {
		bad("no document type")
	}
	void := map[string]bool{"meta": true, "link": true, "input": true, "br": true}
	var open []string
	tokens := html.NewTokenizer(strings.NewReader(body))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				bad("not closed: %v", open)
			}
			return
		case html.StartTagToken:
			if name, _ := tokens.TagName(); !void[string(name)] {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := tokens.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				bad("</%s> closes %v", name, open)
				return
			}
			open = open[:len(open)-1]
		}
	}
}

func elements(root *html.Node, name string) iter.Seq[*html.Node] {
	return func(yield func(*html.Node) bool) {
		for node := range root.Descendants() {
			if node.Type == html.ElementNode && node.Data == name && !yield(node) {
				return
			}
		}
	}
}

func collect[T any](of iter.Seq[T]) (all []T) {
	for one := range of {
		all = append(all, one)
	}
	return all
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(node *html.Node) string {
	var all strings.Builder
	for child := range node.Descendants() {
		if child.Type == html.TextNode {
			all.WriteString(child.Data)
		}
	}
	return strings.TrimSpace(all.String())
}
