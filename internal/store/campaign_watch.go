package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"sendoff/schema"
)

// watched is an item whose access was removed, beside what a sync that began after
// the proof and was not looked at yet says of it.
type watched struct {
	liveItem
	RemovalOf schema.RemovalID
	before    schema.ItemFacts // that were removed
}

// back tells whether the access is there again: an account that can be used, a role
// that administers, a membership that is listed.
//
// What a suspended account holds is nobody's access: its groups are still listed.
func (w watched) back() bool {
	if w.AccountStatus == schema.AccountSuspended {
		return false
	}
	if w.Kind == schema.ItemAccount {
		return w.AccountStatus == schema.AccountActive || w.AccountStatus == schema.AccountRestricted
	}
	return w.Held
}

// cause says how the access came back, in the words of docs/reviews.md.
func (w watched) cause() (cause, detail string) {
	switch {
	case w.Kind == schema.ItemAccount:
		return schema.ReturnReactivated, "the vendor lists the account as active"
	case w.Kind == schema.ItemRole:
		return schema.ReturnByRole, "somebody gave the account a privileged role again"
	case w.Provenance != "":
		return schema.ReturnByDirectory, "the directory " + w.Provenance + " feeds the group and put the account into it again"
	case w.Kind == schema.ItemCollaboration:
		return schema.ReturnByInvitation, "somebody shared it again with the group, or put the account into the group again"
	}
	return schema.ReturnByInvitation, "somebody put the account into the group again"
}

// WatchRemovals looks at up to limit removals that are done and whose connection was
// synced since: access that is there again is kept as a return with its cause. Before
// the sign-off its item needs a reviewer again; after it, a follow-up campaign is made,
// for what was signed stays as it is. A removal is watched until all of it returned,
// after the sign-off until any of it did (the follow-up campaign looks at the whole
// account), or until its time is over. A repeat looks at the next. A closed campaign
// opens when anything returned. CodeStale when it is neither closed nor signed.
func (s *Store) WatchRemovals(ctx context.Context, id schema.CampaignID, limit int) (schema.RemovalsWatched, error) {
	var w schema.RemovalsWatched
	err := s.inTx(ctx, "watch removals", func(ctx context.Context, t *tx) error {
		c, err := t.lockCampaign(ctx, id)
		if err != nil {
			return err
		}
		if c.State != schema.CampaignClosed && c.State != schema.CampaignSigned {
			return staleCampaign(c)
		}
		back, looked, err := t.lookBack(ctx, c, limit)
		if err != nil {
			return err
		}
		w = schema.RemovalsWatched{Looked: looked}
		if w.Returned, err = t.keepReturns(ctx, c, back); err != nil {
			return err
		}
		last, err := scalar[*time.Time](ctx, t, `select max(case when m.state = 'done' then m.watch_until else @now::timestamptz + interval '1 hour' end)
			from campaign_removal m where m.campaign_id = @id and (m.state in ('wanted', 'planned', 'ready', 'started') or m.watch_until > @now)`, args{"id": id, "now": t.now})
		if err != nil {
			return err
		}
		lost, err := scalar[bool](ctx, t, `select exists (select 1 from campaign_item i where `+revokedItems+` and i.removal_id is null)`, args{"id": id})
		if err != nil {
			return err
		}
		switch {
		case last != nil:
			w.Until = *last
		case lost: // what was revoked needs another removal: its case was taken over or given back
			w.Until = t.now.Add(time.Hour)
		}
		if w.Returned == 0 || c.State != schema.CampaignClosed {
			return nil
		}
		return t.stepCampaign(ctx, &c, schema.CampaignOpen) // before anybody signs
	})
	return w, err
}

// lookBack compares what up to limit removals took away with the listings that are
// newer than the proof. It returns what is there again, and how many it looked at.
func (t *tx) lookBack(ctx context.Context, c schema.Campaign, limit int) (back []watched, looked int, err error) {
	rule, err := campaignRule(ctx, t, c)
	if err != nil {
		return nil, 0, err
	}
	due, err := all[struct {
		ID schema.RemovalID
		At time.Time // when the newest listing of what it took away began
	}](ctx, t, `select m.id, max(d.as_of) as at from campaign_removal m join account a on a.id = m.account_id
		join campaign_item i on i.removal_id = m.id
		join dataset d on d.connection_id = a.connection_id and d.state = 'collected'
			and d.dataset = case when i.kind in ('account', 'role') then 'accounts' else 'memberships' end
		where m.campaign_id = @id and m.state = 'done' and m.watch_until > @now and d.as_of > m.proven_at and (m.checked_at is null or d.as_of > m.checked_at)
		group by m.id order by m.id limit @limit`, args{"id": c.ID, "now": t.now, "limit": limit})
	if err != nil || len(due) == 0 {
		return nil, 0, err
	}
	ids, at := make([]schema.RemovalID, len(due)), make([]time.Time, len(due))
	for n, d := range due {
		ids[n], at[n] = d.ID, d.At
	}
	rows, err := all[watched](ctx, t, `select live.*, x.id as removal_of from (`+selectLiveItems+` where i.removal_id = any(@ids)) live
		join campaign_removal x on x.id = live.removal_id join account acc on acc.id = x.account_id
		join dataset d on d.connection_id = acc.connection_id and d.state = 'collected'
			and d.dataset = case when live.kind in ('account', 'role') then 'accounts' else 'memberships' end
		where d.as_of > x.proven_at and (x.checked_at is null or d.as_of > x.checked_at) order by live.id`,
		liveArgs([]schema.PersonID{}, t.now, args{"ids": ids}))
	if err != nil {
		return nil, 0, err
	}
	for _, w := range rows {
		if w.back() {
			w.before = w.Facts
			w.Facts = w.now(rule.Threshold(), t.now)
			back = append(back, w)
		}
	}
	return back, len(due), t.run(ctx, `update campaign_removal m set checked_at = x.at from unnest(@ids::uuid[], @at::timestamptz[]) as x(id, at) where m.id = x.id`,
		args{"ids": ids, "at": at})
}

