// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"strings"

	"github.com/aws/smithy-go"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"
)

// files are those of a self-managed backend, named from its folder .pulumi on.
type files interface {
	// Names are those of the files right in a folder; fs.ErrNotExist when there is no such folder.
	Names(ctx context.Context, dir string) ([]string, error)
	// Read returns a whole file; fs.ErrNotExist when there is no such file.
	Read(ctx context.Context, name string) ([]byte, error)
}

// tree are files of a file system.
type tree struct{ fs.FS }

func (t tree) Names(_ context.Context, dir string) ([]string, error) {
	entries, err := fs.ReadDir(t.FS, dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

func (t tree) Read(_ context.Context, name string) ([]byte, error) { return fs.ReadFile(t.FS, name) }

// bucket are files of a bucket.
type bucket struct {
	*blob.Bucket
	// shown is what errors call it: its URL without what may be in it besides.
	shown string
}

// openBucket opens an S3 bucket by a URL such as Pulumi takes: s3://BUCKET/PREFIX?region=REGION. It is the library that
// Pulumi opens it by, so that the same parameters and credentials count.
func openBucket(ctx context.Context, text string) (files, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, errors.New("the backend's URL names no bucket: set PULUMI_BACKEND_URL to s3://BUCKET/PREFIX?region=REGION")
	}
	shown := "s3://" + u.Host + u.Path
	opened, err := (&s3blob.URLOpener{UseV2: true}).OpenBucketURL(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("the backend %s cannot be opened: %s: see what follows the ? in PULUMI_BACKEND_URL, and AWS_PROFILE",
			shown, strings.TrimPrefix(err.Error(), "open bucket "+u.String()+": "))
	}
	prefix := strings.Trim(u.Path, "/") + "/.pulumi/"
	return bucket{blob.PrefixedBucket(opened, strings.TrimLeft(prefix, "/")), shown}, nil
}

func (b bucket) Names(ctx context.Context, dir string) ([]string, error) {
	var names []string
	all := b.List(&blob.ListOptions{Prefix: dir + "/", Delimiter: "/"})
	for {
		o, err := all.Next(ctx)
		switch {
		case errors.Is(err, io.EOF) && len(names) == 0:
			return nil, fs.ErrNotExist // A bucket knows no empty folders.
		case errors.Is(err, io.EOF):
			return names, nil
		case gcerrors.Code(err) == gcerrors.NotFound:
			return nil, fmt.Errorf("there is no bucket %s, or not in that region: is PULUMI_BACKEND_URL right?", b.shown)
		case err != nil:
			return nil, b.explain(err)
		}
		names = append(names, path.Base(o.Key))
	}
}

func (b bucket) Read(ctx context.Context, name string) ([]byte, error) {
	text, err := b.ReadAll(ctx, name)
	switch {
	case err == nil:
		return text, nil
	case gcerrors.Code(err) == gcerrors.NotFound:
		return nil, fs.ErrNotExist
	}
	return nil, b.explain(err)
}

// explain says what to do about what AWS answered.
func (b bucket) explain(err error) error {
	code := ""
	if answer, ok := errors.AsType[smithy.APIError](err); ok {
		code = answer.ErrorCode()
	}
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	// The SDK has no type for it.
	case strings.Contains(err.Error(), "get credentials:"):
		return fmt.Errorf("there are no credentials to read %s with: set AWS_PROFILE, or log in as you do for `pulumi preview`", b.shown)
	case code == "InvalidAccessKeyId", code == "SignatureDoesNotMatch", code == "ExpiredToken", code == "InvalidToken":
		return fmt.Errorf("AWS does not accept the credentials (%s) for %s: log in again, as you do for `pulumi preview`", code, b.shown)
	case code == "AccessDenied":
		return fmt.Errorf("access to %s is denied: it takes s3:ListBucket on the bucket, s3:GetObject on what is in it, and kms:Decrypt on its key", b.shown)
	case code != "":
		return fmt.Errorf("reading %s: AWS answers %s", b.shown, code)
	}
	return fmt.Errorf("reading %s: %w", b.shown, err)
}
