// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// maxParallel keeps a small registry responsive.
const maxParallel = 8

// Invoke resolves all names at the same time and reports all problems together.
func (r *ResolveImages) Invoke(ctx context.Context, req infer.FunctionRequest[ResolveImagesArgs]) (infer.FunctionResponse[ResolveImagesResult], error) {
	in := req.Input
	c := &hostChecker{}
	c.registry("registry", in.Registry)
	for i, name := range in.Names {
		c.match(fmt.Sprintf("names[%d]", i), name, taggedName, "an image name with tag such as spine/coredns:1.14.0")
	}
	for i, name := range in.Blobs {
		c.match(fmt.Sprintf("blobs[%d]", i), name, taggedName, "an image name with tag such as spine/kubernetes-host:v1.36.3")
	}
	if len(c.failures) > 0 {
		var errs []error
		for _, f := range c.failures {
			errs = append(errs, fmt.Errorf("%s: %s", f.Property, f.Reason))
		}
		return infer.FunctionResponse[ResolveImagesResult]{}, errors.Join(errs...)
	}
	client, err := newRegistryClient(in.Registry)
	if err != nil {
		return infer.FunctionResponse[ResolveImagesResult]{}, err
	}
	defer client.http.CloseIdleConnections()
	out, err := client.resolveAll(ctx, in)
	return infer.FunctionResponse[ResolveImagesResult]{Output: out}, err
}

func (c *registryClient) resolveAll(ctx context.Context, in ResolveImagesArgs) (ResolveImagesResult, error) {
	out := ResolveImagesResult{Images: map[string]string{}, Blobs: map[string]Blob{}}
	var mu sync.Mutex
	var problems []string
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxParallel)
	each := func(names []string, do func(name string) error) {
		for _, name := range names {
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				if err := do(name); err != nil {
					mu.Lock()
					defer mu.Unlock()
					problems = append(problems, err.Error())
				}
			})
		}
	}
	each(in.Names, func(name string) error {
		digest, err := c.digest(ctx, name)
		mu.Lock()
		defer mu.Unlock()
		out.Images[name] = c.host + "/" + name + "@" + digest
		return err
	})
	each(in.Blobs, func(name string) error {
		blob, err := c.singleLayer(ctx, name)
		mu.Lock()
		defer mu.Unlock()
		out.Blobs[name] = blob
		return err
	})
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return ResolveImagesResult{}, err
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		return ResolveImagesResult{}, fmt.Errorf("registry %s: %s", c.host, strings.Join(slices.Compact(problems), "; "))
	}
	return out, nil
}
