package activities

import (
	"context"
	"time"

	"sendoff/internal/reviewer"
	"sendoff/schema"
)

// refreshEvery is how often undecided items are compared with the inventory, and
// their reviewers with who holds the accounts. A decision compares its own item
// besides.
const refreshEvery = time.Hour

// TendCampaign does what an open campaign needs now: reviewers for items without
// one, the next in the chain for those whose time is over, reminders, facts as they
// are now, removals that are to be made at once, and at the end of its time what
// silence means. It returns when to look again.
func (c *Campaigns) TendCampaign(ctx context.Context, in TendInput) (Tended, error) {
	again := Tended{Piece: Piece{More: true}, RefreshedAt: in.RefreshedAt}
	r, err := c.open(ctx, in.CampaignID)
	if err != nil || r.campaign.State != schema.CampaignOpen {
		return again, err
	}
	defer beat(ctx)()
	if again.RefreshedAt, err = c.refresh(ctx, r, in.RefreshedAt); err != nil {
		return again, err
	}
	if busy, err := c.seat(ctx, r); err != nil || busy {
		return again, err
	}
	if over, err := c.over(ctx, r); err != nil || over {
		return again, err
	}
	wait, err := c.remind(ctx, r)
	if err != nil {
		return again, err
	}
	if r.review.Rule.Effect.When == schema.EffectAtOnce {
		left, more, err := c.remove(ctx, r)
		if err != nil || more {
			return again, err
		}
		if left.Working > 0 {
			wait = min(wait, c.removingPoll())
		}
	}
	next, err := c.store.NextDue(ctx, r.campaign.ID)
	if err != nil {
		return again, err
	}
	if now := c.now(); now.Before(r.campaign.DueAt) { // what is to be done after it was done above
		wait = min(wait, max(r.campaign.DueAt.Sub(now), leastPoll))
	}
	for _, at := range []time.Time{next, again.RefreshedAt.Add(c.refreshEvery())} {
		if !at.IsZero() {
			wait = min(wait, max(at.Sub(c.now()), leastPoll))
		}
	}
	again.Piece = Piece{Wait: wait}
	return again, c.store.CampaignWentOn(ctx, r.campaign.ID)
}

func (c *Campaigns) refreshEvery() time.Duration {
	return max(c.clocks.PlanWait(refreshEvery), time.Second)
}

// refresh compares all undecided items with the inventory when that is due.
func (c *Campaigns) refresh(ctx context.Context, r running, last time.Time) (time.Time, error) {
	now := c.now().UTC()
	if now.Sub(last) < c.refreshEvery() {
		return last, nil
	}
	for after := schema.ItemID(""); ; {
		next, err := c.store.RefreshItems(ctx, r.campaign.ID, after, refreshPiece)
		if err != nil || next == "" {
			return now, err
		}
		after = next
	}
}

// seat finds reviewers for what has none any more, and tells whether it had to.
func (c *Campaigns) seat(ctx context.Context, r running) (bool, error) {
	now := c.now().UTC()
	unseated, err := c.store.UnseatReviewers(ctx, r.campaign.ID, now)
	if err != nil {
		return false, err
	}
	// First: who gets an item after the deadline, as of access that came back, is asked
	// before silence is given a meaning.
	assigned, err := c.assign(ctx, r)
	if err != nil || assigned > 0 {
		return true, err
	}
	due, err := c.due(ctx, r, now)
	return unseated > 0 || due, err
}

// due deals with a piece of the items whose time with their reviewer is over: they
// go to the next in the chain, or after the deadline to what silence means. It tells
// whether there were any, or the campaign is another one by now.
func (c *Campaigns) due(ctx context.Context, r running, now time.Time) (bool, error) {
	silence := r.review.Rule.Time.Silence
	if silence == schema.SilenceEscalates || now.Before(r.campaign.DueAt) {
		n, err := c.store.EscalateDue(ctx, r.campaign.ID, now, silencePiece)
		return n > 0, err
	}
	n, err := c.store.SilenceDue(ctx, r.campaign.ID, silence, now, silencePiece)
	return n > 0 || schema.CodeOf(err) == schema.CodeStale, unlessStale(err)
}

// over closes a campaign whose deadline has passed once nobody has an open item. What
// becomes another while it looks keeps it from that: CloseDue asks again.
func (c *Campaigns) over(ctx context.Context, r running) (bool, error) {
	now := c.now().UTC()
	if now.Before(r.campaign.DueAt) {
		return false, nil
	}
	open, err := c.store.OpenReviewers(ctx, r.campaign.ID)
	if err != nil || len(open) > 0 {
		return false, err
	}
	left, err := c.store.Unassigned(ctx, r.campaign.ID, 1) // somebody abstained meanwhile
	if err != nil || len(left) > 0 {
		return len(left) > 0, err
	}
	return true, unlessStale(c.store.CloseDue(ctx, r.campaign.ID, now))
}

// remind reminds whom it is time to, and returns how long it is to the next one.
func (c *Campaigns) remind(ctx context.Context, r running) (time.Duration, error) {
	now, wait := c.now().UTC(), c.refreshEvery()
	open, err := c.store.OpenReviewers(ctx, r.campaign.ID)
	if err != nil {
		return wait, err
	}
	for _, who := range open {
		var last time.Time
		for _, at := range reviewer.Reminders(r.times, r.campaign.OpenedAt, r.campaign.DueAt, who.Zone) {
			if at.After(now) {
				wait = min(wait, max(at.Sub(now), leastPoll))
				break
			}
			last = at
		}
		// Somebody who was told of the items only then needs no reminder of them.
		if last.IsZero() || who.RemindedAt.After(last) || who.ToldAt.After(last) {
			continue
		}
		if err := c.store.Remind(ctx, r.campaign.ID, who.ID, last); err != nil {
			return wait, err
		}
	}
	return wait, nil
}

// CloseItems gives a piece of what nobody decided its meaning, and goes on to the
// removals.
func (c *Campaigns) CloseItems(ctx context.Context, in CampaignInput) (Piece, error) {
	r, err := c.open(ctx, in.CampaignID)
	if err != nil || r.campaign.State != schema.CampaignClosing {
		return Piece{More: true}, err
	}
	defer beat(ctx)()
	n, err := c.store.ApplySilence(ctx, r.campaign.ID, r.review.Rule.Time.Silence, silencePiece)
	if err != nil || n > 0 {
		return Piece{More: true}, unlessStale(err) // opened again meanwhile
	}
	return Piece{More: true}, unlessStale(c.store.MoveCampaign(ctx, r.campaign.ID, schema.CampaignClosing, schema.CampaignRemoving))
}
