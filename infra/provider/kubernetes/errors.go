// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// UnreachableError says that no API server answered at the kubeconfig's address.
type UnreachableError struct {
	Server string
	Err    error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the Kubernetes API at %s does not answer: %v: check that a control plane host is up and that this machine reaches it", e.Server, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// OtherClusterError says that the address is answered with a certificate of another
// authority: the cluster that the kubeconfig belongs to is no longer there.
type OtherClusterError struct {
	Server string
	Err    error
}

func (e *OtherClusterError) Error() string {
	return fmt.Sprintf("the Kubernetes API at %s is another cluster than the kubeconfig's: its certificate is signed by another authority: run `pulumi refresh` to take up the new cluster", e.Server)
}

func (e *OtherClusterError) Unwrap() error { return e.Err }

// classify turns transport errors into the typed errors above and leaves the API's alone.
func (c *cluster) classify(err error) error {
	var (
		unreachable *UnreachableError
		other       *OtherClusterError
		authority   x509.UnknownAuthorityError
		network     net.Error
		address     *url.Error
	)
	switch {
	case err == nil, errors.As(err, &unreachable), errors.As(err, &other):
		return err
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &authority):
		return &OtherClusterError{Server: c.server, Err: err}
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the Kubernetes API at %s refuses the kubeconfig's credentials: renew them with `pulumi up --refresh`: %w", c.server, err)
	case errors.As(err, &network), errors.As(err, &address), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &UnreachableError{Server: c.server, Err: innermost(err)}
	}
	return err
}

// innermost returns the network operation that failed, without the request around it: the
// server is named already.
func innermost(err error) error {
	var operation *net.OpError
	if errors.As(err, &operation) {
		return operation
	}
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err
	}
	return err
}

// passing matches the internal errors that pass by themselves. Most do not: an object that
// does not fit its schema is one too.
var passing = regexp.MustCompile(`failed calling webhook|etcdserver: |timed out|connection refused`)

// notServedError says that a kind is not served although its definition was just accepted.
type notServedError struct{ err error }

func (e *notServedError) Error() string { return e.err.Error() }

func (e *notServedError) Unwrap() error { return e.err }

// isTransient says whether trying again may help: the API is away or busy, a webhook's
// pod is still starting, a kind is not served yet, or a namespace is still going away.
func isTransient(err error) bool {
	var notServed *notServedError
	if isUnreachable(err) || errors.As(err, &notServed) {
		return true
	}
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return true
	}
	return apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) || apierrors.IsTooManyRequests(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsConflict(err) ||
		apierrors.IsInternalError(err) && passing.MatchString(err.Error())
}

// isUnreachable says whether err means that no API answered.
func isUnreachable(err error) bool {
	var e *UnreachableError
	return errors.As(err, &e)
}

// isOtherCluster says whether err means that another cluster answered.
func isOtherCluster(err error) bool {
	var e *OtherClusterError
	return errors.As(err, &e)
}
