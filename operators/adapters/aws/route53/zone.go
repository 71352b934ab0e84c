// SPDX-License-Identifier: Apache-2.0

package route53

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"spine.nhs.uk/controlplane/operators/adapters/aws/session"
	"spine.nhs.uk/controlplane/operators/ports/thirdplace"
)

// signedFor is the region that all questions to Route 53 are signed for: it is one service for
// all regions (AWS General Reference, Route 53 endpoints).
const signedFor = "us-east-1"

// mostPages of 300 records each: an environment's zone has some tens of records.
const mostPages = 4

// zone is what a zone holds.
type zone []types.ResourceRecordSet

// list reads the whole zone, which is one question for one of our size, where one for each name
// would soon be more than the five in a second that an account has (developer guide, quotas).
func (t *Traffic) list(ctx context.Context, c TrafficConfig) (zone, error) {
	ctx, cancel := context.WithTimeout(ctx, session.Limit)
	defer cancel()
	client, err := t.client(ctx, c)
	if err != nil {
		return nil, err
	}
	var all zone
	input := &route53.ListResourceRecordSetsInput{HostedZoneId: aws.String(c.HostedZone)}
	for range mostPages {
		page, err := client.ListResourceRecordSets(ctx, input)
		if err != nil {
			return nil, err
		}
		all = append(all, page.ResourceRecordSets...)
		if !page.IsTruncated {
			// Every zone has this one; what has none is another zone, or no answer of Route 53's.
			if len(all.at(c.Zone, types.RRTypeSoa)) != 1 {
				return nil, fmt.Errorf("the answer for the zone %s does not hold the start of %s: is hostedZone that of zone?", c.HostedZone, c.Zone)
			}
			return all, nil
		}
		input.StartRecordName, input.StartRecordType, input.StartRecordIdentifier = page.NextRecordName, page.NextRecordType, page.NextRecordIdentifier
	}
	return nil, fmt.Errorf("the zone %s has more than %d records: give the names that move a zone of their own", c.Zone, len(all))
}

// change sends a batch. When the answer is lost, it may have been done.
func (t *Traffic) change(ctx context.Context, c TrafficConfig, changes []types.Change) error {
	ctx, cancel := context.WithTimeout(ctx, session.Limit)
	defer cancel()
	client, err := t.client(ctx, c)
	if err != nil {
		return err
	}
	answer, err := client.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: aws.String(c.HostedZone), ChangeBatch: &types.ChangeBatch{Changes: changes},
	})
	switch {
	case err != nil:
		return err
	case answer.ChangeInfo == nil || aws.ToString(answer.ChangeInfo.Id) == "":
		return errors.New("an answer that does not name the change is not believed")
	}
	return nil
}

func (t *Traffic) client(ctx context.Context, c TrafficConfig) (*route53.Client, error) {
	made, err := t.folder.Open(ctx, signedFor)
	if err != nil {
		return nil, err
	}
	return route53.NewFromConfig(made, func(o *route53.Options) { o.BaseEndpoint = c.Endpoint.Base() }), nil
}

// at are the records of one name and type.
func (z zone) at(name string, kind types.RRType) []types.ResourceRecordSet {
	var out []types.ResourceRecordSet
	for _, r := range z {
		if r.Type == kind && strings.EqualFold(aws.ToString(r.Name), name) {
			out = append(out, r)
		}
	}
	return out
}

// weighted are the records of a name, of which there may be none.
func (z zone) weighted(name string) ([]types.ResourceRecordSet, error) {
	records := z.at(name, types.RRTypeA)
	for _, r := range records {
		if aws.ToString(r.SetIdentifier) == "" || r.Weight == nil {
			return nil, fmt.Errorf("%s has a record that is not weighted: only weights can be moved (a failover record moves by itself)", name)
		}
	}
	return records, nil
}

// epoch are the changes that put an epoch in the place of exactly the one that was read.
func (z zone) epoch(name string, epoch int64) ([]types.Change, error) {
	records := z.at(name, types.RRTypeTxt)
	var values []string
	for _, r := range records {
		for _, v := range r.ResourceRecords {
			values = append(values, strings.Trim(aws.ToString(v.Value), `"`))
		}
	}
	before, err := thirdplace.ReadEpoch(name, values)
	if err != nil {
		return nil, err
	}
	if err := thirdplace.CheckEpoch(epoch, before); err != nil {
		return nil, err
	}
	var changes []types.Change
	for _, r := range records {
		changes = append(changes, types.Change{Action: types.ChangeActionDelete, ResourceRecordSet: &r})
	}
	return append(changes, types.Change{Action: types.ChangeActionCreate, ResourceRecordSet: &types.ResourceRecordSet{
		Name: aws.String(name), Type: types.RRTypeTxt, TTL: aws.Int64(epochTTL),
		ResourceRecords: []types.ResourceRecord{{Value: aws.String(`"` + thirdplace.WriteEpoch(epoch) + `"`)}},
	}}), nil
}
