// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/pulumi/pulumi-go-provider/infer"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// Delete resets all hosts at once; there is nothing to drain to. A host that
// cannot be reached stops it, unless the user says that it may be forgotten.
func (c *Cluster) Delete(ctx context.Context, req infer.DeleteRequest[ClusterState]) (infer.DeleteResponse, error) {
	s := c.open(ctx, req.State.ClusterArgs, &req.State)
	defer s.close()
	if err := s.look(ctx); err != nil {
		return infer.DeleteResponse{}, err
	}
	if err := s.forgettable(); err != nil {
		return infer.DeleteResponse{}, err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return infer.DeleteResponse{}, err
	}
	defer unlock()
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for _, v := range s.hosts {
		if !v.reached() || !s.ours(v) {
			continue
		}
		wg.Go(func() {
			if err := s.reset(ctx, v); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	return infer.DeleteResponse{}, errors.Join(errs...)
}

// ours says that the host's own record names this cluster. One without a
// record is not touched: it was reset already, or belongs to somebody else.
func (s *session) ours(v *hostView) bool {
	m := v.Probe.Marker
	return m != nil && m.Cluster == s.args.Name
}

// forgettable refuses to leave hosts behind that may still run the cluster.
func (s *session) forgettable() error {
	var errs []error
	for _, v := range s.hosts {
		switch {
		case v.Err == nil:
		case remote.IsHostKeyMismatch(v.Err):
			s.warn("host %s counts as gone: %v", v.Host.Name, v.Err)
		case os.Getenv(deleteUnreachableEnv) == "true":
			s.warn("host %s is forgotten without a reset: %v", v.Host.Name, v.Err)
		default:
			errs = append(errs, fmt.Errorf("%w; to forget it without a reset set %s=true", v.Err, deleteUnreachableEnv))
		}
	}
	return errors.Join(errs...)
}
