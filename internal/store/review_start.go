package store

import (
	"context"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// StartItem opens the case of a ready item by the draft's facts, with the run's
// approvals as its own. An item that has its case keeps it: a repeat returns that.
// CodeHashDiffers when the draft is not what was approved. CodeConflict with the
// problem OVER_BUDGET when the budgets of 24 hours have no room for it now: it stays
// ready, see WaitForBudget.
func (s *Store) StartItem(ctx context.Context, id schema.ReviewID, account schema.AccountID, d schema.Draft) (schema.Case, error) {
	var started schema.Case
	err := s.inTx(ctx, "start a review's item", func(ctx context.Context, t *tx) error {
		// First, as everywhere: who releases a batch holds people alone, then the run.
		if err := t.lockPeople(ctx, false); err != nil {
			return err
		}
		r, err := t.shareReview(ctx, id)
		if err != nil {
			return err
		}
		i, err := t.lockItem(ctx, id, account)
		if err != nil {
			return err
		}
		if i.State == schema.ItemStarted {
			started, err = loadCase(ctx, t, i.CaseID)
			return err
		}
		if err := r.require(schema.ReviewActing); err != nil {
			return err
		}
		if i.State != schema.ItemReady {
			return staleItem("the item is " + string(i.State) + " by now")
		}
		started, err = t.startItem(ctx, r, i, d)
		return err
	})
	return started, err
}

func (t *tx) startItem(ctx context.Context, r itemRun, i schema.ReviewItem, d schema.Draft) (schema.Case, error) {
	if err := checkItemDraft(i, d); err != nil {
		return schema.Case{}, err
	}
	by := r.principal()
	c, err := newCaseOf(d, by)
	if err != nil {
		return schema.Case{}, err
	}
	u, err := startUseOf(ctx, t, r.ID)
	if err != nil {
		return schema.Case{}, err
	}
	c.start = &u
	cases := []newCase{c}
	if err := t.insertCases(ctx, cases, by); err != nil {
		return schema.Case{}, err
	}
	c = cases[0]
	if err := t.copyApprovals(ctx, r, c); err != nil {
		return schema.Case{}, err
	}
	i.CaseID = c.ID
	t.recordItem(r, i, engine(), "review.item_started", map[string]string{"hash": i.Hash})
	return c.Case, t.moveItem(ctx, i, schema.ItemStarted, `, case_id = @case`, args{"case": c.ID})
}

// checkItemDraft refuses a draft that is not the plan of the item.
func checkItemDraft(i schema.ReviewItem, d schema.Draft) error {
	if len(d.Accounts) != 1 || d.Accounts[0].Account.ID != i.AccountID || d.Request.Door != schema.DoorInactivity {
		return &schema.Error{Code: schema.CodeInternal, Message: "the draft is not of the item's account"}
	}
	if d.Accounts[0].Facts.Hash() != i.Hash {
		return &schema.Error{Code: schema.CodeHashDiffers, Message: "the account is not as it was when its plan was approved", Fix: "look at the difference: the next review plans it anew"}
	}
	return nil
}

// copyApprovals makes the approvals of the run's plans those of the case that one
// of them became. Its hash is among those that the run's hash is made of.
func (t *tx) copyApprovals(ctx context.Context, r itemRun, c newCase) error {
	list, err := all[struct {
		Principal string
		TokenID   schema.TokenID
		Reason    string
	}](ctx, t, `select principal, token_id, reason from review_approval where review_id = @id and hash = @hash order by created_at, principal`,
		args{"id": r.ID, "hash": r.Hash})
	if err != nil {
		return err
	}
	for _, a := range list {
		d := schema.Decision{CaseID: c.ID, Kind: schema.DecideApprove, Hash: c.Hash, Reason: a.Reason, Principal: a.Principal, TokenID: a.TokenID}
		if d.ID, err = newID[schema.DecisionID](); err != nil {
			return err
		}
		if err := t.insertDecision(ctx, d); err != nil {
			return err
		}
		for _, p := range c.plans {
			err := t.run(ctx, `insert into plan_approval (plan_id, hash, principal, decision_id) values (@plan, @hash, @principal, @decision)`,
				args{"plan": p.id, "hash": p.hash, "principal": a.Principal, "decision": d.ID})
			if err != nil {
				return err
			}
		}
		t.record(audit.CaseStream(string(c.ID)), principal(schema.Principal{TokenID: a.TokenID, Name: a.Principal}), "decision.approve",
			audit.Subject{CaseID: string(c.ID), DecisionID: string(d.ID), PolicyID: string(r.PolicyID)},
			map[string]string{"reason": a.Reason, "hash": c.Hash, "review": string(r.ID), "review_hash": r.Hash})
	}
	return nil
}

// Running counts the run's cases with a plan that is planned, running or settling.
func (s *Store) Running(ctx context.Context, id schema.ReviewID) (int, error) {
	n, err := scalar[int](ctx, s.pool, `select count(distinct p.case_id) from review_item i join plan p on p.case_id = i.case_id
		where i.review_id = @id and i.state = 'started' and p.state in ('planned', 'running', 'settling')`, args{"id": id})
	return n, translate("count a review's cases", err)
}

// ReviewItemOf returns the item that a plan was made for, and its run with the
// version of the policy; CodeNotFound for plans of other causes.
func (s *Store) ReviewItemOf(ctx context.Context, plan schema.PlanID) (schema.ReviewItem, schema.Review, error) {
	var r schema.Review
	i, ok, err := maybe[schema.ReviewItem](ctx, s.pool, `select `+itemColumns+` from review_item i
		where i.case_id = (select case_id from plan where id = @plan)`, args{"plan": plan})
	if err == nil && !ok {
		err = notOfReview()
	}
	if err == nil {
		r, err = loadReview(ctx, s.pool, i.ReviewID)
	}
	return i, r, translate("find a plan's review", err)
}

func notOfReview() error {
	return &schema.Error{Code: schema.CodeNotFound, Message: "the plan was made by no review"}
}

// GroupNames are the names of those of the connection's groups that are known.
func (s *Store) GroupNames(ctx context.Context, connection schema.ConnectionID, ids []schema.ExternalID) (map[schema.ExternalID]string, error) {
	rows, err := all[struct {
		ExternalID schema.ExternalID
		Name       string
	}](ctx, s.pool, `select external_id, name from vendor_group where connection_id = @connection and external_id = any(@ids)`,
		args{"connection": connection, "ids": ids})
	names := make(map[schema.ExternalID]string, len(rows))
	for _, r := range rows {
		names[r.ExternalID] = r.Name
	}
	return names, translate("read names of groups", err)
}

// CancelReviewCase cancels the case of a plan that its review has no reason for any
// more. One that is being cancelled, or has ended, stays as it is.
func (s *Store) CancelReviewCase(ctx context.Context, plan schema.PlanID, reason string) error {
	return s.inTx(ctx, "cancel a review's case", func(ctx context.Context, t *tx) error {
		of, ok, err := maybe[struct {
			ReviewID  schema.ReviewID
			AccountID schema.AccountID
		}](ctx, t, `select review_id, account_id from review_item where case_id = (select case_id from plan where id = @plan)`, args{"plan": plan})
		if err != nil {
			return err
		}
		if !ok {
			return notOfReview()
		}
		r, err := t.shareReview(ctx, of.ReviewID)
		if err != nil {
			return err
		}
		i, err := t.lockItem(ctx, of.ReviewID, of.AccountID)
		if err != nil {
			return err
		}
		return t.cancelItemCase(ctx, r, i, reason, engine())
	})
}

// cancelItemCase cancels the case of a locked item in the policy's name.
func (t *tx) cancelItemCase(ctx context.Context, r itemRun, i schema.ReviewItem, reason string, actor audit.Actor) error {
	if i.CaseID == "" {
		return nil
	}
	if _, err := t.lockCase(ctx, i.CaseID); err != nil {
		return err
	}
	err := t.run(ctx, `select 1 from (select id from plan where case_id = @case order by id for no key update) as locked`, args{"case": i.CaseID})
	if err != nil {
		return err
	}
	open, err := scalar[bool](ctx, t, `select exists (select 1 from plan where case_id = @case
		and state not in ('done', 'cancelled', 'superseded') and not stopping)`, args{"case": i.CaseID})
	if err != nil || !open {
		return err
	}
	by := policyPrincipal(r.PolicyID, r.Policy)
	d := schema.Decision{CaseID: i.CaseID, Kind: schema.DecideCancel, Reason: reason, Receivers: []string{}, Principal: by.Name, TokenID: by.TokenID}
	if d.ID, err = newID[schema.DecisionID](); err != nil {
		return err
	}
	t.recordItem(r, i, actor, "review.case_cancelled", map[string]string{"reason": reason})
	return t.decide(ctx, &d, by)
}
