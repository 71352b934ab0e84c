// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// screenWidth is what every screen fits into, in characters.
const screenWidth = 100

// screen collects lines for people.
type screen struct {
	strings.Builder
	color bool
}

// Tones of words. The words say the same without them.
const (
	toneBad   = "\x1b[31;1m"
	toneGood  = "\x1b[32m"
	toneTitle = "\x1b[1m"
	toneEnd   = "\x1b[0m"
)

func (s *screen) tone(tone, text string) string {
	if !s.color || text == "" {
		return text
	}
	return tone + text + toneEnd
}

func (s *screen) line(format string, args ...any) {
	s.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// title begins a block.
func (s *screen) title(text string) { s.line("%s", s.tone(toneTitle, text)) }

// labelled writes text behind a label of 12 characters, wrapped below itself.
func (s *screen) labelled(label, text string) {
	for i, l := range wrap(text, screenWidth-12) {
		if i > 0 {
			label = ""
		}
		s.line("%s%s%s", s.tone(toneTitle, label), strings.Repeat(" ", max(1, 12-utf8.RuneCountInString(label))), l)
	}
}

// cell of a table. Its tone does not count for its width.
type cell struct{ text, tone string }

func plain(text string) cell { return cell{text: text} }

// column of a table: its title and its greatest width. What is longer is cut.
type column struct {
	title string
	width int
}

// table writes rows below their titles.
func (s *screen) table(columns []column, rows [][]cell) {
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = utf8.RuneCountInString(c.title)
		for _, r := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(cut(r[i].text, c.width)))
		}
	}
	write := func(cells []cell) {
		var b strings.Builder
		for i, c := range cells {
			text := cut(c.text, max(columns[i].width, utf8.RuneCountInString(columns[i].title)))
			b.WriteString(s.tone(c.tone, text))
			if i < len(cells)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text)+2))
			}
		}
		s.line("%s", b.String())
	}
	head := make([]cell, len(columns))
	for i, c := range columns {
		head[i] = cell{c.title, toneTitle}
	}
	write(head)
	for _, r := range rows {
		write(r)
	}
}

// cut shortens text to width characters; the mark at its end says that there was more.
func cut(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-2]) + ".."
}

// wrap breaks text between words into lines of at most width characters; longer words are
// broken within.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		for {
			room := width - utf8.RuneCountInString(line)
			if line != "" {
				room--
			}
			if n := utf8.RuneCountInString(word); n <= room {
				break
			} else if n > width && line == "" {
				lines = append(lines, string([]rune(word)[:width]))
				word = string([]rune(word)[width:])
				continue
			}
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

// short is a duration for people: 42s, 7m, 3h5m, 12d.
func short(d time.Duration) string {
	d = max(d, 0).Truncate(time.Second)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return strings.Replace(fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60), "h0m", "h", 1)
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// seconds is a planned duration: 45s, 6m30s.
func seconds(n int32) string {
	if n < 120 {
		return fmt.Sprintf("%ds", n)
	}
	return strings.Replace((time.Duration(n) * time.Second).String(), "m0s", "m", 1)
}
