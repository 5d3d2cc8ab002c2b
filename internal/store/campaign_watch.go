package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// watched is an item whose access was removed, beside what a sync that began after
// the proof says of it.
type watched struct {
	liveItem
	RemovalOf schema.RemovalID
	ProvenAt  time.Time
	SyncedAt  time.Time // when the sync began whose listing is known now; zero = none since
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
		return "reactivated", "somebody made the account active again"
	case w.Kind == schema.ItemRole:
		return "role", "somebody gave the account a privileged role again"
	case w.Provenance != "":
		return "directory", "the directory " + w.Provenance + " feeds the group and put the account into it again"
	}
	return "invitation", "somebody put the account into the group again"
}

// WatchRemovals looks at removals that are done and whose connection was synced
// since: access that is there again is kept as a return with its cause. Before the
// sign-off its item needs a reviewer again; after it, a follow-up campaign is made,
// for what was signed stays as it is. A removal is watched until all of it returned,
// after the sign-off until any of it did (the follow-up campaign looks at the whole
// account), or until its time is over. It returns until when there is something to
// watch, and how many returned now. CodeStale when the campaign goes back to its
// removals, because some of what was revoked has none.
func (s *Store) WatchRemovals(ctx context.Context, id schema.CampaignID) (until time.Time, returned int, err error) {
	if _, err := s.FollowRemovals(ctx, id); err != nil {
		return until, 0, err
	}
	if err := s.resumeRemoving(ctx, id); err != nil {
		return until, 0, err
	}
	err = s.inTx(ctx, "watch removals", func(ctx context.Context, t *tx) error {
		c, err := t.lockCampaign(ctx, id)
		if err != nil {
			return err
		}
		if c.State != schema.CampaignClosed && c.State != schema.CampaignSigned {
			return staleCampaign(c)
		}
		back, err := t.lookBack(ctx, c)
		if err != nil {
			return err
		}
		if returned, err = t.keepReturns(ctx, c, back); err != nil {
			return err
		}
		last, ok, err := maybeScalar[*time.Time](ctx, t, `select max(case when m.state = 'started' then @now::timestamptz + interval '1 hour' else m.watch_until end)
			from campaign_removal m where m.campaign_id = @id and (m.state = 'started' or m.watch_until > @now)`, args{"id": id, "now": t.now})
		if ok && last != nil {
			until = *last
		}
		return err
	})
	return until, returned, err
}

// lookBack compares what was removed with the listings that are newer than the
// proof, and returns what is there again.
func (t *tx) lookBack(ctx context.Context, c schema.Campaign) ([]watched, error) {
	rule, err := campaignRule(ctx, t, c)
	if err != nil {
		return nil, err
	}
	rows, err := all[watched](ctx, t, `select live.*, x.id as removal_of, x.proven_at, s.began as synced_at
		from (`+selectLiveItems+` where i.campaign_id = @id and m.state = 'done' and m.watch_until > @now) live
		join campaign_removal x on x.id = live.removal_id
		join account acc on acc.id = x.account_id
		join lateral (select d.as_of as began from dataset d where d.connection_id = acc.connection_id and d.state = 'collected'
			and d.dataset = case when live.kind in ('account', 'role') then 'accounts' else 'memberships' end) s on true
		where s.began > x.proven_at and (x.checked_at is null or s.began > x.checked_at) order by live.id`,
		liveArgs([]schema.PersonID{}, t.now, args{"id": c.ID}))
	if err != nil {
		return nil, err
	}
	var back []watched
	looked := map[schema.RemovalID]time.Time{}
	for _, w := range rows {
		if w.SyncedAt.After(looked[w.RemovalOf]) {
			looked[w.RemovalOf] = w.SyncedAt
		}
		if w.back() {
			w.Facts = w.now(rule.Threshold(), t.now)
			back = append(back, w)
		}
	}
	for id, at := range looked {
		if err := t.changeOne(ctx, `update campaign_removal set checked_at = @at where id = @id`, args{"id": id, "at": at}); err != nil {
			return nil, err
		}
	}
	return back, nil
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

// reopen has an item decided again whose access came back: by the first stage.
func (t *tx) reopen(ctx context.Context, w watched, detail string) error {
	err := t.run(ctx, `insert into campaign_item_version (item_id, version, facts, until) select id, version, facts, @now from campaign_item where id = @item`,
		args{"item": w.ID, "now": t.now})
	if err != nil {
		return err
	}
	if err := t.run(ctx, `update campaign_decision set current = false where item_id = @item and current`, args{"item": w.ID}); err != nil {
		return err
	}
	return t.changeOne(ctx, `update campaign_item set version = version + 1, facts = @facts, facts_hash = @hash, holder_id = @holder, login = @login,
			state = 'unassigned', stage = 0, place = 0, reviewer_id = null, assign_to = null, escalate_at = null, answer = '', reason = '', decided_by = '', decided_at = null, decision_id = null, removal_id = null,
			why = @why, updated_at = @now where id = @item`,
		args{"item": w.ID, "facts": w.Facts, "hash": w.Facts.Hash(), "holder": w.Facts.HolderID, "login": w.Facts.Login, "why": "it came back: " + detail, "now": t.now})
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
	seen := map[schema.AccountID]bool{}
	next := schema.Campaign{Trigger: schema.CampaignReturned, ScheduledAt: t.now, Follows: c.ID, State: schema.CampaignGathering}
	for _, w := range back {
		if !seen[w.AccountID] {
			seen[w.AccountID] = true
			next.Accounts = append(next.Accounts, w.AccountID)
		}
	}
	err = t.insertCampaign(ctx, &next, d, engine())
	return next.ID, err
}
