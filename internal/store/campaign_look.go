package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"sendoff/schema"
)

// SecondLook keeps another principal's word on a reviewer's decisions: they stand as
// they are, or all of them are given to others. CodeForbidden for the reviewer, by
// whatever token, and for whoever holds an account that the reviewer decided about.
func (s *Store) SecondLook(ctx context.Context, id schema.CampaignID, l schema.SecondLook, by schema.Principal) (schema.ReviewerStats, error) {
	if err := checkCampaignWord(l.Reason, by); err != nil {
		return schema.ReviewerStats{}, err
	}
	var out schema.ReviewerStats
	err := s.inTx(ctx, "take a second look", func(ctx context.Context, t *tx) error {
		c, err := t.lockCampaign(ctx, id)
		if err != nil {
			return err
		}
		if !takesCorrections(c.State) {
			return &schema.Error{Code: schema.CodeClosed, Message: "the campaign is " + string(c.State) + ": nothing of it changes now"}
		}
		judged, err := t.recordsOf(ctx, l.Reviewer)
		if err != nil {
			return err
		}
		if err := t.mayLook(ctx, id, judged, by); err != nil {
			return err
		}
		var redone []schema.ItemID
		if l.Redo {
			if redone, err = t.redo(ctx, &c, judged); err != nil {
				return err
			}
		}
		l.Reviewer = judged[0]
		out, err = t.keepLook(ctx, c, l, redone, by)
		return err
	})
	return out, err
}

// recordsOf are the ids of a reviewer: the one that counts, then those that were
// merged into it, by which some of the decisions may be kept.
func (t *tx) recordsOf(ctx context.Context, reviewer schema.PersonID) ([]schema.PersonID, error) {
	list, err := scalars[schema.PersonID](ctx, t, `with kept as (select coalesce(merged_into, id) as id from person where id = @id)
		select p.id from kept k join person p on p.id = k.id or p.merged_into = k.id order by p.id <> k.id, p.id`, args{"id": reviewer})
	if err == nil && len(list) == 0 {
		err = notFound("reviewer of the campaign", string(reviewer))
	}
	return list, err
}

// mayLook refuses who may not judge a reviewer.
func (t *tx) mayLook(ctx context.Context, id schema.CampaignID, reviewer []schema.PersonID, by schema.Principal) error {
	me, err := personsBy(ctx, t, by)
	if err != nil {
		return err
	}
	tokens, err := all[tokenHolder](ctx, t, `select distinct principal, token_id from campaign_decision where campaign_id = @id and reviewer_id = any(@reviewer)`,
		args{"id": id, "reviewer": reviewer})
	if err != nil {
		return err
	}
	own, err := t.among(ctx, by.Name, by.TokenID, tokens)
	if err != nil {
		return err
	}
	if own || slices.Contains(me, reviewer[0]) {
		return forbidden("nobody takes a second look at their own decisions", "let somebody else do it")
	}
	about, err := scalar[bool](ctx, t, `select exists (select 1 from campaign_decision d join campaign_item i on i.id = d.item_id
		left join account a on a.id = i.account_id
		where d.campaign_id = @id and d.reviewer_id = any(@reviewer) and `+holdsAccount+`)`, args{"id": id, "reviewer": reviewer, "persons": some(me)})
	if err == nil && about {
		err = forbidden("nobody takes a second look at decisions about their own account", "let somebody else do it")
	}
	return err
}

// redo gives the decisions of a reviewer to others: those that no later stage has
// decided after, and whose removals have not started. It returns which. What is
// gone stays so, and has nobody's word when it is back. A campaign that takes no more
// answers opens again for the others.
func (t *tx) redo(ctx context.Context, c *schema.Campaign, reviewer []schema.PersonID) ([]schema.ItemID, error) {
	rows, err := all[struct {
		ID   schema.ItemID
		Gone bool
	}](ctx, t, `select i.id, i.state in ('gone', 'withdrawn') as gone from campaign_item i
			join campaign_decision d on d.item_id = i.id and d.current and d.answer <> 'abstain' left join campaign_removal m on m.id = i.removal_id
		where d.campaign_id = @id and d.reviewer_id = any(@reviewer) and coalesce(m.state, 'wanted') not in ('started', 'done')
			and not exists (select 1 from campaign_decision n where n.item_id = i.id and n.current and n.answer <> 'abstain' and n.stage > d.stage)
		order by i.id for no key update of i`, args{"id": c.ID, "reviewer": reviewer})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	items, open := make([]schema.ItemID, len(rows)), false
	for n, r := range rows {
		items[n], open = r.ID, open || !r.Gone
	}
	b := &pgx.Batch{}
	queueRedo(b, items, reviewer, t.now)
	if err := t.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	if open && c.State != schema.CampaignOpen {
		if err := t.openAgain(ctx, c); err != nil {
			return nil, err
		}
	}
	return items, t.tellCampaign(ctx, c.ID)
}

