package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// StartRemoval opens the case of a ready removal by the draft's facts. A removal
// that has its case keeps it: a repeat returns that. CodeConflict when something
// else works on the account, CodeHashDiffers when the draft is not what was planned.
func (s *Store) StartRemoval(ctx context.Context, id schema.RemovalID, d schema.Draft) (schema.Case, error) {
	var started schema.Case
	err := s.inTx(ctx, "start a removal", func(ctx context.Context, t *tx) error {
		// First, as everywhere: who releases a batch holds people alone, then the campaign.
		if err := t.lockPeople(ctx, false); err != nil {
			return err
		}
		of, err := scalars[schema.CampaignID](ctx, t, `select campaign_id from campaign_removal where id = @id`, args{"id": id})
		if err != nil {
			return err
		}
		if len(of) == 0 {
			return notFound("removal", string(id))
		}
		c, err := t.shareCampaign(ctx, of[0])
		if err != nil {
			return err
		}
		m, err := t.lockRemoval(ctx, id)
		if err != nil {
			return err
		}
		if m.State == schema.RemovalStarted {
			started, err = loadCase(ctx, t, m.CaseID)
			return err
		}
		if c.State != schema.CampaignOpen && c.State != schema.CampaignRemoving {
			return staleCampaign(c)
		}
		if m.State != schema.RemovalReady {
			return staleRemoval(m)
		}
		started, err = t.startRemoval(ctx, c, m, d)
		return err
	})
	return started, err
}

func (t *tx) startRemoval(ctx context.Context, c schema.Campaign, m schema.Removal, d schema.Draft) (schema.Case, error) {
	if len(d.Accounts) != 1 || d.Accounts[0].Account.ID != m.AccountID || d.Request.Door != schema.DoorAccessReview {
		return schema.Case{}, &schema.Error{Code: schema.CodeInternal, Message: "the draft is not of the removal's account"}
	}
	if d.Accounts[0].Facts.Hash() != m.Hash {
		return schema.Case{}, &schema.Error{Code: schema.CodeHashDiffers, Message: "the account is not as it was when its removal was planned", Fix: "plan it again"}
	}
	by := reviewPrincipal(c)
	n, err := newCaseOf(d, by)
	if err != nil {
		return schema.Case{}, err
	}
	if err := t.startable(ctx, c, m, &n); err != nil {
		return schema.Case{}, err
	}
	cases := []newCase{n}
	if err := t.insertCases(ctx, cases, by); err != nil {
		return schema.Case{}, err
	}
	n = cases[0]
	m.CaseID = n.ID
	if err := t.useReserved(ctx, c, m); err != nil {
		return schema.Case{}, err
	}
	return n.Case, t.moveRemoval(ctx, c, &m, schema.RemovalStarted, `, case_id = @case, waits_for = null, why = ''`, args{"case": n.ID})
}

// startable refuses a removal of which a part is kept by now: whoever corrected that
// saw that it had not started. Its items stay as they are until the transaction ends.
// The case has the approvals of the rule, whatever the draft says, and is counted
// against no budget again.
func (t *tx) startable(ctx context.Context, c schema.Campaign, m schema.Removal, n *newCase) error {
	items, err := all[struct {
		State  schema.CampaignItemState
		Answer schema.ItemAnswer
	}](ctx, t, `select state, answer from campaign_item where removal_id = @id order by id for share`, args{"id": m.ID})
	if err != nil {
		return err
	}
	kept := len(items) == 0
	for _, i := range items {
		kept = kept || i.State != schema.ItemDecided || i.Answer != schema.AnswerRevoke
	}
	if kept {
		return &schema.Error{Code: schema.CodeHashDiffers, Message: "part of what the removal takes away is kept by now", Fix: "plan it again"}
	}
	approvals, err := scalar[int](ctx, t, `select coalesce((rule->'effect'->>'approvals')::int, 0) from access_review_version
		where review_id = @review and version = @version`, args{"review": c.ReviewID, "version": c.Version})
	n.Approvals, n.counted = max(n.Approvals, approvals), true
	return err
}

// reviewPrincipal is in whose name an access review acts. Its reviewers decided;
// their decisions stand in the campaign.
func reviewPrincipal(c schema.Campaign) schema.Principal {
	return schema.Principal{TokenID: schema.TokenID(c.ReviewID), Name: schema.AccessReviewTemplatePrefix + c.Review}
}

// followed is a started removal whose plan may have ended.
type followed struct {
	ID       schema.RemovalID
	State    schema.PlanState
	Waived   bool // an operator left a step out
	Watch    int64
	ProvenAt time.Time // of the last step
}

// FollowRemovals moves started removals whose plans have ended: done with the
// instant of the proof; refused when an operator left a step out, so that nothing
// proves it; wanted again when a higher cause took the plan over; undone when it was
// cancelled. It returns how many plans are at their steps: those that wait for a
// timer or an operator do not count.
func (s *Store) FollowRemovals(ctx context.Context, id schema.CampaignID) (int, error) {
	list, err := all[followed](ctx, s.pool, `select m.id, p.state, exists (select 1 from plan_step x where x.plan_id = p.id and x.state = 'waived') as waived,
			coalesce((v.rule->>'watch')::bigint, 0) / 1000 as watch,
			coalesce((select max(x.finished_at) from plan_step x where x.plan_id = p.id), p.updated_at) as proven_at
		from campaign_removal m join plan p on p.case_id = m.case_id join campaign c on c.id = m.campaign_id
		join access_review_version v on v.review_id = c.review_id and v.version = c.version
		where m.campaign_id = @id and m.state = 'started' order by m.id`, args{"id": id})
	if err != nil {
		return 0, translate("follow removals", err)
	}
	going := 0
	for _, f := range list {
		switch f.State {
		case schema.PlanPlanned, schema.PlanRunning, schema.PlanSettling, schema.PlanCancelling:
			going++
			continue
		case schema.PlanWaiting, schema.PlanParked:
			continue
		}
		if err := s.followRemoval(ctx, f); err != nil && schema.CodeOf(err) != schema.CodeStale {
			return going, err
		}
	}
	return going, nil
}

func (s *Store) followRemoval(ctx context.Context, f followed) error {
	return s.withRemoval(ctx, "follow a removal", f.ID, func(ctx context.Context, t *tx, c schema.Campaign, m schema.Removal) error {
		if m.State != schema.RemovalStarted {
			return staleRemoval(m)
		}
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
	})
}

// undoneRemoval ends a removal whose case was cancelled. When a reviewer had that
// done, by keeping a part of it, the rest is still revoked and needs another one.
// What an operator cancelled stays undone: a person decides what becomes of it.
func (t *tx) undoneRemoval(ctx context.Context, c schema.Campaign, m schema.Removal) error {
	err := t.moveRemoval(ctx, c, &m, schema.RemovalUndone, `, why = 'its case was cancelled, and what it took was given back'`, args{})
	if err != nil || c.State == schema.CampaignSigned || c.State == schema.CampaignEnded {
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
	if err != nil || c.State == schema.CampaignSigned || c.State == schema.CampaignEnded { // what was signed stays as it is
		return err
	}
	return t.run(ctx, `update campaign_item set removal_id = null, updated_at = @now where removal_id = @id`, args{"now": t.now, "id": m.ID})
}