// keepReturns keeps what came back, and has it looked at again.
func (t *tx) keepReturns(ctx context.Context, c schema.Campaign, back []watched) (int, error) {
	if len(back) == 0 {
		return 0, nil
	}
	followUp, err := t.followUp(ctx, c, back)
	if err != nil {
		return 0, err
	}
	for _, w := range back {
		cause, detail := w.cause()
		err := t.run(ctx, `insert into campaign_return (campaign_id, item_id, facts, cause, detail, seen_at, follow_up)
			values (@id, @item, @facts, @cause, @detail, @now, @follow)`,
			args{"id": c.ID, "item": w.ID, "facts": w.Facts, "cause": cause, "detail": detail, "now": t.now, "follow": followUp})
		if err != nil {
			return 0, err
		}
		t.recordRemoval(c, schema.Removal{ID: w.RemovalOf, AccountID: w.AccountID}, engine(), "removal.returned",
			map[string]string{"item": string(w.ID), "cause": cause, "follow_up": string(followUp)})
		if followUp == "" {
			if err := t.reopen(ctx, w, detail); err != nil {
				return 0, err
			}
		}
		err = t.run(ctx, `update campaign_removal set watch_until = null where id = @id
			and (@signed or not exists (select 1 from campaign_item where removal_id = @id))`, args{"id": w.RemovalOf, "signed": followUp != ""})
		if err != nil {
			return 0, err
		}
	}
	return len(back), nil
}

// reopen has an item decided again whose access came back: by the first stage, and
// weighed by what it is now.
func (t *tx) reopen(ctx context.Context, w watched, detail string) error {
	news := []newFacts{{item: w.liveItem, facts: w.Facts}}
	news[0].item.Facts = w.before
	if err := t.weighAnew(ctx, news); err != nil {
		return err
	}
	b := &pgx.Batch{}
	queueFacts(b, news, t.now)
	b.Queue(`update campaign_decision set current = false where item_id = @item and current`, args{"item": w.ID})
	b.Queue(`update campaign_item set state = 'unassigned', stage = 0, place = 0, reviewer_id = null, assign_to = null, escalate_at = null, answer = '', reason = '',
			decided_by = '', decided_at = null, decision_id = null, removal_id = null, why = @why where id = @item`, args{"item": w.ID, "why": "it came back: " + detail})
	return t.SendBatch(ctx, b).Close()
}

// followUp makes the campaign about what came back after the sign-off; "" before it.
func (t *tx) followUp(ctx context.Context, c schema.Campaign, back []watched) (schema.CampaignID, error) {
	if c.State != schema.CampaignSigned {
		return "", nil
	}
	d, err := t.lockAccessReview(ctx, string(c.ReviewID))
	if err != nil {
		return "", err
	}
	next := schema.Campaign{Trigger: schema.CampaignReturned, ScheduledAt: t.now, Follows: c.ID, State: schema.CampaignGathering}
	for _, w := range back {
		if !slices.Contains(next.Accounts, w.AccountID) {
			next.Accounts = append(next.Accounts, w.AccountID)
		}
	}
	// What came back with the same listing, and is looked at in another piece, joins the
	// one that has not taken its snapshot yet.
	joined, ok, err := maybeScalar[schema.CampaignID](ctx, t, `update campaign set accounts = array(select distinct unnest(accounts || @more::uuid[]))
		where id = (select id from campaign where follows = @id and trigger = @trigger and state = 'gathering' order by id limit 1) and state = 'gathering' returning id`,
		args{"id": c.ID, "more": next.Accounts, "trigger": schema.CampaignReturned})
	if err != nil {
		return "", err
	}
	if ok {
		return joined, t.recordJoined(ctx, joined, c, next.Accounts)
	}
	err = t.insertCampaign(ctx, &next, d, engine())
	return next.ID, err
}

// recordJoined appends to the stream of a campaign that was made already that more
// accounts of the one it follows are in its scope.
func (t *tx) recordJoined(ctx context.Context, id schema.CampaignID, from schema.Campaign, accounts []schema.AccountID) error {
	c, err := loadCampaign(ctx, t, id)
	if err != nil {
		return err
	}
	t.recordCampaign(c, engine(), "campaign.joined", map[string]string{
		"campaign": string(from.ID), "accounts": strconv.Itoa(len(accounts)), "in_scope": strconv.Itoa(len(c.Accounts)),
	})
	return nil
}
