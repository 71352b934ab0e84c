// SPDX-License-Identifier: Apache-2.0

// Package runbooks holds one page for each reason for which a person may have
// to act, named as the reason is.
package runbooks

import "embed"

// FS holds the pages: <Reason>.md.
//
//go:embed *.md
var FS embed.FS

// Page returns the page of a reason; the error wraps fs.ErrNotExist when there
// is none.
func Page(reason string) (string, error) {
	text, err := FS.ReadFile(reason + ".md")
	return string(text), err
}
