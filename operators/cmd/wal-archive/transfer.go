// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/pierrec/lz4/v4"
)

// errUnknown says that the archive holds the file in a form that only Barman reads.
var errUnknown = errors.New("in a form of Barman's")

// What is added to a name for the form of its content, and for the end of a timeline whose last segment is not full.
const (
	compressed = ".lz4"
	partial    = ".partial"
)

// archive takes a file to the store, which may be silent as long as patience says. Without an error the store has said
// that it holds all of it.
func archive(ctx context.Context, r request, patience func() time.Duration, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	content, err := os.ReadFile(r.file)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	w := lz4.NewWriter(&packed)
	if _, err := w.Write(content); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	store, err := r.client(ctx)
	if err != nil {
		return err
	}
	ctx, heard, stop := heed(ctx, patience)
	defer stop()
	if _, err := store.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &r.bucket, Key: aws.String(r.key + compressed), Body: upload{bytes.NewReader(packed.Bytes()), heard},
	}); err != nil {
		return fmt.Errorf("%s to s3://%s/%s: %w", r.file, r.bucket, r.key+compressed, cause(ctx, err))
	}
	return nil
}

// heed returns a context that ends once nothing was heard for as long as patience says, which is asked all the time: a
// server that begins to stop has less of it. A store that does not even read is noticed by that, too.
func heed(ctx context.Context, patience func() time.Duration) (_ context.Context, heard, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	var last atomic.Int64 // in ns since the epoch
	heard = func() { last.Store(time.Now().UnixNano()) }
	heard()
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if limit := patience(); time.Since(time.Unix(0, last.Load())) > limit {
					cancel(fmt.Errorf("the store was silent for %s", limit))
					return
				}
			}
		}
	}()
	return ctx, heard, func() { cancel(nil) }
}

// cause of an error: why the context ended, if it did.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// upload and download tell of each part of a file that went.
type (
	upload struct {
		io.ReadSeeker
		heard func()
	}
	download struct {
		io.Reader
		heard func()
	}
)

func (u upload) Read(p []byte) (int, error) {
	u.heard()
	return u.ReadSeeker.Read(p)
}

func (d download) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	d.heard()
	return n, err
}

// restore writes the file that is asked for. fs.ErrNotExist says that the archive, which answered within the first time,
// has none; any other error, that this is not known. Nothing is left of a file that did not come whole.
func restore(ctx context.Context, r request, answer time.Duration, patience func() time.Duration, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	store, err := r.client(ctx)
	if err != nil {
		return err
	}
	key, err := r.find(ctx, store, answer)
	if err != nil {
		return err
	}
	ctx, heard, stop := heed(ctx, patience)
	defer stop()
	object, err := store.GetObject(ctx, &s3.GetObjectInput{Bucket: &r.bucket, Key: &key})
	if err != nil {
		return fmt.Errorf("reading s3://%s/%s: %w", r.bucket, key, cause(ctx, err))
	}
	defer object.Body.Close()
	var content io.Reader = download{object.Body, heard}
	if strings.HasSuffix(key, compressed) {
		content = lz4.NewReader(content)
	}
	if err := write(r.file, content); err != nil {
		return errors.Join(fmt.Errorf("s3://%s/%s to %s: %w", r.bucket, key, r.file, cause(ctx, err)), os.RemoveAll(r.file))
	}
	return nil
}

// find is the key of the object that holds the file: the whole one rather than the part.
func (r request) find(ctx context.Context, store *s3.Client, limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	list, err := store.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &r.bucket, Prefix: &r.key})
	if err != nil {
		return "", fmt.Errorf("looking for s3://%s/%s: %w", r.bucket, r.key, err)
	}
	there := map[string]bool{}
	for _, o := range list.Contents {
		there[strings.TrimPrefix(aws.ToString(o.Key), r.key)] = true
	}
	for _, form := range []string{"", compressed, partial, partial + compressed} {
		if there[form] {
			return r.key + form, nil
		}
	}
	for form := range there {
		// Labels of copies lie beside the segment that they begin in; they are no form of it.
		if !strings.Contains(form, ".backup") {
			return "", fmt.Errorf("s3://%s/%s%s is %w", r.bucket, r.key, form, errUnknown)
		}
	}
	return "", fmt.Errorf("s3://%s/%s: %w", r.bucket, r.key, fs.ErrNotExist)
}

// write makes a file of what is read. PostgreSQL itself syncs it, and looks at its size.
func write(name string, content io.Reader) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}
