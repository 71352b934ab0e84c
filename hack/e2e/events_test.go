// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// eventsMailbox gets an event for each booking, as a system beside e-RS would.
const eventsMailbox = "ERSEVENTS"

// collectEvents takes what comes to eventsMailbox until its context ends: uncollected, it would be a backlog.
func collectEvents(ctx context.Context, url string) {
	GinkgoHelper()
	clients := filepath.Join(rack.Home, "clients")
	pair, err := tls.LoadX509KeyPair(filepath.Join(clients, eventsMailbox+".crt"), filepath.Join(clients, eventsMailbox+".key"))
	Expect(err).NotTo(HaveOccurred())
	authority, err := os.ReadFile(filepath.Join(clients, "ca.crt"))
	Expect(err).NotTo(HaveOccurred())
	roots := x509.NewCertPool()
	Expect(roots.AppendCertsFromPEM(authority)).To(BeTrue())
	c := &http.Client{
		Timeout:   20 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, MinVersion: tls.VersionTLS12}},
	}
	post := func(verb string, body, into any) error {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/mailboxes/"+eventsMailbox+"/messages:"+verb, bytes.NewReader(raw))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := c.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: status %d", verb, response.StatusCode)
		}
		return json.NewDecoder(response.Body).Decode(into)
	}
	for ctx.Err() == nil {
		var got struct {
			Messages []struct {
				Lease string `json:"lease"`
			} `json:"messages"`
		}
		err := post("receive", map[string]any{"max": 500, "waitSeconds": 5}, &got)
		if leases := make([]string, 0, len(got.Messages)); err == nil && len(got.Messages) > 0 {
			for _, m := range got.Messages {
				leases = append(leases, m.Lease)
			}
			err = post("settle", map[string]any{"leases": leases}, &struct{}{})
		}
		if err != nil {
			// The site is being broken on purpose: it is asked again.
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}
