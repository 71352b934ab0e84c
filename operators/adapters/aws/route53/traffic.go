// SPDX-License-Identifier: Apache-2.0

package route53

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"spine.nhs.uk/controlplane/operators/adapters/aws/session"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/thirdplace"
)

const (
	// wholeShare is the weight of the site that clients are sent to; all others have none.
	wholeShare = 100
	// epochTTL in seconds; nobody but directors asks for it, and they ask the zone itself.
	epochTTL = 60
	// aliasTTL is how long clients may keep the name of a balancer (developer guide, "choosing
	// between alias and non-alias records").
	aliasTTL = 60 * time.Second
	// propagation is how long it takes until all of Route 53's name servers have a change (API
	// reference, ChangeResourceRecordSets).
	propagation = 60 * time.Second
)

// Traffic leads names to a site by the weights of their records.
type Traffic struct{ folder *session.Folder }

// NewTraffic reads its configuration, a TrafficConfig in config.yaml, from the folder for each
// question, so that a change counts at once.
func NewTraffic(dir string) *Traffic { return &Traffic{folder: session.New(dir)} }

var _ ports.TrafficDirector = (*Traffic)(nil)

// Read returns the site that every name leads to.
func (t *Traffic) Read(ctx context.Context) (ports.Direction, error) {
	d, err := t.read(ctx)
	if err != nil {
		return ports.Direction{}, &ports.TrafficError{Err: err}
	}
	return d, nil
}

func (t *Traffic) read(ctx context.Context) (ports.Direction, error) {
	c, err := thirdplace.Load[TrafficConfig](t.folder.Dir())
	if err != nil {
		return ports.Direction{}, err
	}
	z, err := t.list(ctx, c)
	if err != nil {
		return ports.Direction{}, err
	}
	out := ports.Direction{}
	sites := map[string]bool{}
	for _, name := range c.Names {
		records, err := z.weighted(name)
		if err != nil {
			return ports.Direction{}, err
		}
		out.Site = c.leads(records)
		sites[out.Site] = true
		for _, r := range records {
			out.Stay = max(out.Stay, stay(r)+propagation)
		}
	}
	if len(sites) > 1 {
		out.Site = ""
	}
	return out, nil
}

// leads is the site with all of the weight: none when another record has some, or none has any,
// which Route 53 takes for equal shares.
func (c TrafficConfig) leads(records []types.ResourceRecordSet) string {
	set := ""
	for _, r := range records {
		switch {
		case aws.ToInt64(r.Weight) == 0:
		case set != "":
			return ""
		default:
			set = aws.ToString(r.SetIdentifier)
		}
	}
	for site, s := range c.Sites {
		if s == set {
			return site
		}
	}
	return ""
}

func stay(r types.ResourceRecordSet) time.Duration {
	if r.AliasTarget != nil {
		return aliasTTL
	}
	return time.Duration(aws.ToInt64(r.TTL)) * time.Second
}

// Send changes all names in one batch, which the zone takes as a whole, unless an epoch above
// this one has been here.
func (t *Traffic) Send(ctx context.Context, site string, epoch int64) error {
	if err := t.send(ctx, site, epoch); err != nil {
		return &ports.TrafficError{Err: err}
	}
	return nil
}

func (t *Traffic) send(ctx context.Context, site string, epoch int64) error {
	c, err := thirdplace.Load[TrafficConfig](t.folder.Dir())
	if err != nil {
		return err
	}
	set, err := thirdplace.Target(c.Sites, site)
	if err != nil {
		return err
	}
	z, err := t.list(ctx, c)
	if err != nil {
		return err
	}
	changes, err := z.epoch(thirdplace.EpochName(c.Names), epoch)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range c.Names {
		more, err := c.move(z, name, set)
		changes, errs = append(changes, more...), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return t.change(ctx, c, changes)
}

// move gives one record of a name all of the weight. Where a record leads is none of its business.
func (c TrafficConfig) move(z zone, name, set string) ([]types.Change, error) {
	records, err := z.weighted(name)
	if err != nil {
		return nil, err
	}
	var changes []types.Change
	found := false
	for _, r := range records {
		r.Weight = aws.Int64(0)
		if aws.ToString(r.SetIdentifier) == set {
			r.Weight, found = aws.Int64(wholeShare), true
		}
		changes = append(changes, types.Change{Action: types.ChangeActionUpsert, ResourceRecordSet: &r})
	}
	if !found {
		return nil, fmt.Errorf("%s has no weighted record with the set identifier %q: make it first, with the weight 0", name, set)
	}
	return changes, nil
}
