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

// folder is a self-managed backend in a folder, or any tree of files.
type folder struct {
	files   fs.FS
	project string
}

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
	dir, ok := strings.CutPrefix(url, "file://")
	if !ok {
		return nil, fmt.Errorf("the backend is %s: histories are read from folders. Copy the bucket's folder .pulumi into one, for example "+
			"by `aws s3 sync BUCKET/.pulumi DIR/.pulumi`, and set PULUMI_BACKEND_URL to file://DIR", url)
	}
	if rest, home := strings.CutPrefix(dir, "~"); home {
		user, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		dir = user + rest
	}
	return &folder{files: os.DirFS(filepath.Join(dir, ".pulumi")), project: project.Name}, nil
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

func (f *folder) Project() string { return f.project }

func (f *folder) History(_ context.Context, stack string) ([]engine.Update, error) {
	dir := path.Join("history", f.project, stack)
	entries, err := fs.ReadDir(f.files, dir)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := fs.Stat(f.files, path.Join("stacks", f.project)); err != nil {
			return nil, fmt.Errorf("the backend knows no project %s: is PULUMI_BACKEND_URL right? %w", f.project, err)
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	// Names hold the time: their order is that of the updates.
	var records []string
	for _, e := range entries {
		if base, _, ok := strings.Cut(e.Name(), ".history.json"); ok && !strings.HasSuffix(e.Name(), ".attrs") {
			records = append(records, base+"|"+e.Name())
		}
	}
	slices.Sort(records)
	var out []engine.Update
	var before *engine.Deployment
	for i, r := range records {
		base, name, _ := strings.Cut(r, "|")
		text, err := f.read(path.Join(dir, name))
		if err != nil {
			return nil, err
		}
		u, err := engine.ReadUpdate(path.Join(dir, name), text)
		if err != nil {
			return nil, err
		}
		u.Number, u.Before = i+1, before
		if u.After, err = f.checkpoint(dir, base, strings.TrimPrefix(name, base+".history")); err != nil {
			return nil, err
		}
		before = u.After
		out = append(out, *u)
	}
	return out, nil
}

// checkpoint is the state after an update; nil when the backend has none.
func (f *folder) checkpoint(dir, base, ext string) (*engine.Deployment, error) {
	name := path.Join(dir, base+".checkpoint"+ext)
	text, err := f.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return engine.ReadDeployment(name, text)
}

// read reads a file that may be compressed, by gzip or Zstandard.
func (f *folder) read(name string) ([]byte, error) {
	text, err := fs.ReadFile(f.files, name)
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
