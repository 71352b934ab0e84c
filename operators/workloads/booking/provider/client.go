// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client calls the systems of providers. It is safe for concurrent use, retries nothing and follows no redirects: what to
// do after a failure depends on the operation, and is its caller's decision.
type Client struct {
	http  *http.Client
	limit time.Duration
}

// NewClient makes a client on transport, which holds the trusted authorities; limit bounds every
// call, from 1 second to AnswerLimit.
func NewClient(transport http.RoundTripper, limit time.Duration) (*Client, error) {
	if limit < time.Second || limit > AnswerLimit {
		return nil, fmt.Errorf("answer limit: expected 1s to %s, got %s", AnswerLimit, limit)
	}
	return &Client{
		http: &http.Client{
			Transport: transport,
			// A redirect could carry a booking to a system that nobody entered into the directory.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		limit: limit,
	}, nil
}

// Availability asks for everything that service offers in the period, ordered by start.
// Errors: *BusyError, *RefusedError, *InvalidAnswerError, *NoAnswerError.
func (c *Client) Availability(ctx context.Context, service Service, period Period) ([]Slot, error) {
	target, err := address(service, "services", service.ID, "slots")
	if err != nil {
		return nil, err
	}
	target.RawQuery = url.Values{
		"from": {period.From.UTC().Format(time.RFC3339)},
		"to":   {period.To.UTC().Format(time.RFC3339)},
	}.Encode()
	answer, err := c.do(ctx, http.MethodGet, target, nil)
	switch {
	case err != nil:
		return nil, err
	case answer.status != http.StatusOK:
		return nil, answer.failure(true)
	}
	return ParseAvailability(answer.body, service.ID, period)
}

// Book books a slot; a repetition with the same Request books once. Errors: *SlotTakenError, *RefusedError and
// *BusyError are certain (nothing is booked); for others see OutcomeUnknown.
func (c *Client) Book(ctx context.Context, service Service, booking Booking) error {
	target, err := address(service, "bookings", booking.Request)
	if err != nil {
		return err
	}
	body, err := json.Marshal(wireBooking{
		ServiceID: service.ID,
		SlotID:    booking.Slot,
		Start:     booking.Start.UTC().Format(time.RFC3339),
		UBRN:      booking.UBRN,
	})
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPut, target, body)
	switch {
	case err != nil:
		return err
	case answer.status == http.StatusOK || answer.status == http.StatusCreated:
		return ParseBooked(answer.body, service.ID, booking)
	case answer.status == http.StatusConflict:
		return &SlotTakenError{}
	default:
		// A 503 may come from a proxy after its server has booked: for a booking it is no answer.
		return answer.failure(false)
	}
}

// Cancel gives the slot of the booking named request back. It may be repeated, and may be sent for a booking of which
// nobody knows whether it was made.
func (c *Client) Cancel(ctx context.Context, service Service, request string) error {
	target, err := address(service, "bookings", request)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodDelete, target, nil)
	switch {
	case err != nil:
		return err
	case answer.status == http.StatusNoContent || answer.status == http.StatusOK:
		return nil
	default:
		return answer.failure(true)
	}
}

// address builds <endpoint>/v1/<parts...>. Parts are checked, so that none can leave the path.
func address(service Service, parts ...string) (*url.URL, error) {
	root, err := url.Parse(service.Endpoint)
	if err != nil || root.Scheme != "https" || root.Host == "" || root.RawQuery != "" || root.Fragment != "" {
		return nil, fmt.Errorf("service %q: endpoint: expected an https URL without query: correct it in the directory", service.ID)
	}
	for _, part := range parts {
		if !validID(part) {
			return nil, fmt.Errorf("service %q: %s id: expected 1 to 64 of A-Z a-z 0-9 . _ -", service.ID, parts[0])
		}
	}
	return root.JoinPath(append([]string{"v1"}, parts...)...), nil
}

// answer is a whole answer, bounded.
type answer struct {
	status int
	body   []byte
	after  string
	waited time.Duration
}

func (c *Client) do(ctx context.Context, method string, target *url.URL, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	begun := time.Now()
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, &NoAnswerError{After: time.Since(begun), Cause: withoutURL(err)}
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, MaxAnswerBytes+1))
	if err != nil {
		return answer{}, &NoAnswerError{After: time.Since(begun), Cause: err}
	}
	if len(content) > MaxAnswerBytes {
		return answer{}, &InvalidAnswerError{Problems: []string{fmt.Sprintf("$: expected at most %d bytes", MaxAnswerBytes)}}
	}
	return answer{
		status: response.StatusCode,
		body:   content,
		after:  response.Header.Get("Retry-After"),
		waited: time.Since(begun),
	}, nil
}

// failure is the error of an answer that was not the one hoped for. busy503 says that a 503 means "nothing was done".
func (a answer) failure(busy503 bool) error {
	switch {
	case a.status == http.StatusTooManyRequests, a.status == http.StatusServiceUnavailable && busy503:
		return &BusyError{After: retryAfter(a.after, time.Now())}
	case a.status >= 400 && a.status < 500 && a.status != http.StatusRequestTimeout:
		return &RefusedError{Status: a.status}
	default:
		return &NoAnswerError{After: a.waited, Cause: fmt.Errorf("status %d", a.status)}
	}
}

// retryAfter reads seconds or an HTTP date. What it cannot read is 30 s: polite, and not the end of the window.
func retryAfter(value string, now time.Time) time.Duration {
	after := 30 * time.Second
	if seconds, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
		after = time.Duration(min(max(seconds, 0), 3600)) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		after = at.Sub(now)
	}
	return min(max(after, time.Second), time.Hour)
}

// withoutURL drops the address from a transport error: it names the booking, and logs do not need it.
func withoutURL(err error) error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
