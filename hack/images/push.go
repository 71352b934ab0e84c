// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"
)

// repository is the folder of all our images in a registry.
const repository = "spine"

// pushJobs is how many requests to the registry are made at once.
const pushJobs = 4

// A target is a registry to push to.
type target struct {
	// Registry is HOST:PORT.
	Registry string
	// PlainHTTP is for a registry without TLS on this machine.
	PlainHTTP bool
	// CA is a file with the registry's certificate authority; empty for the
	// machine's own list.
	CA string
	// User is who pushes, empty for nobody in particular; the password has no place in a
	// command line.
	User, password string
	// OnlyPlatform leaves out what only machines of our own need; Record is a file to list
	// what is pushed in, empty for none.
	OnlyPlatform bool
	Record       string
}

// mostPassword bounds what is read of a password, in bytes: that of ECR is a token of about
// 2,000.
const mostPassword = 1 << 16

// readPassword reads the user's password.
func (t *target) readPassword(from io.Reader) error {
	if t.User == "" {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(from, mostPassword))
	if err != nil {
		return err
	}
	if t.password = strings.TrimSpace(string(text)); t.password == "" {
		return errors.New("--user needs its password on standard input, and there is none")
	}
	return nil
}

// record lists images in a file, as environments name a release.
func record(file string, images []Built) error {
	if file == "" {
		return nil
	}
	text, err := json.MarshalIndent(images, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// push sends the images that the registry does not have under their tag, and
// returns how many those were. An image that is there costs one request.
func (s *store) push(ctx context.Context, t target, images []Built) (pushed int, err error) {
	transport, err := t.transport()
	if err != nil {
		return 0, err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithTransport(transport), remote.WithJobs(pushJobs)}
	if t.User != "" {
		options = append(options, remote.WithAuth(&authn.Basic{Username: t.User, Password: t.password}))
	}
	missing := map[name.Reference]remote.Taggable{}
	var mu sync.Mutex
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(pushJobs)
	for _, b := range images {
		group.Go(func() error {
			tag, err := t.tag(b)
			if err != nil {
				return err
			}
			head, err := remote.Head(tag, append(options, remote.WithContext(groupCtx))...)
			if err == nil && head.Digest.String() == b.Digest {
				return nil
			}
			// Any other answer, errors too, is for the push to find out about.
			hash, err := v1.NewHash(b.Digest)
			if err != nil {
				return err
			}
			image, err := s.path.Image(hash)
			if err != nil {
				return fmt.Errorf("image %s:%s is not whole in %s: build it again: %w", b.Name, b.Tag, s.dir, err)
			}
			mu.Lock()
			defer mu.Unlock()
			missing[tag] = image
			return nil
		})
	}
	if err := group.Wait(); err != nil || len(missing) == 0 {
		return 0, err
	}
	// All at once, so that layers in common are sent once.
	if err := remote.MultiWrite(missing, options...); err != nil {
		return 0, fmt.Errorf("push to %s: %w", t.Registry, err)
	}
	return len(missing), nil
}

// tag is an image's address in the registry.
func (t target) tag(b Built) (name.Tag, error) {
	options := []name.Option{name.StrictValidation}
	if t.PlainHTTP {
		options = append(options, name.Insecure)
	}
	return name.NewTag(fmt.Sprintf("%s/%s/%s:%s", t.Registry, repository, b.Name, b.Tag), options...)
}

// transport trusts the registry's authority.
func (t target) transport() (http.RoundTripper, error) {
	base := remote.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConnsPerHost = pushJobs
	if t.CA == "" {
		return base, nil
	}
	pem, err := os.ReadFile(t.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", t.CA)
	}
	base.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return base, nil
}
