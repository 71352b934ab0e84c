// SPDX-License-Identifier: Apache-2.0

package toolbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"spine.nhs.uk/controlplane/hack/tools/cachedir"
)

// Select returns the tools of those names, in build order, each once; without
// names, all that are not optional.
func Select(names []string) ([]Tool, error) {
	wanted := map[string]bool{}
	var unknown []string
	for _, n := range names {
		if _, err := Find(n); err != nil {
			unknown = append(unknown, n)
		}
		wanted[n] = true
	}
	if len(unknown) > 0 {
		_, err := Find(strings.Join(unknown, ", "))
		return nil, err
	}
	var tools []Tool
	for _, t := range All() {
		if wanted[t.Name] || len(names) == 0 && !t.Optional {
			tools = append(tools, t)
		}
	}
	return tools, nil
}

// Leave drops the tools that the user's own Pulumi makes needless, and links
// that Pulumi in the bin folder, so that everything calls it by one path.
func (b *Builder) Leave(tools []Tool, c Choice) ([]Tool, error) {
	if c.Path == "" {
		return tools, nil
	}
	bin := filepath.Join(b.Cache, "bin")
	var left []Tool
	for _, t := range tools {
		switch {
		case t.Name == "pulumi":
			b.Progress(fmt.Sprintf("%-24s %-9s yours is used: %s", t.Name, c.Version, c.Path))
			if err := cachedir.Link(c.Path, filepath.Join(bin, t.Binary)); err != nil {
				return nil, err
			}
		case t.Name == "langhost" && c.LanguageHost:
			// An old link of ours would be found before the user's own host.
			if err := os.Remove(filepath.Join(bin, t.Binary)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			b.Progress(fmt.Sprintf("%-24s %-9s yours is used", t.Name, ""))
		default:
			left = append(left, t)
		}
	}
	return left, nil
}

// BuildAll builds the tools, lane beside lane when there are two cores or more.
// A failure stops what has not started; all errors are returned.
func (b *Builder) BuildAll(ctx context.Context, tools []Tool) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	lanes := map[Lane][]Tool{}
	for _, t := range tools {
		lane := t.Lane
		if runtime.NumCPU() < 2 {
			lane = LaneOther
		}
		lanes[lane] = append(lanes[lane], t)
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for _, lane := range lanes {
		wg.Go(func() {
			for _, t := range lane {
				if err := b.Build(ctx, t); err != nil {
					mu.Lock()
					defer mu.Unlock()
					// The other lane's end after a first failure says nothing.
					if !errors.Is(err, context.Canceled) || len(errs) == 0 {
						errs = append(errs, err)
					}
					stop()
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
