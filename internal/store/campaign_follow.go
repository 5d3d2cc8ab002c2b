package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// followed is a started removal whose plan may have ended.
type followed struct {
	ID    schema.RemovalID
	State schema.PlanState
	// Unapproved: its case waits for approvals.
	Unapproved bool
	Waived     bool // an operator left a step out
	Watch      int64
	ProvenAt   time.Time // of the last step
}

// selectFollowed reads started removals m with the plans of their cases.
const selectFollowed = `select m.id, p.state, p.approvals > (select count(*) from plan_approval y where y.plan_id = p.id and y.hash = p.hash) as unapproved,
		exists (select 1 from plan_step x where x.plan_id = p.id and x.state = 'waived'
			and case x.kind when 'suspend' then true when 'set_role' then true when 'delete' then true
				when 'manual' then not exists (select 1 from plan_step y where y.plan_id = p.id and y.kind in ('suspend', 'delete'))
				when 'remove_from_groups' then exists (select 1 from campaign_item i where i.removal_id = m.id and i.kind in ('group', 'collaboration'))
				else false end) as waived, coalesce((v.rule->>'watch')::bigint, 0) / 1000 as watch,
		coalesce((select max(x.finished_at) from plan_step x where x.plan_id = p.id), p.updated_at) as proven_at
	from campaign_removal m join plan p on p.case_id = m.case_id join campaign c on c.id = m.campaign_id
	join access_review_version v on v.review_id = c.review_id and v.version = c.version
	where m.state = 'started' and `

// FollowRemovals moves started removals whose plans have ended: done with the
// instant of the proof; refused when an operator left out a step that takes access
// away, so that nothing proves it; wanted again when a higher cause took the plan over; undone when it was
// cancelled. It returns how many are left. Plans that wait for a timer or an operator
// are not at work.
func (s *Store) FollowRemovals(ctx context.Context, id schema.CampaignID) (schema.RemovalsLeft, error) {
	var left schema.RemovalsLeft
	list, err := all[followed](ctx, s.pool, selectFollowed+`m.campaign_id = @id order by m.id`, args{"id": id})
	if err != nil {
		return left, translate("follow removals", err)
	}
	for _, f := range list {
		switch f.State {
		case schema.PlanPlanned:
			if f.Unapproved {
				left.Approving++
				continue
			}
			fallthrough
		case schema.PlanRunning, schema.PlanSettling, schema.PlanCancelling:
			left.Working++
			continue
		case schema.PlanWaiting, schema.PlanParked:
			continue
		}
		if err := s.followRemoval(ctx, f); err != nil && schema.CodeOf(err) != schema.CodeStale {
			return left, err
		}
	}
	left.Waiting, err = scalar[int](ctx, s.pool, `select count(*)::int from campaign_removal where campaign_id = @id and state in ('wanted', 'planned', 'ready')`, args{"id": id})
	return left, translate("count removals", err)
}

func (s *Store) followRemoval(ctx context.Context, f followed) error {
	return s.withRemoval(ctx, "follow a removal", f.ID, func(ctx context.Context, t *tx, c schema.Campaign, m schema.Removal) error {
		if m.State != schema.RemovalStarted {
			return staleRemoval(m)
		}
		return t.followRemoval(ctx, c, m, f)
	})
}

func (t *tx) followRemoval(ctx context.Context, c schema.Campaign, m schema.Removal, f followed) error {
	switch {
	case f.State == schema.PlanDone && f.Waived:
		return t.moveRemoval(ctx, c, &m, schema.RemovalRefused, `, why = 'an operator left a step out: nothing proves that the access is gone'`, args{})
	case f.State == schema.PlanDone:
		return t.moveRemoval(ctx, c, &m, schema.RemovalDone, `, proven_at = @at, watch_until = @at::timestamptz + @watch::bigint * interval '1 microsecond'`,
			args{"watch": f.Watch, "at": f.ProvenAt})
	case f.State == schema.PlanSuperseded:
		return t.againRemoval(ctx, c, m)
	}
	return t.undoneRemoval(ctx, c, m)
}

