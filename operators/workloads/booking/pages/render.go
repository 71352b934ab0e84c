// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

//go:embed templates/*.html
var templateFiles embed.FS

// view is what the layout shows around a page.
type view struct {
	Title    string
	App      string
	Style    string
	Token    string
	SignedIn bool
	Nav      []link
	Errors   []fieldError
	// Body is the page's own.
	Body any
}

type link struct {
	Path, Text string
	Current    bool
}

// fieldError is a field that cannot be used as it is; Field is the id of its control.
type fieldError struct{ Field, Text string }

// Error is the error of a field, nil when there is none.
func (v view) Error(field string) *fieldError {
	for i := range v.Errors {
		if v.Errors[i].Field == field {
			return &v.Errors[i]
		}
	}
	return nil
}

// parseTemplates parses every page once, each with the layout.
func parseTemplates(zone func() *time.Location) (map[string]*template.Template, error) {
	layout, err := template.New("layout.html").Funcs(functions(zone)).ParseFS(templateFiles, "templates/layout.html")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" {
			continue
		}
		page, err := layout.Clone()
		if err != nil {
			return nil, err
		}
		if pages[name], err = page.ParseFS(templateFiles, file); err != nil {
			return nil, fmt.Errorf("page %s: %w", name, err)
		}
	}
	return pages, nil
}

func functions(zone func() *time.Location) template.FuncMap {
	return template.FuncMap{
		"day":       func(t time.Time) string { return t.In(zone()).Format("Monday 2 January 2006") },
		"clock":     func(t time.Time) string { return clockText(t.In(zone())) },
		"date":      func(t time.Time) string { return shortDate(t, zone()) },
		"plural":    plural,
		"bookable":  bookableText,
		"direct":    func(b domain.Bookable) bool { return b == domain.DirectlyBookable },
		"state":     stateText,
		"priority":  priorityName,
		"specialty": specialtyName,
		"reason":    reasonName,
	}
}

func shortDate(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(zone).Format("2 Jan 2006")
}

// clockText is the time of day as NHS pages write it: 9am, 9:20am, midday.
func clockText(local time.Time) string {
	switch {
	case local.Minute() != 0:
		return local.Format("3:04pm")
	case local.Hour() == 12:
		return "midday"
	case local.Hour() == 0:
		return "midnight"
	default:
		return local.Format("3pm")
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// show answers with a page. The page is made whole before its first byte is sent, so a fault becomes a clean 500.
func (v *visit) show(status int, page, title string, body any, errors ...fieldError) error {
	buffer := buffers.Get().(*bytes.Buffer)
	buffer.Reset()
	defer buffers.Put(buffer)
	err := v.h.templates[page].ExecuteTemplate(buffer, "layout", view{
		Title:    title,
		App:      v.settings.Title,
		Style:    v.h.stylePath,
		Token:    v.h.formToken(&v.session),
		SignedIn: v.session.signedIn(),
		Nav:      v.navigation(),
		Errors:   errors,
		Body:     body,
	})
	if err != nil {
		return err
	}
	if err := v.keepSession(); err != nil {
		return err
	}
	header := v.w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", strconv.Itoa(buffer.Len()))
	v.w.WriteHeader(status)
	_, _ = v.w.Write(buffer.Bytes())
	return nil
}

// again shows a form with what is wrong in it.
func (v *visit) again(page, title string, body any, errors []fieldError) error {
	return v.show(http.StatusBadRequest, page, title, body, errors...)
}

// navigation is what a signed-in visitor may go to.
func (v *visit) navigation() []link {
	var links []link
	add := func(path, text string) {
		links = append(links, link{Path: path, Text: text, Current: v.r.URL.Path == path})
	}
	if v.session.staff() {
		add("/worklist", "Worklists")
		if v.session.Who.May(domain.ActCreate) == nil {
			add("/services", "Search services")
			add("/shortlist", "Shortlist ("+strconv.Itoa(len(v.session.Shortlist))+")")
		}
	}
	if v.session.UBRN != "" {
		add("/referral", "Referral "+v.session.UBRN.Spaced())
	}
	return links
}
