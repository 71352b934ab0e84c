// SPDX-License-Identifier: Apache-2.0

package bookings

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// maxPage bounds an answer in bytes.
const maxPage = 4 << 20

// browser keeps the cookies of one user; connections are shared by all.
type browser struct {
	base   string
	client *http.Client
	body   bytes.Buffer
}

func newBrowser(base string, shared *http.Client) (*browser, error) {
	// A jar without a list of public suffixes, as there is one host, cannot fail.
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client := *shared
	client.Jar = jar
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{base: base, client: &client}, nil
}

// answer is what came back.
type answer struct {
	status int
	// location is the path that a 303 sends the user to.
	location string
	// body is only valid until the next request.
	body []byte
	wait time.Duration
}

// statusError is an answer that a user cannot go on from.
type statusError struct {
	path   string
	status int
}

func (e *statusError) Error() string { return fmt.Sprintf("%s: HTTP %d", e.path, e.status) }

// open is whether trying again may help, or what was asked may have been done.
func (a *answer) open() bool {
	return a.status >= 500 || a.status == http.StatusTooManyRequests || a.status == http.StatusRequestTimeout
}

func (b *browser) get(ctx context.Context, path string) (answer, error) {
	return b.do(ctx, http.MethodGet, path, nil)
}

func (b *browser) post(ctx context.Context, path string, form url.Values) (answer, error) {
	return b.do(ctx, http.MethodPost, path, strings.NewReader(form.Encode()))
}

func (b *browser) do(ctx context.Context, method, path string, body io.Reader) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, b.base+path, body)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	b.body.Reset()
	if _, err := b.body.ReadFrom(io.LimitReader(resp.Body, maxPage)); err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode, location: resp.Header.Get("Location"), body: b.body.Bytes()}
	if seconds, err := time.ParseDuration(resp.Header.Get("Retry-After") + "s"); err == nil {
		a.wait = min(max(seconds, 0), time.Minute)
	}
	return a, nil
}