// removalsOfEnded lets the campaigns look that wait for a plan which has just ended, or
// whose removal it was. Of a campaign that has ended nobody looks any more: its removal
// moves with its plan.
func (t *tx) removalsOfEnded(ctx context.Context, p planRow) error {
	rows, err := all[struct {
		CampaignID schema.CampaignID
		Ended      bool
	}](ctx, t, `select distinct m.campaign_id, c.state = 'ended' as ended from campaign_removal m join campaign c on c.id = m.campaign_id
		where m.account_id = @account and (m.case_id = @case and m.state = 'started' or m.waits_for = @case and m.state in ('wanted', 'ready'))
		order by 1`, args{"account": p.AccountID, "case": p.CaseID})
	if err != nil {
		return err
	}
	for _, r := range rows {
		if !r.Ended {
			err = t.wakeCampaign(ctx, r.CampaignID)
		} else {
			err = t.followEnded(ctx, r.CampaignID, p.CaseID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// followEnded moves the removal of a campaign that has ended with its case.
func (t *tx) followEnded(ctx context.Context, id schema.CampaignID, of schema.CaseID) error {
	c, err := loadCampaign(ctx, t, id)
	if err != nil {
		return err
	}
	return t.followAll(ctx, c, `m.campaign_id = @id and m.case_id = @case`, args{"id": id, "case": of})
}

// followAll moves started removals m that a condition selects and whose plans have
// ended.
func (t *tx) followAll(ctx context.Context, c schema.Campaign, which string, a args) error {
	list, err := all[followed](ctx, t, selectFollowed+which+` and p.state in ('done', 'cancelled', 'superseded') order by m.id`, a)
	for _, f := range list {
		m, err := t.lockRemoval(ctx, f.ID)
		if err != nil {
			return err
		}
		if err := t.followRemoval(ctx, c, m, f); err != nil {
			return err
		}
	}
	return err
}

// undoneRemoval ends a removal whose case was cancelled. When a reviewer had that
// done, by keeping a part of it, the rest is still revoked and needs another one.
// What an operator cancelled stays undone: a person decides what becomes of it.
func (t *tx) undoneRemoval(ctx context.Context, c schema.Campaign, m schema.Removal) error {
	err := t.moveRemoval(ctx, c, &m, schema.RemovalUndone, `, why = 'its case was cancelled, and what it took was given back'`, args{})
	if err != nil || c.State == schema.CampaignEnded {
		return err
	}
	if err := t.lockItemsOf(ctx, m.ID); err != nil {
		return err
	}
	return t.run(ctx, `update campaign_item i set removal_id = null, updated_at = @now where i.removal_id = @removal and `+revokedItems+`
		and exists (select 1 from campaign_item k where k.removal_id = @removal and not (k.state = 'decided' and k.answer = 'revoke'))`,
		args{"id": c.ID, "removal": m.ID, "now": t.now})
}

// againRemoval ends a removal whose account a higher cause took over, and makes a
// new one that waits for that.
func (t *tx) againRemoval(ctx context.Context, c schema.Campaign, m schema.Removal) error {
	err := t.moveRemoval(ctx, c, &m, schema.RemovalUndone, `, why = 'a case of a higher rank took the account over'`, args{})
	if err != nil || c.State == schema.CampaignEnded {
		return err
	}
	if err := t.lockItemsOf(ctx, m.ID); err != nil {
		return err
	}
	return t.run(ctx, `update campaign_item set removal_id = null, updated_at = @now where removal_id = @id`, args{"now": t.now, "id": m.ID})
}

// lockItemsOf locks the items of a removal in the order of their ids, as reviewers do.
func (t *tx) lockItemsOf(ctx context.Context, id schema.RemovalID) error {
	return t.run(ctx, `select 1 from campaign_item where removal_id = @id order by id for no key update`, args{"id": id})
}
