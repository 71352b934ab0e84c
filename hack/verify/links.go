// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

var (
	inlineLink    = regexp.MustCompile(`\]\(\s*(?:<([^>]+)>|([^)\s>]+))(?:\s+"[^"]*")?\s*\)`)
	referenceLink = regexp.MustCompile(`^ {0,3}\[[^\]]+\]:\s+<?([^\s>]+)>?`)
	inlineCode    = regexp.MustCompile("`[^`]*`")
	heading       = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)
	explicitName  = regexp.MustCompile(`<a\s+(?:id|name)="([^"]+)"`)
	scheme        = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)
)

// links checks that every relative link of every page leads to a file, a folder or a
// heading of this repository.
func links(t tree) ([]finding, error) {
	known := map[string]bool{"": true, ".": true}
	for _, p := range t.paths {
		for ; p != "."; p = path.Dir(p) {
			known[p] = true
		}
	}
	pages := map[string]page{}
	for _, p := range t.paths {
		if path.Ext(p) != ".md" {
			continue
		}
		text, err := t.read(p)
		if err != nil {
			return nil, err
		}
		pages[p] = parsePage(text)
	}
	var out []finding
	for _, p := range t.paths {
		for _, l := range pages[p].links {
			if why := broken(p, l.target, known, pages); why != "" {
				out = append(out, finding{p, l.line, "link " + l.target + ": " + why})
			}
		}
	}
	return out, nil
}

// broken says why a link leads nowhere; empty when it does not or is not ours to follow.
func broken(from, target string, known map[string]bool, pages map[string]page) string {
	if scheme.MatchString(target) || strings.HasPrefix(target, "//") {
		return ""
	}
	file, anchor, _ := strings.Cut(target, "#")
	file, err := url.PathUnescape(file)
	if err != nil {
		return "is not a valid path"
	}
	to := from
	switch {
	case strings.HasPrefix(file, "/"):
		to = path.Clean(strings.TrimPrefix(file, "/"))
	case file != "":
		to = path.Join(path.Dir(from), file)
	}
	if to == ".." || strings.HasPrefix(to, "../") {
		return "leads out of the repository"
	}
	if !known[to] {
		return "no such file or folder"
	}
	if dest, isPage := pages[to]; anchor != "" && isPage && !dest.anchors[anchor] {
		return "no such heading in " + to
	}
	return ""
}

type link struct {
	target string
	line   int
}

// page is what the check needs to know of one Markdown file.
type page struct {
	links   []link
	anchors map[string]bool
}

func parsePage(text string) page {
	p := page{anchors: map[string]bool{}}
	fence, n := "", 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		if trimmed := strings.TrimLeft(line, " "); strings.HasPrefix(trimmed, "```") || strings.HasPrefix(trimmed, "~~~") {
			switch mark := trimmed[:3]; fence {
			case "":
				fence = mark
			case mark:
				fence = ""
			}
			continue
		}
		if fence != "" {
			continue
		}
		if m := heading.FindStringSubmatch(line); m != nil {
			p.addHeading(m[1])
		}
		for _, m := range explicitName.FindAllStringSubmatch(line, -1) {
			p.anchors[m[1]] = true
		}
		prose := inlineCode.ReplaceAllString(line, "")
		for _, m := range inlineLink.FindAllStringSubmatch(prose, -1) {
			p.links = append(p.links, link{m[1] + m[2], n})
		}
		if m := referenceLink.FindStringSubmatch(prose); m != nil {
			p.links = append(p.links, link{m[1], n})
		}
	}
	return p
}

// addHeading adds the anchor that the usual renderers give a heading; a repeated heading
// gets -1, -2, ...
func (p page) addHeading(text string) {
	slug := slugOf(text)
	candidate := slug
	for i := 1; p.anchors[candidate]; i++ {
		candidate = slug + "-" + strconv.Itoa(i)
	}
	p.anchors[candidate] = true
}

// slugOf lowers a heading, drops punctuation, and turns spaces into hyphens.
func slugOf(text string) string {
	if i := strings.Index(text, "]("); strings.HasPrefix(text, "[") && i > 0 {
		text = text[1:i]
	}
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case r == ' ':
			b.WriteRune('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}
