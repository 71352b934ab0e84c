// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/clientcmd"
)

// requestTimeout is how long the API server may take for an answer.
const requestTimeout = 5 * time.Second

// admissionDenied comes before what an admission policy says, which is for people.
const admissionDenied = "denied request:"

// noCluster explains why there is no kubeconfig to work with.
func noCluster(err error) error {
	if clientcmd.IsEmptyConfig(err) || errors.Is(err, clientcmd.ErrEmptyCluster) || clientcmd.IsConfigurationInvalid(err) {
		return errors.New("no cluster is configured: set KUBECONFIG or --kubeconfig; for the virtual rack run: eval \"$(make -s env)\"")
	}
	return fmt.Errorf("the kubeconfig cannot be read: %s", firstLine(err))
}

// explain says in one sentence why a request failed and what to do. doing completes
// "you may not ...", as in "list hosts".
func (s *site) explain(err error, doing string) error {
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return nil
	case s.unreachable(err):
		return fmt.Errorf("site %s does not answer (%s): %s; is it up? Another site: --context", s.name, s.server, unreachableDetail(err))
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("site %s does not know you: your credentials are wrong or have expired; log in again", s.name)
	case strings.Contains(err.Error(), admissionDenied):
		_, why, _ := strings.Cut(err.Error(), admissionDenied)
		return fmt.Errorf("cannot %s: site %s refuses it: %s", doing, s.name, strings.TrimSpace(why))
	case apierrors.IsForbidden(err):
		return fmt.Errorf("you may not %s at site %s: ask for a binding of the role spine-responder to act, spine-viewer to see: %s", doing, s.name, firstLine(err))
	case kindMissing(err):
		return fmt.Errorf("cannot %s: site %s does not know the kind: the platform is not installed there, or is older than this plugin; `pulumi up` of the site installs it", doing, s.name)
	case apierrors.IsInvalid(err) && errors.As(err, &status) && status.Status().Details != nil:
		var causes []string
		for _, c := range status.Status().Details.Causes {
			causes = append(causes, strings.TrimSpace(c.Field+": "+c.Message))
		}
		return fmt.Errorf("cannot %s: site %s refuses it: %s", doing, s.name, strings.Join(causes, "; "))
	}
	return fmt.Errorf("cannot %s at site %s: %s", doing, s.name, firstLine(err))
}

// unreachable says that the API server did not answer at all.
func (s *site) unreachable(err error) bool {
	var network net.Error
	var status apierrors.APIStatus
	switch {
	case errors.As(err, &status):
		return apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) || apierrors.IsServiceUnavailable(err)
	case errors.As(err, &network), errors.Is(err, context.DeadlineExceeded):
		return true
	}
	return strings.Contains(err.Error(), "x509:") || strings.Contains(err.Error(), "connection refused") ||
		strings.Contains(err.Error(), "rate limiter") // which gives up at once when the deadline is near
}

func unreachableDetail(err error) string {
	if errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "rate limiter") {
		return "nothing within " + requestTimeout.String()
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	return firstLine(err)
}

// kindMissing says that the API server does not know the kind: no object is named as missing.
func kindMissing(err error) bool {
	if meta.IsNoMatchError(err) {
		return true
	}
	var status apierrors.APIStatus
	if !apierrors.IsNotFound(err) || !errors.As(err, &status) {
		return false
	}
	d := status.Status().Details
	return d == nil || d.Name == ""
}

// unknown tells of a name that does not exist, with those that come nearest.
func unknown(what, name string, known []string) error {
	message := fmt.Sprintf("there is no %s %q", what, name)
	if near := nearest(name, known); len(near) > 0 {
		return fmt.Errorf("%s: did you mean %s?", message, oneOf(near))
	}
	if len(known) == 0 {
		return errors.New(message + ", nor any other")
	}
	return fmt.Errorf("%s: choose one of %s", message, strings.Join(known, ", "))
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return line
}

// oneOf reads "a, b or c".
func oneOf(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:len(items)-1], ", ") + " or " + items[len(items)-1]
}
