// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

const (
	defaultResults = 500
	minResults     = 10
	maxResults     = 5000
	// cursorPrefix makes cursors of the second version recognisable, and as long as the published limit wants them.
	cursorPrefix = "inbox-page:"
)

// inbox lists the IDs of the messages that wait, oldest first.
func (h *Handler) inbox(c *call) error {
	page, filter, err := c.inboxQuery()
	if err != nil {
		return err
	}
	found, err := h.service.Inbox(c.r.Context(), c.box.ID, page)
	if err != nil {
		return err
	}
	ids := make([]string, 0, len(found.Headers))
	for i := range found.Headers {
		// The service filters what it can; the rest is left out here, so a page may be short though more follow.
		if filter.matches(found.Headers[i].Interaction) {
			ids = append(ids, found.Headers[i].ID)
		}
	}
	if c.version < 2 {
		c.json(http.StatusOK, c.mediaType(), struct {
			Messages []string `json:"messages"`
		}{ids})
		return nil
	}
	links := map[string]string{"self": c.inboxLink(page.Max, "")}
	if found.Next != "" {
		links["next"] = c.inboxLink(page.Max, base64.RawURLEncoding.EncodeToString([]byte(cursorPrefix+found.Next)))
	}
	c.json(http.StatusOK, c.mediaType(), struct {
		Messages []string          `json:"messages"`
		Links    map[string]string `json:"links"`
		Count    int64             `json:"approx_inbox_count"`
	}{ids, links, found.Approximate})
	return nil
}

func (c *call) inboxQuery() (message.InboxQuery, workflowFilter, error) {
	query := c.r.URL.Query()
	page := message.InboxQuery{Max: defaultResults}
	var wrong []invalidItem
	if text := query.Get("max_results"); text != "" {
		if page.Max = chunkNumber(text); page.Max < minResults || page.Max > maxResults {
			wrong = append(wrong, item("query", "max_results", "must be a number from 10 to 5000"))
		}
	}
	filter, ok := parseWorkflowFilter(query.Get("workflow_filter"))
	if !ok {
		wrong = append(wrong, item("query", "workflow_filter", "must be 2 to 255 characters: X, !X, X*, !X*, *X* or !*X*"))
	}
	page.Interaction = filter.forService()
	if text := query.Get("continue_from"); text != "" {
		if page.ContinueFrom, ok = c.continueFrom(text); !ok {
			wrong = append(wrong, item("query", "continue_from", "must be what links.next of the page before says"))
		}
	}
	if len(wrong) > 0 {
		return page, filter, &fault{status: http.StatusBadRequest, invalid: wrong}
	}
	return page, filter, nil
}

// continueFrom reads where to go on: a message ID in the first version, our own cursor in the second.
func (c *call) continueFrom(text string) (string, bool) {
	if len(text) < 24 || len(text) > 1000 {
		return "", false
	}
	if c.version > 1 {
		decoded, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			return "", false
		}
		var ours bool
		if text, ours = strings.CutPrefix(string(decoded), cursorPrefix); !ours {
			return "", false
		}
	}
	return upper(text), text != "" && printable(text)
}

func (c *call) inboxLink(results int, cursor string) string {
	query := url.Values{}
	if results != defaultResults {
		query.Set("max_results", strconv.Itoa(results))
	}
	if filter := c.r.URL.Query().Get("workflow_filter"); filter != "" {
		query.Set("workflow_filter", filter)
	}
	if cursor != "" {
		query.Set("continue_from", cursor)
	}
	link := "/messageexchange/" + c.box.ID + "/inbox"
	if len(query) > 0 {
		link += "?" + query.Encode()
	}
	return link
}

// count says how many messages wait.
func (h *Handler) count(c *call) error {
	n, err := h.service.Count(c.r.Context(), c.box.ID)
	if err != nil {
		return err
	}
	if c.version < 2 {
		c.json(http.StatusOK, c.mediaType(), struct {
			Count      int64  `json:"count"`
			InternalID string `json:"internalID"`
			All        bool   `json:"allResultsIncluded"`
		}{n, internalID(c.started), true})
		return nil
	}
	c.json(http.StatusOK, c.mediaType(), struct {
		Count int64 `json:"count"`
	}{n})
	return nil
}

// acknowledge settles a message for good.
func (h *Handler) acknowledge(c *call) error {
	id := upper(c.params[1])
	if err := h.service.Acknowledge(c.r.Context(), c.box.ID, id); err != nil {
		return err
	}
	if c.version < 2 {
		c.json(http.StatusOK, c.mediaType(), struct {
			ID string `json:"messageId"`
		}{id})
		return nil
	}
	c.empty(http.StatusOK)
	return nil
}

// upper is how message IDs are compared, as published.
func upper(id string) string { return strings.ToUpper(id) }
