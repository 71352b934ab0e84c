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

// archive takes a file to the store, which may take so long to answer once it has got it. Without an error the store has
// said that it holds all of it.
func archive(ctx context.Context, r request, answer, limit time.Duration) error {
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
	store, err := r.client(ctx, answer)
	if err != nil {
		return err
	}
	if _, err := store.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &r.bucket, Key: aws.String(r.key + compressed), Body: bytes.NewReader(packed.Bytes()),
	}); err != nil {
		return fmt.Errorf("%s to s3://%s/%s: %w", r.file, r.bucket, r.key+compressed, err)
	}
	return nil
}

// restore writes the file that is asked for. fs.ErrNotExist says that the archive, which answered within the first time,
// has none; any other error, that this is not known. Nothing is left of a file that did not come whole.
func restore(ctx context.Context, r request, answer, whole time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, whole)
	defer cancel()
	store, err := r.client(ctx, answering)
	if err != nil {
		return err
	}
	key, err := r.find(ctx, store, answer)
	if err != nil {
		return err
	}
	object, err := store.GetObject(ctx, &s3.GetObjectInput{Bucket: &r.bucket, Key: &key})
	if err != nil {
		return fmt.Errorf("reading s3://%s/%s: %w", r.bucket, key, err)
	}
	defer object.Body.Close()
	var content io.Reader = object.Body
	if strings.HasSuffix(key, compressed) {
		content = lz4.NewReader(object.Body)
	}
	if err := write(r.file, content); err != nil {
		return errors.Join(fmt.Errorf("s3://%s/%s to %s: %w", r.bucket, key, r.file, err), os.RemoveAll(r.file))
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
