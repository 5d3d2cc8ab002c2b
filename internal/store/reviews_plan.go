package store

import (
	"context"
	"strconv"
	"strings"

	"sendoff/schema"
)

// EndPlanning computes the run's hash and takes what its plans want from all
// budgets, with the row of the engine's budget locked: of two runs that fit alone
// and not together, one is held. Asked again, it returns the run.
func (s *Store) EndPlanning(ctx context.Context, id schema.ReviewID) (schema.Review, error) {
	var r schema.Review
	err := s.inTx(ctx, "end planning", func(ctx context.Context, t *tx) (err error) {
		if r, err = t.lockReview(ctx, id); err != nil {
			return err
		}
		switch r.State {
		case schema.ReviewHeld, schema.ReviewApproving, schema.ReviewActing, schema.ReviewEnded:
			return nil
		}
		if err := t.endPlanning(ctx, &r); err != nil {
			return err
		}
		r, err = loadReview(ctx, t, id)
		return err
	})
	return r, err
}

func (t *tx) endPlanning(ctx context.Context, r *schema.Review) error {
	p, err := policyAt(ctx, t, r.PolicyID, r.Version)
	if err != nil {
		return err
	}
	if err := t.hashReview(ctx, r); err != nil {
		return err
	}
	if r.Wanted, err = t.wantedBy(ctx, *r, p.Rule); err != nil {
		return err
	}
	limits, err := t.lockEngineBudget(ctx)
	if err != nil {
		return err
	}
	used, err := t.budgetUsed(ctx, r.PolicyID)
	if err != nil {
		return err
	}
	r.Overruns = append([]schema.Overrun{}, p.Rule.Budget.Overruns(limits, r.Looked, r.Wanted, used)...)
	details := map[string]string{"hash": r.Hash, "accounts": strconv.Itoa(r.Wanted.Accounts), "bytes": strconv.FormatInt(r.Wanted.Bytes, 10)}
	if len(r.Overruns) > 0 {
		t.recordReview(*r, engine(), "review.over_budget", with(details, "limits", limitsOf(r.Overruns)))
		return t.holdReview(ctx, r)
	}
	t.recordReview(*r, engine(), "review.planned", details)
	return t.takeBudget(ctx, r)
}

// hashReview sets the hash of a run: of its planned items, which is what is approved.
func (t *tx) hashReview(ctx context.Context, r *schema.Review) error {
	left, err := scalar[int](ctx, t, `select count(*)::int from review_item where review_id = @id and state = 'matched'`, args{"id": r.ID})
	if err != nil {
		return err
	}
	if left > 0 {
		return conflict(strconv.Itoa(left)+" accounts of the review are not planned yet", "plan them first")
	}
	hashes, err := scalars[string](ctx, t, `select hash from review_item where review_id = @id and state = 'planned'`, args{"id": r.ID})
	r.Hash = schema.CaseHash(hashes)
	return err
}

// wantedBy is what a run's planned items would use. Plans that write nothing use
// nothing.
func (t *tx) wantedBy(ctx context.Context, r schema.Review, rule schema.PolicyRule) (schema.Spending, error) {
	wanted := schema.Spending{Connection: map[schema.ConnectionID]int{}}
	if !rule.Acts() {
		return wanted, nil
	}
	rows, err := all[struct {
		ConnectionID         schema.ConnectionID
		Accounts, Privileged int
		Bytes                int64
	}](ctx, t, `select connection_id, count(*)::int as accounts, (count(*) filter (where privileged))::int as privileged, sum(bytes)::bigint as bytes
		from review_item where review_id = @id and state = 'planned' group by connection_id`, args{"id": r.ID})
	for _, row := range rows {
		wanted.Accounts += row.Accounts
		wanted.Privileged += row.Privileged
		wanted.Bytes += row.Bytes
		wanted.Connection[row.ConnectionID] = row.Accounts
	}
	return wanted, err
}

func limitsOf(over []schema.Overrun) string {
	var names []string
	for _, o := range over {
		names = append(names, string(o.Limit))
	}
	return strings.Join(names, " ")
}

// takeBudget reserves what a run's planned items use, and lets it be approved or act.
func (t *tx) takeBudget(ctx context.Context, r *schema.Review) error {
	to := schema.ReviewActing
	if r.Wanted.Accounts > 0 {
		err := t.run(ctx, `insert into budget_use (id, used_at, reserved, door, policy_id, review_id, connection_id, accounts, privileged, bytes)
			select gen_random_uuid(), @now, true, @door, @policy, @id, connection_id, count(*), count(*) filter (where privileged), sum(bytes)
			from review_item where review_id = @id and state = 'planned' group by connection_id`,
			args{"now": t.now, "door": schema.DoorInactivity, "policy": r.PolicyID, "id": r.ID})
		if err != nil {
			return err
		}
		if r.Approvals > 0 {
			to = schema.ReviewApproving
		}
	}
	return t.moveReview(ctx, r, to, `, hash = @hash, wanted = @wanted, overruns = @overruns`,
		args{"hash": r.Hash, "wanted": r.Wanted, "overruns": append([]schema.Overrun{}, r.Overruns...)})
}

// returnBudget gives back what a run reserved for items that it did not start. Runs
// that wait for room look again.
func (t *tx) returnBudget(ctx context.Context, id schema.ReviewID) error {
	tag, err := t.Exec(ctx, `delete from budget_use where review_id = @id and reserved`, args{"id": id})
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	return t.tellWaiting(ctx, id)
}
