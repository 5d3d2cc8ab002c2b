package store

import (
	"context"

	"sendoff/schema"
)

// StartRemoval opens the case of a ready removal by the draft's facts. A removal
// that has its case keeps it: a repeat returns that. CodeConflict when something
// else works on the account or the day has no room for it, CodeHashDiffers when the draft is not what was planned.
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
		if !c.State.Removes() {
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
	// After the account, as everybody locks the engine's budget.
	if err := t.requireRoomToday(ctx, c, m); err != nil {
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