// queueRedo takes the decisions of a reviewer about items back. An item is at the
// stage of that decision then, at the beginning of its chain: who had it there does
// not get it again. A reviewer of a later stage lost it because the earlier word is
// another one, and may get it again. A removal that has ended is not the next
// answer's: whoever revokes it again, silence too, has it planned anew.
func queueRedo(b *pgx.Batch, items []schema.ItemID, reviewer []schema.PersonID, now time.Time) {
	b.Queue(`update campaign_assignment s set ended_at = coalesce(s.ended_at, @now), end_why = case when s.reviewer_id = any(@reviewer) then 'redone' else 'corrected' end
		where s.item_id = any(@items) and (s.ended_at is null or s.reviewer_id = any(@reviewer) and s.end_why in ('decided', 'corrected'))`,
		args{"items": items, "reviewer": reviewer, "now": now})
	b.Queue(`update campaign_item i set state = case when i.state in ('gone', 'withdrawn') then i.state else 'unassigned' end, stage = d.stage, place = 0,
			reviewer_id = null, assign_to = null, answer = '', reason = '', decided_by = '', decided_at = null, decision_id = null, escalate_at = null,
			removal_id = case when exists (select 1 from campaign_removal m where m.id = i.removal_id and m.state in ('refused', 'impossible', 'withdrawn', 'undone'))
				then null else i.removal_id end, why = case when i.state in ('gone', 'withdrawn') then i.why else '' end, updated_at = @now
		from campaign_decision d where i.id = any(@items) and d.item_id = i.id and d.current and d.answer <> 'abstain' and d.reviewer_id = any(@reviewer)`,
		args{"items": items, "reviewer": reviewer, "now": now})
	b.Queue(`update campaign_decision set current = false where item_id = any(@items) and current and answer <> 'abstain' and reviewer_id = any(@reviewer)`,
		args{"items": items, "reviewer": reviewer})
}

// atLeastOpen is how long a campaign that opens again is open.
const atLeastOpen = 72 * time.Hour

// openAgain opens a locked campaign, with a deadline that leaves time to decide.
func (t *tx) openAgain(ctx context.Context, c *schema.Campaign) error {
	rule, err := campaignRule(ctx, t, *c)
	if err != nil {
		return err
	}
	due := t.now.Add(max(rule.Time.EscalateFor, atLeastOpen))
	if due.Before(c.DueAt) {
		due = c.DueAt
	}
	from := c.State
	if err := t.moveCampaign(ctx, c, schema.CampaignOpen, `, closed_at = null, due_at = @due`, args{"due": due}); err != nil {
		return err
	}
	t.recordCampaign(*c, engine(), "campaign.open", map[string]string{"from": string(from), "due": schema.FormatInstant(due)})
	return nil
}

// keepLook keeps the look, at as many decisions as stand now.
func (t *tx) keepLook(ctx context.Context, c schema.Campaign, l schema.SecondLook, redone []schema.ItemID, by schema.Principal) (schema.ReviewerStats, error) {
	rule, err := campaignRule(ctx, t, c)
	if err != nil {
		return schema.ReviewerStats{}, err
	}
	find := func() (schema.ReviewerStats, error) {
		list, err := reviewerStats(ctx, t, c.ID, rule)
		n := slices.IndexFunc(list, func(s schema.ReviewerStats) bool { return s.ReviewerID == l.Reviewer })
		if err != nil || n < 0 {
			return schema.ReviewerStats{}, cmp.Or(err, notFound("reviewer of the campaign", string(l.Reviewer)))
		}
		return list[n], nil
	}
	stats, err := find()
	if err != nil {
		return stats, err
	}
	err = t.run(ctx, `insert into campaign_reviewer (campaign_id, reviewer_id, look_by, look_id, look_at, look_reason, look_decisions)
			values (@id, @reviewer, @by, @token, @now, @reason, @decided)
		on conflict (campaign_id, reviewer_id) do update set look_by = @by, look_id = @token, look_at = @now, look_reason = @reason, look_decisions = @decided`,
		args{"id": c.ID, "reviewer": l.Reviewer, "by": by.Name, "token": by.TokenID, "now": t.now, "reason": l.Reason, "decided": stats.Decided})
	if err != nil {
		return stats, err
	}
	err = t.run(ctx, `insert into campaign_look (campaign_id, reviewer_id, look_by, look_id, at, reason, decisions, redo, redone)
			values (@id, @reviewer, @by, @token, @now, @reason, @decided, @redo, @redone)`,
		args{
			"id": c.ID, "reviewer": l.Reviewer, "by": by.Name, "token": by.TokenID, "now": t.now, "reason": l.Reason, "decided": stats.Decided,
			"redo": l.Redo, "redone": len(redone),
		})
	if err != nil {
		return stats, err
	}
	t.recordCampaign(c, principal(by), "campaign.second_look", naming(redone, map[string]string{
		"reviewer": string(l.Reviewer), "reason": l.Reason, "redo": strconv.FormatBool(l.Redo), "redone": strconv.Itoa(len(redone)),
		"decisions": strconv.Itoa(stats.Decided),
	}))
	return find()
}
