package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"sendoff/schema"
)

// useBucket is how long starts of a run and a connection are counted as one: a day
// of many starts stays a few rows. They count until the end of it, never less.
const useBucket = 10 * time.Minute

// startUse is an item of a run that starts, with what it is held against.
type startUse struct {
	review   schema.ReviewID
	policy   schema.PolicyID
	budget   schema.Budget
	released []schema.Overrun // limits that the run was released over
}

// startUseOf reads what the items of a run are held against when they start.
func startUseOf(ctx context.Context, q querier, id schema.ReviewID) (startUse, error) {
	of, err := one[struct {
		PolicyID schema.PolicyID
		Rule     schema.PolicyRule
		Overruns []schema.Overrun
	}](ctx, q, `select r.policy_id, v.rule, r.overruns from review r
		join policy_version v on v.policy_id = r.policy_id and v.version = r.version where r.id = @id`, args{"id": id})
	return startUse{review: id, policy: of.PolicyID, budget: of.Rule.Budget, released: of.Overruns}, err
}

// oneOf is what one account of a connection uses.
func oneOf(connection schema.ConnectionID, bytes int64, privileged bool) schema.Spending {
	w := schema.Spending{Accounts: 1, Bytes: bytes, Connection: map[schema.ConnectionID]int{connection: 1}}
	if privileged {
		w.Privileged = 1
	}
	return w
}

// useItem moves what the case of a run's item uses from what its run has reserved to
// now, if the last 24 hours leave room for it today. CodeConflict with the problem
// OVER_BUDGET when they do not.
func (t *tx) useItem(ctx context.Context, batch *pgx.Batch, c newCase) error {
	p := c.plans[0]
	if !writes(p.account.Facts.Steps) {
		return nil
	}
	u := *c.start
	limits, err := one[schema.EngineBudget](ctx, t, selectEngineBudget, nil)
	if err != nil {
		return err
	}
	wanted := oneOf(p.account.Connection.ID, p.account.PlannedBytes, p.account.Account.Role.Privileged())
	if u.budget.DayLimited(limits) {
		if err := t.requireRoom(ctx, u, wanted); err != nil {
			return err
		}
	}
	a := args{
		"review": u.review, "connection": p.account.Connection.ID, "privileged": wanted.Privileged, "bytes": wanted.Bytes,
	}
	batch.Queue(`update budget_use set accounts = accounts - 1, privileged = greatest(privileged - @privileged, 0), bytes = greatest(bytes - @bytes, 0)
		where review_id = @review and connection_id = @connection and reserved and accounts > 0`, a)
	with := args{"door": schema.DoorInactivity, "policy": u.policy, "at": t.now.Truncate(useBucket).Add(useBucket)}
	for name, value := range a {
		with[name] = value
	}
	batch.Queue(`insert into budget_use (id, used_at, door, policy_id, review_id, connection_id, accounts, privileged, bytes)
		values (gen_random_uuid(), @at, @door, @policy, @review, @connection, 1, @privileged, @bytes)
		on conflict (review_id, connection_id, reserved, used_at) where review_id is not null
		do update set accounts = budget_use.accounts + 1, privileged = budget_use.privileged + excluded.privileged, bytes = budget_use.bytes + excluded.bytes`, with)
	return nil
}

// requireRoom refuses an account of a run that has no room in the last 24 hours, with
// the row of the engine's budget locked: of two who come at once, the second sees
// what the first used.
func (t *tx) requireRoom(ctx context.Context, u startUse, wanted schema.Spending) error {
	limits, err := t.lockEngineBudget(ctx)
	if err != nil {
		return err
	}
	used, mine, err := t.usedBy(ctx, u)
	if err != nil {
		return err
	}
	for id := range wanted.Connection {
		over := u.budget.StartOverruns(limits, u.released, wanted, withoutMine(used, mine, id))
		if len(over) > 0 {
			return t.overBudget(ctx, over, "the budgets of 24 hours have no room for it now; it waits")
		}
	}
	return nil
}

// usedBy sums what counts for a start of a run, and how much of that the run itself
// has reserved, by connection.
func (t *tx) usedBy(ctx context.Context, u startUse) (schema.BudgetUsed, map[schema.ConnectionID]int, error) {
	used, err := t.budgetUsed(ctx, u.policy)
	if err != nil {
		return used, nil, err
	}
	rows, err := all[struct {
		ConnectionID schema.ConnectionID
		Accounts     int
	}](ctx, t, `select connection_id, accounts from budget_use where review_id = @id and reserved and used_at > @since`,
		args{"id": u.review, "since": t.now.Add(-budgetWindow)})
	mine := map[schema.ConnectionID]int{}
	for _, r := range rows {
		mine[r.ConnectionID] = r.Accounts
	}
	return used, mine, err
}

// withoutMine takes one account of a connection off what is used when its run has
// reserved that lately: it is about to be used in place of being reserved.
func withoutMine(used schema.BudgetUsed, mine map[schema.ConnectionID]int, id schema.ConnectionID) schema.BudgetUsed {
	if mine[id] == 0 {
		return used
	}
	out := schema.BudgetUsed{Policy: used.Policy - 1, Engine: used.Engine - 1, Connection: map[schema.ConnectionID]int{}}
	for c, n := range used.Connection {
		out.Connection[c] = n
	}
	out.Connection[id]--
	return out
}

// PruneBudgets deletes up to limit rows that no budget counts any more, and returns
// how many. What a run reserved that long ago is checked anew when its items start.
func (s *Store) PruneBudgets(ctx context.Context, limit int) (int, error) {
	n := 0
	err := s.inTx(ctx, "prune what was used of budgets", func(ctx context.Context, t *tx) error {
		tag, err := t.Exec(ctx, `delete from budget_use where id in (select id from budget_use where used_at < @before
				order by used_at limit @limit for update skip locked)`, args{"before": t.now.Add(-2 * budgetWindow), "limit": limit})
		n = int(tag.RowsAffected())
		return err
	})
	return n, err
}
