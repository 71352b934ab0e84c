// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/infra/audit/engine"
)

// Backend keeps the record of what was done.
type Backend interface {
	// Project is the project whose stacks it is asked about.
	Project() string
	// History is a stack's updates, the oldest first; none for a stack that was never updated. One record that cannot
	// be read is an error: a history with a gap would mislead.
	History(ctx context.Context, stack string) ([]engine.Update, error)
}

// managed is a backend that users manage themselves: in a folder, or in a bucket.
type managed struct {
	files   files
	project string
}

// atOnce is how many records are read at once: from a bucket each takes a while.
const atOnce = 8

// backend is the one that Pulumi is logged in to.
func (a *app) backend(ctx context.Context) (Backend, error) {
	text, err := os.ReadFile(filepath.Join(a.root, "Pulumi.yaml"))
	if err != nil {
		return nil, fmt.Errorf("%w: run this at the top of the checkout", err)
	}
	var project struct {
		Name string `json:"name"`
	}
	if err := yaml.Unmarshal(text, &project); err != nil {
		return nil, fmt.Errorf("reading Pulumi.yaml: %w", err)
	}
	url := os.Getenv("PULUMI_BACKEND_URL")
	if url == "" {
		if url, err = a.loggedIn(ctx); err != nil {
			return nil, err
		}
	}
	if strings.HasPrefix(url, "s3://") {
		files, err := openBucket(ctx, url)
		return &managed{files: files, project: project.Name}, err
	}
	dir, ok := strings.CutPrefix(url, "file://")
	dir, _, _ = strings.Cut(dir, "?") // what follows is for Pulumi's own writing
	if !ok {
		scheme, _, _ := strings.Cut(url, "://")
		return nil, fmt.Errorf("the backend's URL begins with %q: histories are read from folders (file://) and buckets of S3 (s3://). "+
			"Copy its folder .pulumi to DIR/.pulumi, and set PULUMI_BACKEND_URL to file://DIR", scheme)
	}
	if rest, home := strings.CutPrefix(dir, "~"); home {
		user, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		dir = user + rest
	}
	return &managed{files: tree{os.DirFS(filepath.Join(dir, ".pulumi"))}, project: project.Name}, nil
}

// loggedIn is the URL of the backend that the user is logged in to.
func (a *app) loggedIn(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "pulumi", "whoami", "--json", "--non-interactive")
	cmd.Dir = a.root
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("pulumi whoami: %w: set PULUMI_BACKEND_URL, or `pulumi login`", err)
	}
	var who struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(out, &who); err != nil || who.URL == "" {
		return "", errors.New("pulumi whoami does not name the backend: set PULUMI_BACKEND_URL")
	}
	return who.URL, nil
}

func (m *managed) Project() string { return m.project }

func (m *managed) History(ctx context.Context, stack string) ([]engine.Update, error) {
	dir := path.Join("history", m.project, stack)
	names, err := m.files.Names(ctx, dir)
	if errors.Is(err, fs.ErrNotExist) {
		_, err := m.files.Names(ctx, path.Join("stacks", m.project))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("the backend knows no project %s: is PULUMI_BACKEND_URL right? %w", m.project, err)
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	// Names hold the time: their order is that of the updates.
	var records []string
	for _, name := range names {
		if base, _, ok := strings.Cut(name, ".history.json"); ok && !strings.HasSuffix(name, ".attrs") {
			records = append(records, base+"|"+name)
		}
	}
	slices.Sort(records)
	out := make([]engine.Update, len(records))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, r := range records {
		base, name, _ := strings.Cut(r, "|")
		group.Go(func() error {
			u, err := m.update(ctx, dir, base, name)
			if err == nil {
				u.Number = i + 1
				out[i] = *u
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i := 1; i < len(out); i++ {
		out[i].Before = out[i-1].After
	}
	return out, nil
}

// update is one record, with the state after it.
func (m *managed) update(ctx context.Context, dir, base, name string) (*engine.Update, error) {
	text, err := m.read(ctx, path.Join(dir, name))
	if err != nil {
		return nil, err
	}
	u, err := engine.ReadUpdate(path.Join(dir, name), text)
	if err != nil {
		return nil, err
	}
	u.After, err = m.checkpoint(ctx, dir, base, strings.TrimPrefix(name, base+".history"))
	return u, err
}

// checkpoint is the state after an update; nil when the backend has none.
func (m *managed) checkpoint(ctx context.Context, dir, base, ext string) (*engine.Deployment, error) {
	name := path.Join(dir, base+".checkpoint"+ext)
	text, err := m.read(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return engine.ReadDeployment(name, text)
}

// read reads a file that may be compressed, by gzip or Zstandard.
func (m *managed) read(ctx context.Context, name string) ([]byte, error) {
	text, err := m.files.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	var r io.Reader
	switch {
	case bytes.HasPrefix(text, []byte{0x1f, 0x8b}):
		r, err = gzip.NewReader(bytes.NewReader(text))
	case bytes.HasPrefix(text, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		var z *zstd.Decoder
		if z, err = zstd.NewReader(bytes.NewReader(text)); err == nil {
			defer z.Close()
			r = z
		}
	default:
		return text, nil
	}
	if err == nil {
		text, err = io.ReadAll(r)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w: restore the file from the backend's backup", name, err)
	}
	return text, nil
}
