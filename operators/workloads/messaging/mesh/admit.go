// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"crypto/x509"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/mesh/auth"
)

// admit lets a caller in, or says with 403 why not. The certificate is looked at first: without the right one a caller
// learns nothing about passwords.
func (h *Handler) admit(c *call, wanted caller) error {
	names := certificateNames(c.r)
	if len(names) == 0 {
		return forbidden("a client certificate is needed: present the one that was issued for your mailbox")
	}
	switch wanted {
	case anybody:
		return nil
	case known:
		if len(c.directory.Named(names)) == 0 {
			return forbidden("your certificate is not registered for any mailbox: ask the service desk to add its name")
		}
		return nil
	}
	id := strings.ToUpper(c.params[0])
	token, err := auth.Parse(c.r.Header.Get("Authorization"))
	if err != nil {
		return forbidden(err.Error())
	}
	if token.Mailbox != id {
		return forbidden("Mailbox id does not match token: the mailbox in the path and in the Authorization header must be the same, in upper case")
	}
	box := c.directory.Lookup(id)
	if box == nil {
		return forbidden("No mailbox matched: check the mailbox ID")
	}
	if !box.Owns(names) {
		return forbidden("your certificate is not registered for this mailbox: use the one issued for it, or ask the service desk to add its name")
	}
	if err := token.Check(box.Password.Reveal(), c.directory.SharedKey.Reveal(), c.started); err != nil {
		return forbidden(err.Error())
	}
	if err := h.guard.Use(&token, c.started); errors.Is(err, auth.ErrFull) {
		return &fault{status: http.StatusServiceUnavailable, text: err.Error(), retryAfter: time.Minute}
	} else if err != nil {
		return forbidden(err.Error())
	}
	c.box, c.token = box, &token
	return nil
}

// certificateNames are the common name and the DNS names of the caller's verified certificate.
func certificateNames(r *http.Request) []string {
	cert := certificate(r)
	if cert == nil {
		return nil
	}
	if cert.Subject.CommonName == "" {
		return cert.DNSNames
	}
	return append([]string{cert.Subject.CommonName}, cert.DNSNames...)
}

// certificate is nil when the TLS stack did not verify one.
func certificate(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil
	}
	return r.TLS.VerifiedChains[0][0]
}

func firstName(r *http.Request) string {
	if names := certificateNames(r); len(names) > 0 {
		return names[0]
	}
	return ""
}

const (
	mediaPrefix = "application/vnd.mesh.v"
	mediaSuffix = "+json"
	mediaV2     = mediaPrefix + "2" + mediaSuffix
)

// acceptedVersion reads the version of the API that the Accept header asks for; 1 when it names none.
func acceptedVersion(accept string) (int, error) {
	if !strings.Contains(accept, "vnd.mesh") {
		return 1, nil
	}
	for _, item := range strings.FieldsFunc(accept, func(r rune) bool { return r == ',' || r == ';' }) {
		item = strings.TrimSpace(item)
		if !strings.Contains(item, "vnd.mesh") {
			continue
		}
		digits, ok := strings.CutPrefix(item, mediaPrefix)
		digits, isJSON := strings.CutSuffix(digits, mediaSuffix)
		if version, err := strconv.Atoi(digits); ok && isJSON && err == nil && (version == 1 || version == 2) {
			return version, nil
		}
		break
	}
	return 1, invalid("header", "accept", "must be application/json, application/vnd.mesh.v1+json or application/vnd.mesh.v2+json")
}
