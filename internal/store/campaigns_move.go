package store

import (
	"context"
	"strconv"
	"time"

	"sendoff/schema"
)

// BeginListing moves gathering to listing and keeps what the launch was warned of,
// beside what it was warned of when it was made.
func (s *Store) BeginListing(ctx context.Context, id schema.CampaignID, warnings []schema.Finding) error {
	return s.inTx(ctx, "begin the listing of a campaign", func(ctx context.Context, t *tx) error {
		c, err := t.lockCampaign(ctx, id)
		if err != nil || c.State == schema.CampaignListing {
			return err
		}
		if err := t.moveCampaign(ctx, &c, schema.CampaignListing, `, warnings = warnings || @warnings::jsonb`, args{"warnings": some(warnings)}); err != nil {
			return err
		}
		t.recordCampaign(c, engine(), "campaign.listing", map[string]string{"warnings": strconv.Itoa(len(warnings))})
		return nil
	})
}

// MoveCampaign moves a campaign from one state to the next that needs no more than
// that. One that is there already stays there.
func (s *Store) MoveCampaign(ctx context.Context, id schema.CampaignID, from, to schema.CampaignState) error {
	return s.inTx(ctx, "move a campaign", func(ctx context.Context, t *tx) error {
		c, err := t.lockCampaign(ctx, id)
		switch {
		case err != nil || c.State == to:
			return err
		case c.State != from:
			return staleCampaign(c)
		case !plainMove(from, to):
			return &schema.Error{Code: schema.CodeInternal, Message: "a campaign does not go from " + string(from) + " to " + string(to) + " without more"}
		}
		return t.stepCampaign(ctx, &c, to)
	})
}

// CloseDue moves an open campaign to closing whose deadline is over at the instant,
// once nobody has an open item and none needs a reviewer. CodeStale when it is not so
// far: the deadline was moved, or an item given to somebody. One that is closing
// already stays so.
func (s *Store) CloseDue(ctx context.Context, id schema.CampaignID, now time.Time) error {
	return s.inTx(ctx, "close a campaign at its deadline", func(ctx context.Context, t *tx) error {
		c, err := t.lockCampaign(ctx, id)
		switch {
		case err != nil || c.State == schema.CampaignClosing:
			return err
		case c.State != schema.CampaignOpen:
			return staleCampaign(c)
		case now.Before(c.DueAt):
			return &schema.Error{Code: schema.CodeStale, Message: "the campaign is due at " + schema.FormatInstant(c.DueAt) + " by now", Fix: "read it again"}
		}
		open, err := t.undecided(ctx, id)
		if err != nil {
			return err
		}
		if open > 0 {
			return &schema.Error{Code: schema.CodeStale, Message: strconv.Itoa(open) + " items of the campaign are to be decided by now", Fix: "read it again"}
		}
		return t.stepCampaign(ctx, &c, schema.CampaignClosing)
	})
}

// undecided counts the items of a campaign that wait for an answer, or for somebody to
// give one. What nobody may decide is not among them: it has been given up.
func (t *tx) undecided(ctx context.Context, id schema.CampaignID) (int, error) {
	return scalar[int](ctx, t, `select count(*)::int from campaign_item where campaign_id = @id and state in ('unassigned', 'open')`, args{"id": id})
}

// plainMove tells whether a move needs nothing besides.
func plainMove(from, to schema.CampaignState) bool {
	switch to {
	case schema.CampaignRemoving:
		return from == schema.CampaignClosing
	case schema.CampaignClosed:
		return from == schema.CampaignRemoving
	case schema.CampaignOpen:
		return from != schema.CampaignAssigning
	}
	return false
}

// stepCampaign moves a locked campaign, and keeps since when no more answers are
// taken.
func (t *tx) stepCampaign(ctx context.Context, c *schema.Campaign, to schema.CampaignState) error {
	from, set, a := c.State, ``, args{}
	switch to {
	case schema.CampaignClosing:
		set, a["now"] = `, closed_at = @now`, t.now
		c.ClosedAt = t.now
	case schema.CampaignOpen:
		set = `, closed_at = null`
		c.ClosedAt = time.Time{}
	}
	if err := t.moveCampaign(ctx, c, to, set, a); err != nil {
		return err
	}
	t.recordCampaign(*c, engine(), "campaign."+string(to), map[string]string{"from": string(from)})
	if to == schema.CampaignClosed {
		return t.noticeOwner(ctx, *c)
	}
	return nil
}

