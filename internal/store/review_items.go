package store

import (
	"context"
	"slices"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// itemRun is what the moves of an item need to know of its run.
type itemRun struct {
	ID          schema.ReviewID
	PolicyID    schema.PolicyID
	Policy      string // its name
	State       schema.ReviewState
	Hash        string
	RequestedBy string
	RequestedID schema.TokenID
}

// principal opens the cases of a run: whoever asked for it, so that they approve
// none of them, else the policy.
func (r itemRun) principal() schema.Principal {
	if r.RequestedID != "" {
		return schema.Principal{TokenID: r.RequestedID, Name: r.RequestedBy}
	}
	return policyPrincipal(r.PolicyID, r.Policy)
}

// policyPrincipal is in whose name a policy acts.
func policyPrincipal(id schema.PolicyID, name string) schema.Principal {
	return schema.Principal{TokenID: schema.TokenID(id), Name: schema.PolicyTemplatePrefix + name}
}

// shareReview keeps a run in its state until the transaction ends, and reads it.
func (t *tx) shareReview(ctx context.Context, id schema.ReviewID) (itemRun, error) {
	if err := t.run(ctx, `select 1 from review where id = @id for share`, args{"id": id}); err != nil {
		return itemRun{}, err
	}
	r, ok, err := maybe[itemRun](ctx, t, `select r.id, r.policy_id, p.name as policy, r.state, r.hash, r.requested_by, r.requested_id
		from review r join policy p on p.id = r.policy_id where r.id = @id`, args{"id": id})
	if err == nil && !ok {
		err = notFound("review", string(id))
	}
	return r, err
}

func (r itemRun) require(state schema.ReviewState) error {
	if r.State != state {
		return staleItem("the review is " + string(r.State) + " by now")
	}
	return nil
}

func staleItem(message string) error {
	return &schema.Error{Code: schema.CodeStale, Message: message, Fix: "read it again"}
}

const itemColumns = `i.review_id, i.account_id, i.connection_id, i.external_id, i.login, i.privileged, i.state, i.grade,
	i.threshold_seconds * 1000000000 as threshold, i.last_active_at, i.facts, i.hash, i.bytes, i.findings, i.drift, i.why, i.case_id, i.ask_until, i.updated_at`

// lockItem locks an item and reads it. Its run is locked before it.
func (t *tx) lockItem(ctx context.Context, id schema.ReviewID, account schema.AccountID) (schema.ReviewItem, error) {
	a := args{"review": id, "account": account}
	if err := t.run(ctx, `select 1 from review_item where review_id = @review and account_id = @account for no key update`, a); err != nil {
		return schema.ReviewItem{}, err
	}
	i, ok, err := maybe[schema.ReviewItem](ctx, t, `select `+itemColumns+` from review_item i where i.review_id = @review and i.account_id = @account`, a)
	if err == nil && !ok {
		err = &schema.Error{Code: schema.CodeNotFound, Message: "the review has no item for that account", Fix: "sendoff policy reviews items lists them"}
	}
	return i, err
}

// withItem runs fn with the run kept as it is and the item locked.
func (s *Store) withItem(ctx context.Context, op string, id schema.ReviewID, account schema.AccountID, fn func(context.Context, *tx, itemRun, schema.ReviewItem) error) error {
	return s.inTx(ctx, op, func(ctx context.Context, t *tx) error {
		r, err := t.shareReview(ctx, id)
		if err != nil {
			return err
		}
		i, err := t.lockItem(ctx, id, account)
		if err != nil {
			return err
		}
		return fn(ctx, t, r, i)
	})
}

// moveItem moves a locked item to a state, with more that is set.
func (t *tx) moveItem(ctx context.Context, i schema.ReviewItem, to schema.ItemState, set string, a args) error {
	a["review"], a["account"], a["from"], a["to"], a["now"] = i.ReviewID, i.AccountID, i.State, to, t.now
	return t.changeOne(ctx, `update review_item set state = @to, updated_at = @now`+set+`
		where review_id = @review and account_id = @account and state = @from`, a)
}

// recordItem appends an event about an item to the policy's stream.
func (t *tx) recordItem(r itemRun, i schema.ReviewItem, actor audit.Actor, action string, details map[string]string) {
	subject := audit.Subject{PolicyID: string(r.PolicyID), AccountID: string(i.AccountID), ConnectionID: string(i.ConnectionID), CaseID: string(i.CaseID)}
	t.record(audit.PolicyStream(string(r.PolicyID)), actor, action, subject, with(details, "review", string(r.ID)))
}

// Items returns up to limit items of a run in a state, by account id.
func (s *Store) Items(ctx context.Context, id schema.ReviewID, state schema.ItemState, limit int) ([]schema.ReviewItem, error) {
	if limit < 1 {
		return nil, checkLimit(limit, maxPage)
	}
	list, err := all[schema.ReviewItem](ctx, s.pool, `select `+itemColumns+` from review_item i
		where i.review_id = @id and i.state = @state order by i.account_id limit @limit`, args{"id": id, "state": state, "limit": limit})
	return list, translate("read a review's items", err)
}

// PlanItem stores the plan of a matched item. One that is planned stays as it is: a
// repeat, which may have found newer facts, is none of the plan that was kept.
func (s *Store) PlanItem(ctx context.Context, id schema.ReviewID, p schema.PlannedItem) error {
	return s.withItem(ctx, "plan a review's item", id, p.AccountID, func(ctx context.Context, t *tx, r itemRun, i schema.ReviewItem) error {
		if err := r.require(schema.ReviewPlanning); err != nil {
			return err
		}
		if i.State == schema.ItemPlanned || i.State == schema.ItemRefused {
			return nil
		}
		if i.State != schema.ItemMatched {
			return staleItem("the item is " + string(i.State) + " by now")
		}
		to, why, hash := schema.ItemPlanned, "", p.Facts.Hash()
		if p.Refused() {
			to, why = schema.ItemRefused, "pre-flight refuses it: "+joinCodes(p.Findings)
		}
		t.recordItem(r, i, engine(), "review.item_"+string(to), map[string]string{"hash": hash, "codes": joinCodes(p.Findings)})
		return t.moveItem(ctx, i, to, `, facts = @facts, hash = @hash, bytes = @bytes, findings = @findings, why = @why`, args{
			"facts": p.Facts, "hash": hash, "bytes": p.Bytes, "findings": append([]schema.Finding{}, p.Findings...), "why": why,
		})
	})
}

// SettleItem moves an asking item to ready, or any that has not ended to an end
// other than started. Questions about one that ended are over.
func (s *Store) SettleItem(ctx context.Context, id schema.ReviewID, account schema.AccountID, to schema.ItemState, why string, drift []schema.Difference) error {
	if to != schema.ItemReady && (!to.Ended() || to == schema.ItemStarted) {
		return &schema.Error{Code: schema.CodeInternal, Message: "an item is not settled as " + string(to)}
	}
	return s.withItem(ctx, "settle a review's item", id, account, func(ctx context.Context, t *tx, r itemRun, i schema.ReviewItem) error {
		switch {
		case i.State == to:
			return nil
		case r.State == schema.ReviewEnded:
			return staleItem("the review has ended")
		case i.State.Ended(), to == schema.ItemReady && i.State != schema.ItemAsking:
			return staleItem("the item is " + string(i.State) + " by now")
		}
		return t.settleItem(ctx, r, i, to, why, drift, engine())
	})
}

// settleItem moves a locked item to ready or an end.
func (t *tx) settleItem(ctx context.Context, r itemRun, i schema.ReviewItem, to schema.ItemState, why string, drift []schema.Difference, actor audit.Actor) error {
	details := map[string]string{"from": string(i.State), "why": why}
	if len(drift) > 0 {
		details["drift"] = factsOf(drift)
	}
	t.recordItem(r, i, actor, "review.item_"+string(to), details)
	err := t.moveItem(ctx, i, to, `, why = @why, drift = @drift`, args{"why": why, "drift": append([]schema.Difference{}, drift...)})
	if err != nil || !to.Ended() {
		return err
	}
	return t.endAsks(ctx, i)
}

// factsOf names the facts that differ, without what they were.
func factsOf(drift []schema.Difference) string {
	var names []string
	for _, d := range drift {
		names = append(names, d.Fact)
	}
	slices.Sort(names)
	text := ""
	for _, n := range slices.Compact(names) {
		text += " " + n
	}
	return text[min(1, len(text)):]
}

// endAsks ends the questions about an item that nobody answered. Those that could
// not be delivered stay known as that.
func (t *tx) endAsks(ctx context.Context, i schema.ReviewItem) error {
	return t.run(ctx, `update review_ask set state = 'ended' where review_id = @review and account_id = @account and state in ('pending', 'delivered')`,
		args{"review": i.ReviewID, "account": i.AccountID})
}
