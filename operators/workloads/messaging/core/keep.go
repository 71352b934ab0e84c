// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

const (
	// beatEvery is how often a replica says that it lives; after deadAfter without a beat another takes up its work.
	beatEvery = time.Second
	deadAfter = 15 * time.Second
	// strayAfter is how long a message may be unsettled, with its queue empty and nobody consuming, before its
	// reference counts as lost; strayHeld the same while somebody consumes, who may hold it.
	strayAfter = 30 * time.Second
	strayHeld  = 3 * time.Minute
)

// beat tells the other replicas about this one, learns how many share the work, and reads from the ledger what this
// replica could not keep in memory while the broker was away, and what was in doubt.
func (g *Gateway) beat(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		published := g.published()
		if g.publisher.Connected() {
			if behind := g.publisher.Behind(); behind != 0 {
				if err := g.replayNode(ctx, g.ledger.Node(), behind-1); err != nil {
					g.publisher.Fell(behind)
				}
				continue
			}
		}
		if err := g.resolve(ctx); err != nil {
			continue
		}
		if err := g.ledger.Beat(ctx, published); err != nil {
			continue
		}
		if replicas, err := g.ledger.Replicas(ctx); err == nil {
			alive := 0
			for _, r := range replicas {
				if g.now().Sub(r.Seen) < deadAfter {
					alive++
				}
			}
			g.routes.Share(alive)
		}
	}
}

// keep does, on one replica at a time, what needs doing once: retries that are due, references of dead replicas, lost
// queues, reports, deletion.
func (g *Gateway) keep(ctx context.Context) {
	for ctx.Err() == nil {
		_, err := g.ledger.Hold(ctx, g.keeper)
		if err != nil && ctx.Err() == nil && !errors.Is(err, errSlept) {
			g.log.Warn("the keeper's work stopped; this or another replica takes it up again", "error", err)
		}
		pause(ctx, 3*time.Second)
	}
}

// errSlept: the keeper's connection may be gone without notice, so it gives the lock up now and then.
var errSlept = errors.New("the keeper's turn is over")

// turn is how long one replica is the keeper before it asks for the lock again.
const turn = 10 * time.Minute

func (g *Gateway) keeper(ctx context.Context, alive func(context.Context) error) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	end := time.Now().Add(turn)
	wasConnected := false
	for round := 0; time.Now().Before(end); round++ {
		if err := alive(ctx); err != nil {
			return err
		}
		connected := g.publisher.Connected() && g.consumers.Connected()
		if connected {
			if err := g.due(ctx); err != nil {
				return err
			}
			if err := g.takeUp(ctx); err != nil {
				return err
			}
		}
		if connected && (!wasConnected || round%30 == 0) {
			if err := g.lookAtLanes(ctx); err != nil {
				return err
			}
		}
		wasConnected = connected
		if round%60 == 0 {
			if err := g.Tidy(ctx); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return errSlept
}

// due publishes what waited for its retry.
func (g *Gateway) due(ctx context.Context) error {
	for {
		now := g.now()
		refs, err := g.ledger.Due(ctx, now, replayPage)
		if err != nil || len(refs) == 0 {
			return err
		}
		if err := g.deliver(ctx, refs); err != nil {
			return err
		}
		if err := g.ledger.Released(ctx, refs, now); err != nil {
			return err
		}
		if len(refs) < replayPage {
			return nil
		}
	}
}

// takeUp publishes what dead replicas may have accepted and not given to the broker.
func (g *Gateway) takeUp(ctx context.Context) error {
	replicas, err := g.ledger.Replicas(ctx)
	if err != nil {
		return err
	}
	for _, r := range replicas {
		if r.Node == g.ledger.Node() || g.now().Sub(r.Seen) < deadAfter {
			continue
		}
		if err := g.replayNode(ctx, r.Node, r.Published); err != nil {
			return err
		}
		if err := g.ledger.Forget(ctx, r.Node); err != nil {
			return err
		}
	}
	return nil
}

// lookAtLanes makes missing queues and fills them from the ledger, and does the same for empty queues whose messages
// have been unsettled for so long that their references must be lost.
func (g *Gateway) lookAtLanes(ctx context.Context) error {
	lanes, err := g.ledger.Lanes(ctx)
	if err != nil {
		return err
	}
	for _, name := range lanes {
		if !g.dispatched(name) {
			continue
		}
		missing, ready, consumers, err := g.consumers.Check(name)
		if err != nil {
			return err
		}
		if missing {
			g.replayLane(name, nil)
			continue
		}
		if ready > 0 {
			continue
		}
		age := strayAfter
		if consumers > 0 {
			age = strayHeld
		}
		stray, err := g.ledger.Unsettled(ctx, name, 0, message.SeqAt(g.now().Add(-age)), replayPage)
		if err != nil {
			return err
		}
		if len(stray) > 0 {
			g.log.Warn("messages without a reference at the broker; publishing them again", "lane", name, "messages", len(stray))
			refs := make([]ledger.Ref, len(stray))
			for i, seq := range stray {
				refs[i] = ledger.Ref{Lane: name, Seq: seq}
			}
			if err := g.deliver(ctx, refs); err != nil {
				return err
			}
		}
	}
	return nil
}

// dispatched says whether a lane's references go through the broker.
func (g *Gateway) dispatched(name string) bool {
	if strings.HasPrefix(name, pushPrefix) {
		return true
	}
	party, ok := g.config.Directory.Party(name)
	return ok && party.Internal
}

// Tidy reports what nobody collects, deletes what is past its time, and makes room for the days to come.
func (g *Gateway) Tidy(ctx context.Context) error {
	now := g.now()
	if err := g.ledger.EnsurePartitions(ctx, now); err != nil {
		return err
	}
	if err := g.reportUncollected(ctx, now); err != nil {
		return err
	}
	if _, err := g.ledger.ExpireRequests(ctx, now.Add(-g.routes.Longest()), 50_000); err != nil {
		return err
	}
	if err := g.ledger.DropProbes(ctx, now.Add(-10*time.Minute)); err != nil {
		return err
	}
	dropped, err := g.ledger.DropBefore(ctx, now.Add(-g.retention()))
	if len(dropped) > 0 {
		g.log.Info("deleted messages past their retention", "partitions", dropped)
	}
	return err
}

func (g *Gateway) reportUncollected(ctx context.Context, now time.Time) error {
	config := g.routes.Config()
	if config == nil {
		return nil
	}
	before := now.Add(-config.Retention.UndeliveredAfter.Duration)
	for {
		found, err := g.ledger.Uncollected(ctx, before, replayPage)
		if err != nil || len(found) == 0 {
			return err
		}
		refs := make([]ledger.Ref, len(found))
		for i, u := range found {
			refs[i] = u.Ref
			if err := g.report(u, codeUncollected, "Message not collected by recipient after "+days(config.Retention.UndeliveredAfter.Duration)); err != nil {
				return err
			}
		}
		if err := g.ledger.Reported(ctx, refs); err != nil {
			return err
		}
	}
}