// ExtendCampaign moves the deadline of an open campaign. CodeClosed for one that
// takes no more answers; CodeInvalid for a deadline that is over, not later or
// farther than maxDeadline.
func (s *Store) ExtendCampaign(ctx context.Context, id schema.CampaignID, e schema.Extend, by schema.Principal) (schema.Campaign, error) {
	if err := checkCampaignWord(e.Reason, by); err != nil {
		return schema.Campaign{}, err
	}
	var c schema.Campaign
	err := s.inTx(ctx, "extend a campaign", func(ctx context.Context, t *tx) (err error) {
		if c, err = t.lockCampaign(ctx, id); err != nil {
			return err
		}
		e.To = e.To.UTC().Truncate(time.Microsecond)
		if err := checkDeadline(c, e.To, t.now); err != nil {
			return err
		}
		t.recordCampaign(c, principal(by), "campaign.extended", map[string]string{
			"from": schema.FormatInstant(c.DueAt), "to": schema.FormatInstant(e.To), "reason": e.Reason,
		})
		if err := t.waitForDeadline(ctx, c, e.To); err != nil {
			return err
		}
		c.DueAt = e.To
		if err := t.changeOne(ctx, `update campaign set due_at = @due where id = @id and state = 'open'`, args{"id": id, "due": e.To}); err != nil {
			return err
		}
		return t.tellCampaign(ctx, id)
	})
	return c, err
}

// maxDeadline is how far ahead a deadline is moved at most: it is never moved back, and
// a slip of the finger would keep a campaign open for ever.
const maxDeadline = 366 * 24 * time.Hour

// checkDeadline refuses a new deadline of a campaign that cannot be meant.
func checkDeadline(c schema.Campaign, to, now time.Time) error {
	invalid := func(message, fix string) error {
		return &schema.Error{Code: schema.CodeInvalid, Message: message, Fix: fix}
	}
	switch {
	case c.State != schema.CampaignOpen:
		return notOpen(c)
	case !to.After(now):
		return invalid("the new deadline is over", "give one that lies ahead")
	case !to.After(c.DueAt):
		return invalid("the new deadline is not after the present one, "+schema.FormatInstant(c.DueAt), "give a later one, or close the campaign early")
	case to.After(now.Add(maxDeadline)):
		return invalid("the new deadline, "+schema.FormatInstant(to)+", is more than 366 days ahead, and a deadline is never moved back", "give one within 366 days from now")
	}
	return nil
}

// waitForDeadline lets open items that would leave their reviewer between the
// deadline and a new one wait for the new one: they came to them too late for the old
// one alone. What leaves earlier by the rule does so, and whoever has one for longer
// than to the new deadline keeps that.
func (t *tx) waitForDeadline(ctx context.Context, c schema.Campaign, to time.Time) error {
	return t.run(ctx, `update campaign_item i set escalate_at = null, updated_at = @now
		from (select id from campaign_item where campaign_id = @id and state = 'open' and escalate_at >= @old and escalate_at < @new order by id for no key update) x
		where i.id = x.id`, args{"id": c.ID, "old": c.DueAt, "new": to, "now": t.now})
}

// notOpen is the error for a campaign that takes no answers.
func notOpen(c schema.Campaign) error {
	return &schema.Error{Code: schema.CodeClosed, Message: "the campaign is " + string(c.State) + ": only an open one takes that"}
}

// checkCampaignWord refuses a word without a principal or a reason.
func checkCampaignWord(reason string, by schema.Principal) error {
	if err := checkPrincipal(by); err != nil {
		return err
	}
	if !said(reason) {
		return &schema.Error{Code: schema.CodeInvalid, Message: "a word on a campaign needs a reason", Fix: "say why"}
	}
	return nil
}

// CloseCampaign takes no more answers. CodeConflict with how many items are open,
// unless it is to be early; CodeClosed for one that is not open.
func (s *Store) CloseCampaign(ctx context.Context, id schema.CampaignID, early bool, reason string, by schema.Principal) (schema.Campaign, error) {
	if err := checkCampaignWord(reason, by); err != nil {
		return schema.Campaign{}, err
	}
	var c schema.Campaign
	err := s.inTx(ctx, "close a campaign", func(ctx context.Context, t *tx) (err error) {
		if c, err = t.lockCampaign(ctx, id); err != nil {
			return err
		}
		if c.State != schema.CampaignOpen {
			return notOpen(c)
		}
		open, err := t.undecided(ctx, id)
		if err != nil {
			return err
		}
		if open > 0 && !early {
			return conflict(schema.UndecidedItems(int64(open)), "wait for them, or close it early: what silence means then happens to them")
		}
		if err := t.moveCampaign(ctx, &c, schema.CampaignClosing, `, closed_at = @now`, args{"now": t.now}); err != nil {
			return err
		}
		c.ClosedAt = t.now
		t.recordCampaign(c, principal(by), "campaign.closing", map[string]string{
			"from": string(schema.CampaignOpen), "open": strconv.Itoa(open), "early": strconv.FormatBool(open > 0), "reason": reason,
		})
		return t.tellCampaign(ctx, id)
	})
	return c, err
}
