// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"slices"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// replayPage is how many references are read and published at a time: the next page waits until the broker has
// confirmed this one, so a replay never floods it.
const replayPage = 500

// deliverWithin bounds the wait for the broker where other work waits too.
const deliverWithin = 30 * time.Second

// replay asks for all that is unsettled in a lane to be published again, but for what is on its way already.
type replay struct {
	lane string
	but  []message.Seq
}

// replayLane asks for a replay without waiting for it. When too many are asked for, the keeper's look at the lanes
// finds this one again.
func (g *Gateway) replayLane(lane string, onTheirWay []message.Seq) {
	select {
	case g.replays <- replay{lane, onTheirWay}:
	default:
	}
}

func (g *Gateway) replayLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-g.replays:
			if err := g.replay(ctx, r); err != nil && ctx.Err() == nil {
				g.log.Warn("replay stopped; it is taken up again", "lane", r.lane, "error", err)
				pause(ctx, time.Second)
				g.replayLane(r.lane, r.but)
			}
		}
	}
}

func (g *Gateway) replay(ctx context.Context, r replay) error {
	var after message.Seq
	until, total := g.ledger.Next(), 0
	but := make(map[message.Seq]struct{}, len(r.but))
	for _, seq := range r.but {
		but[seq] = struct{}{}
	}
	for {
		seqs, err := g.ledger.Unsettled(ctx, r.lane, after, until, replayPage)
		if err != nil {
			return err
		}
		if len(seqs) == 0 {
			break
		}
		after = seqs[len(seqs)-1]
		seqs = slices.DeleteFunc(seqs, func(s message.Seq) bool {
			_, there := but[s]
			return there
		})
		if len(seqs) > 0 {
			if err := g.publisher.Deliver(ctx, r.lane, seqs...); err != nil {
				return err
			}
		}
		total += len(seqs)
	}
	g.metrics.replayed.Add(float64(total))
	if total > 0 {
		g.log.Info("replayed unsettled messages from the ledger", "lane", r.lane, "messages", total)
	}
	return nil
}

// replayNode publishes what a replica accepted above a number and may not have given to the broker.
func (g *Gateway) replayNode(ctx context.Context, node int, after message.Seq) error {
	until, total := g.ledger.Next(), 0
	for {
		refs, err := g.ledger.UnsettledOf(ctx, node, after, until, replayPage)
		if err != nil {
			return err
		}
		if len(refs) == 0 {
			break
		}
		after = refs[len(refs)-1].Seq
		if err := g.deliver(ctx, refs); err != nil {
			return err
		}
		total += len(refs)
	}
	g.metrics.replayed.Add(float64(total))
	if total > 0 {
		g.log.Info("replayed messages that a replica had not dispatched", "replica", node, "messages", total)
	}
	return nil
}

// deliver publishes references of several lanes and waits until the broker has them all.
func (g *Gateway) deliver(ctx context.Context, refs []ledger.Ref) error {
	ctx, cancel := context.WithTimeout(ctx, deliverWithin)
	defer cancel()
	byLane := map[string][]message.Seq{}
	for _, r := range refs {
		byLane[r.Lane] = append(byLane[r.Lane], r.Seq)
	}
	for lane, seqs := range byLane {
		if err := g.publisher.Deliver(ctx, lane, seqs...); err != nil {
			return err
		}
	}
	return nil
}
