// SPDX-License-Identifier: Apache-2.0

package toolbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/hack/tools/cachedir"
)

// A Builder builds tools into the cache.
type Builder struct {
	// Root is the top of the repository, Cache the cache folder.
	Root, Cache string
	// GoVersion is what `go env GOVERSION` says.
	GoVersion string
	// Progress is called with one line when a tool's build starts and one when
	// it ends; from several goroutines.
	Progress func(line string)
}

// NewBuilder finds the repository above the working folder, the cache and Go.
func NewBuilder(ctx context.Context, progress func(string)) (*Builder, error) {
	root, err := FindRoot()
	if err != nil {
		return nil, err
	}
	cache, err := cachedir.Root()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", "env", "GOVERSION")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("cannot run go: %w; run hack/bootstrap.sh, or put Go on PATH", err)
	}
	return &Builder{Root: root, Cache: cache, GoVersion: strings.TrimSpace(string(out)), Progress: progress}, nil
}

// FindRoot is the nearest folder at or above the working folder that holds this
// project's go.mod.
func FindRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(mod, []byte("module spine.nhs.uk/controlplane\n")) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside a checkout of this project (no go.mod of module spine.nhs.uk/controlplane above it)", start)
		}
	}
}

// Dir is where a tool's files are, built or not.
func (b *Builder) Dir(t Tool) (string, error) {
	key, err := Key(b.Root, t, b.GoVersion, runtime.GOOS+"/"+runtime.GOARCH)
	if err != nil {
		return "", err
	}
	return filepath.Join(b.Cache, "tools", t.Name, key), nil
}

// Path is where the tool's binary is, built or not.
func (b *Builder) Path(t Tool) (string, error) {
	dir, err := b.Dir(t)
	return filepath.Join(dir, "bin", t.Binary), err
}

// Build builds one tool, or finds it built, and links it in the bin folder. A
// module that cannot be had gives a *ModuleError.
func (b *Builder) Build(ctx context.Context, t Tool) error {
	dir, err := b.Dir(t)
	if err != nil {
		return err
	}
	start := time.Now()
	made, err := cachedir.Make(ctx, dir, nil, func(tmp string) error {
		b.Progress(fmt.Sprintf("%-24s %-9s building", t.Name, t.Version))
		return b.compile(ctx, t, tmp)
	})
	if err != nil {
		return err
	}
	if made {
		size, err := fileSize(filepath.Join(dir, "bin", t.Binary))
		if err != nil {
			return err
		}
		b.Progress(fmt.Sprintf("%-24s %-9s built in %.0f s (%d MB)", t.Name, t.Version, time.Since(start).Seconds(), size>>20))
	}
	if t.Optional {
		return nil
	}
	for _, name := range append([]string{t.Binary}, t.Links...) {
		if err := cachedir.Link(filepath.Join(dir, "bin", name), filepath.Join(b.Cache, "bin", name)); err != nil {
			return err
		}
	}
	if t.Name == "langhost" {
		return b.bundle(filepath.Join(dir, "bin", t.Binary))
	}
	return nil
}

// bundle puts the language host beside our pulumi, where its releases carry
// theirs, and has the bin folder's link lead there: pulumi warns, at every
// command, of one that it finds elsewhere.
func (b *Builder) bundle(host string) error {
	pulumi, err := Find("pulumi")
	if err != nil {
		return err
	}
	dir, err := b.Dir(pulumi)
	if err != nil {
		return err
	}
	bin := filepath.Join(dir, "bin")
	if _, err := os.Stat(bin); err != nil {
		return nil // the user's own pulumi is in use
	}
	bundled := filepath.Join(bin, filepath.Base(host))
	// pulumi compares this path with where the link leads, so it is a file, not a link.
	fresh := bundled + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(host, fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, bundled); err != nil {
		return err
	}
	// Renaming onto another name of the same file does nothing at all.
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return cachedir.Link(bundled, filepath.Join(b.Cache, "bin", filepath.Base(host)))
}

// compile puts the tool's bin folder into dir, and nothing else.
func (b *Builder) compile(ctx context.Context, t Tool, dir string) error {
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return err
	}
	// Inside dir, so that what a killed build leaves is found and removed.
	work, err := os.MkdirTemp(dir, "work")
	if err != nil {
		return err
	}
	overlaid, err := b.overlay(ctx, t, work)
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	cmd := b.goCommand(ctx, t, BuildArgs(t, filepath.Join(bin, t.Binary))...)
	if overlaid != "" {
		cmd.Dir = overlaid
	}
	cmd.Stderr = &stderr
	if err := runLocked(cmd); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("%s: build stopped: %w", t.Name, ctx.Err())
		}
		return explain(t, stderr.String(), err)
	}
	for _, link := range t.Links {
		if err := os.Symlink(t.Binary, filepath.Join(bin, link)); err != nil {
			return err
		}
	}
	return os.RemoveAll(work)
}

// goCommand is a go command in the tool's module. What the user set in GOFLAGS
// or a go.work would make another binary than the pins say, so both are off.
func (b *Builder) goCommand(ctx context.Context, t Tool, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(b.Root, t.Module)
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if !t.Shared {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=0")
	}
	// A long build must die with us: it would otherwise go on for minutes.
	dieWithParent(cmd)
	return cmd
}

// BuildArgs are the arguments of go that build the tool into the file out.
func BuildArgs(t Tool, out string) []string {
	flags := []string{"-s", "-w"}
	for _, s := range t.Stamp {
		flags = append(flags, "-X", s)
	}
	args := []string{"build", "-buildvcs=false", "-mod=readonly", "-ldflags=" + strings.Join(flags, " ")}
	if !t.Shared {
		args = append(args, "-trimpath")
	}
	if t.ModFile != "" {
		args = append(args, "-modfile="+t.ModFile)
	}
	return append(args, "-o", out, t.Package)
}

func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
