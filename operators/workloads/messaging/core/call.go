// SPDX-License-Identifier: Apache-2.0

package core

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/routes"
)

// send posts a message to its route's endpoint, and to the endpoints of before when that cannot be reached. The
// failure is empty when the endpoint took it; permanent says that it never will.
func (g *Gateway) send(ctx context.Context, route *routes.Route, d *message.Delivery) (failure string, permanent bool) {
	for _, endpoint := range route.Endpoints(g.now()) {
		status, reached, err := g.post(ctx, route, endpoint, d)
		switch {
		case err != nil && !reached:
			failure = "the endpoint could not be reached"
			continue
		case err != nil:
			return "the endpoint did not answer in time", false
		case status >= 200 && status < 300:
			return "", false
		}
		return describe(status), !retryStatus(status)
	}
	return failure, false
}

func (g *Gateway) post(ctx context.Context, route *routes.Route, endpoint string, d *message.Delivery) (status int, reached bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, route.Timeout.Duration)
	defer cancel()
	request, err := newRequest(ctx, endpoint, &message.Submission{
		Sender: d.Sender, Recipient: d.Recipient, Interaction: d.Interaction, RequestID: d.RequestID,
		ContentType: d.ContentType, ContentEncoding: d.ContentEncoding, Body: d.Body,
	})
	if err != nil {
		return 0, false, err
	}
	request.Header.Set("Spine-Message-Id", d.ID)
	request.Header.Set("Spine-Attempt", strconv.Itoa(d.Attempt))
	answer, err := g.client.Do(request)
	if err != nil {
		return 0, !unreached(err), err
	}
	defer answer.Body.Close() //nolint:errcheck // read only
	// The connection is used again only when its answer was read.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16))
	return answer.StatusCode, true, nil
}

func newRequest(ctx context.Context, endpoint string, s *message.Submission) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(s.Body))
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"Spine-Sender": s.Sender, "Spine-Recipient": s.Recipient, "Spine-Interaction": s.Interaction,
		"Spine-Request-Id": s.RequestID, "Content-Type": s.ContentType, "Content-Encoding": s.ContentEncoding,
	} {
		if value = token(value); value != "" {
			request.Header.Set(name, value)
		}
	}
	return request, nil
}

// unreached says that a request surely did not get to the endpoint.
func unreached(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// Call passes a request of a Sync interaction to its endpoint. Nothing is stored and nothing is repeated.
func (g *Gateway) Call(ctx context.Context, s *message.Submission) (*message.Reply, error) {
	route, _, err := g.check(s)
	if err != nil {
		return nil, err
	}
	if route.Pattern != api.PatternSync {
		return nil, fmt.Errorf("%w: %q is not synchronous; send it as a message", message.ErrInvalid, s.Interaction)
	}
	allowed, wait := route.Allow(g.now(), 1)
	if allowed == 0 {
		return nil, &message.OverloadedError{RetryAfter: max(wait, 1e9), Throttled: true}
	}
	route.Took(g.now(), 1)
	ctx, cancel := context.WithTimeout(ctx, route.Timeout.Duration)
	defer cancel()
	for _, endpoint := range route.Endpoints(g.now()) {
		request, err := newRequest(ctx, endpoint, s)
		if err != nil {
			return nil, err
		}
		answer, err := g.client.Do(request)
		switch {
		case err == nil:
			return read(answer, g.limits().MaxRequestBytes)
		case unreached(err) && ctx.Err() == nil:
			continue
		case ctx.Err() != nil:
			return nil, fmt.Errorf("%w: %s", message.ErrTimeout, route.Timeout.Duration)
		}
		return nil, fmt.Errorf("%w: it closed the connection", message.ErrEndpoint)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w: %s", message.ErrTimeout, route.Timeout.Duration)
	}
	return nil, fmt.Errorf("%w: no connection", message.ErrEndpoint)
}

func read(answer *http.Response, limit int64) (*message.Reply, error) {
	defer answer.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: its answer broke off", message.ErrEndpoint)
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("%w: its answer exceeds %d bytes", message.ErrEndpoint, limit)
	}
	return &message.Reply{Status: answer.StatusCode, ContentType: answer.Header.Get("Content-Type"), Body: body}, nil
}
