// SPDX-License-Identifier: Apache-2.0

// Package bookings uses the booking service's pages as its users do: staff who search services, refer, look for slots,
// book, change and cancel, and read worklists. It keeps a record of every booking that the service confirmed.
package bookings

import (
	"bytes"
	"errors"
	"io"
	"net/url"

	"golang.org/x/net/html"
)

// page is what a user sees of an HTML page: its forms and links.
type page struct {
	forms []form
	links []string
}

// form is one form with what it sends by itself, and its buttons' names and values.
type form struct {
	action  string
	hidden  map[string]string
	buttons [][2]string
}

// values are those that the form sends as it came.
func (f form) values() url.Values {
	v := make(url.Values, len(f.hidden))
	for name, value := range f.hidden {
		v.Set(name, value)
	}
	return v
}

// errPage: the answer is no page of the service.
var errPage = errors.New("the answer is no page of the service")

// maxElements bounds a page; the service's largest has a few hundred.
const maxElements = 20_000

// parsePage reads an HTML page.
func parsePage(body []byte) (*page, error) {
	z := html.NewTokenizer(bytes.NewReader(body))
	p := &page{}
	var open *form
	for range maxElements {
		switch z.Next() {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) {
				return nil, errPage
			}
			return p, nil
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == "form" {
				open = nil
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			switch string(name) {
			case "a":
				if link := attributes(z, more)["href"]; link != "" {
					p.links = append(p.links, link)
				}
			case "form":
				p.forms = append(p.forms, form{action: attributes(z, more)["action"], hidden: map[string]string{}})
				open = &p.forms[len(p.forms)-1]
			case "input":
				if a := attributes(z, more); open != nil && a["type"] == "hidden" {
					open.hidden[a["name"]] = a["value"]
				}
			case "button":
				if a := attributes(z, more); open != nil && a["name"] != "" {
					open.buttons = append(open.buttons, [2]string{a["name"], a["value"]})
				}
			}
		}
	}
	return nil, errPage
}

func attributes(z *html.Tokenizer, more bool) map[string]string {
	out := map[string]string{}
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		out[string(key)] = string(value)
	}
	return out
}

// form finds the first form that goes to action.
func (p *page) form(action string) (*form, bool) {
	for i := range p.forms {
		if p.forms[i].action == action {
			return &p.forms[i], true
		}
	}
	return nil, false
}

// buttons are the values of all buttons of a name in forms that go to action.
func (p *page) buttons(action, name string) []string {
	var out []string
	for _, f := range p.forms {
		for _, b := range f.buttons {
			if f.action == action && b[0] == name {
				out = append(out, b[1])
			}
		}
	}
	return out
}
