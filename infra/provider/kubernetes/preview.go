// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fluxcd/pkg/ssa"
	p "github.com/pulumi/pulumi-go-provider"
)

// previewTimeout bounds how long an operation waits for the API that can go on without it.
const previewTimeout = 5 * time.Second

// preview asks the API server what applying the set would do, changing nothing. What the
// server would refuse is an error, all of it at once; a cluster that does not exist yet or
// does not answer leaves the preview to the recorded state, with a warning.
func (r *resource) preview(ctx context.Context, s set, owners ...owner) error {
	if !s.kubeconfigKnown {
		return nil
	}
	log := p.GetLogger(ctx)
	c, err := r.connect(s.kubeconfig)
	if err != nil {
		return err
	}
	if err := c.reach(ctx, previewTimeout); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		log.Warningf("%s/%s: previewed without asking the cluster: %v", s.namespace, s.name, err)
		return nil
	}
	if err := c.refuseForeign(ctx, s, owners...); err != nil {
		return err
	}
	findings, err := c.compare(ctx, s)
	if err != nil {
		return err
	}
	report, err := summarize(findings, len(s.unknown))
	if err != nil {
		return err
	}
	log.InfoStatus(report)
	return nil
}

// summarize counts what a dry run found, and joins what it refused into one error.
func summarize(findings map[string]finding, unknown int) (string, error) {
	counts := map[ssa.Action]int{}
	later := unknown
	var changed []string
	var refused []error
	for _, key := range sortedKeys(findings) {
		f := findings[key]
		switch {
		case f.err == nil:
			counts[f.action]++
			if f.action == ssa.ConfiguredAction {
				changed = append(changed, key+": "+f.fieldText())
			}
		case isAbsent(f.err), isTransient(f.err):
			// Its kind, namespace or webhook comes with this very update, perhaps with
			// another set: what is missing for good is an error when it is applied.
			later++
		default:
			refused = append(refused, fmt.Errorf("%s: %w", key, explainApply(f.err)))
		}
	}
	if len(refused) > 0 {
		return "", errors.Join(refused...)
	}
	text := fmt.Sprintf("dry run: %d to create, %d to change, %d unchanged",
		counts[ssa.CreatedAction], counts[ssa.ConfiguredAction], counts[ssa.UnchangedAction])
	if later > 0 {
		text += fmt.Sprintf(", %d not known yet", later)
	}
	if len(changed) > 0 {
		text += " (" + strings.Join(changed, "; ") + ")"
	}
	return text, nil
}
