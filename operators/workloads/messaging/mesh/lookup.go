// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"net/http"
	"strings"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/mailboxes"
)

// ping says that the front can be reached.
func (h *Handler) ping(c *call) error {
	c.json(http.StatusOK, "application/json", struct {
		InternalID string `json:"internalID"`
	}{internalID(c.started)})
	return nil
}

// handshake tells a client that its mailbox, certificate and authorisation are in order.
func (h *Handler) handshake(c *call) error {
	var wrong []invalidItem
	for _, name := range []string{"mex-clientversion", "mex-osname", "mex-osversion"} {
		if c.r.Header.Get(name) == "" {
			wrong = append(wrong, item("header", name, "is missing: say which client and operating system this is"))
		}
	}
	if len(wrong) > 0 {
		return &fault{status: http.StatusBadRequest, invalid: wrong}
	}
	if c.version < 2 {
		c.json(http.StatusOK, c.mediaType(), struct {
			ID string `json:"mailboxId"`
		}{c.box.ID})
		return nil
	}
	c.empty(http.StatusOK)
	return nil
}

// lookup finds the mailboxes of an organisation that take part in a workflow.
func (h *Handler) lookup(c *call) error {
	ods, workflow := strings.TrimSpace(c.params[0]), strings.TrimSpace(c.params[1])
	if ods == "" || workflow == "" {
		return invalid("path", "ods_code", "is missing: ask for /messageexchange/endpointlookup/{ods code}/{workflow}")
	}
	found := c.directory.Receivers(workflow, ods)
	if c.version > 1 {
		c.found(found)
		return nil
	}
	type result struct {
		Address     string `json:"address"`
		Description string `json:"description"`
		Type        string `json:"endpoint_type"`
	}
	results := make([]result, len(found))
	for i, m := range found {
		results[i] = result{m.ID, m.Name, "MESH"}
	}
	c.json(http.StatusOK, c.mediaType(), struct {
		QueryID string   `json:"query_id"`
		Results []result `json:"results"`
	}{internalID(c.started), results})
	return nil
}

// search finds all the mailboxes that take part in a workflow.
func (h *Handler) search(c *call) error {
	workflow := strings.TrimSpace(c.params[0])
	if workflow == "" {
		return invalid("path", "workflow_id", "is missing: ask for /messageexchange/workflowsearch/{workflow}")
	}
	c.found(c.directory.Receivers(workflow, ""))
	return nil
}

func (c *call) found(list []*mailboxes.Mailbox) {
	type result struct {
		ID   string `json:"mailbox_id"`
		Name string `json:"mailbox_name"`
	}
	results := make([]result, len(list))
	for i, m := range list {
		results[i] = result{m.ID, m.Name}
	}
	c.json(http.StatusOK, c.mediaType(), struct {
		Results []result `json:"results"`
	}{results})
}
