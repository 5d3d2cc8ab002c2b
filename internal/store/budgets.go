package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// budgetWindow is how far back budgets count.
const budgetWindow = 24 * time.Hour

const selectEngineBudget = `select per_day, connection, updated_by, updated_at from engine_budget`

// EngineBudget returns what bounds all doors together.
func (s *Store) EngineBudget(ctx context.Context) (schema.EngineBudget, error) {
	b, err := one[schema.EngineBudget](ctx, s.pool, selectEngineBudget, nil)
	return b, translate("read the engine's budget", err)
}

// SetEngineBudget sets what bounds all doors together; what was used before counts.
// Audited.
func (s *Store) SetEngineBudget(ctx context.Context, b schema.EngineBudget, by schema.Principal) (schema.EngineBudget, error) {
	if err := checkPrincipal(by); err != nil {
		return b, err
	}
	if b.PerDay < 0 || b.Connection < 0 {
		return b, &schema.Error{Code: schema.CodeInvalid, Message: "a limit of the engine's budget is below zero", Fix: "give 0 for no limit"}
	}
	err := s.inTx(ctx, "set the engine's budget", func(ctx context.Context, t *tx) error {
		// Alone: no case is on its way that found no limit to count against.
		if err := t.lockPeople(ctx, true); err != nil {
			return err
		}
		before, err := t.lockEngineBudget(ctx)
		if err != nil {
			return err
		}
		b.UpdatedBy, b.UpdatedAt = by.Name, t.now
		if err := t.tellWaiting(ctx, ""); err != nil {
			return err
		}
		t.record(audit.SystemStream, principal(by), "budget.set", audit.Subject{}, map[string]string{
			"per_day": strconv.Itoa(b.PerDay), "connection": strconv.Itoa(b.Connection),
			"per_day_before": strconv.Itoa(before.PerDay), "connection_before": strconv.Itoa(before.Connection),
		})
		return t.changeOne(ctx, `update engine_budget set per_day = @day, connection = @connection, updated_by = @by, updated_at = @now`,
			args{"day": b.PerDay, "connection": b.Connection, "by": by.Name, "now": t.now})
	})
	return b, err
}

// lockEngineBudget locks the one row that whoever counts and takes budgets locks.
func (t *tx) lockEngineBudget(ctx context.Context) (schema.EngineBudget, error) {
	return one[schema.EngineBudget](ctx, t, selectEngineBudget+` for no key update`, nil)
}

// BudgetUsed sums what all doors used since the instant.
func (s *Store) BudgetUsed(ctx context.Context, since time.Time) (schema.Spending, error) {
	rows, err := all[struct {
		ConnectionID         schema.ConnectionID
		Accounts, Privileged int
		Bytes                int64
	}](ctx, s.pool, `select connection_id, sum(accounts)::int as accounts, sum(privileged)::int as privileged, sum(bytes)::bigint as bytes
		from budget_use where used_at > @since group by connection_id`, args{"since": since})
	sum := schema.Spending{Connection: map[schema.ConnectionID]int{}}
	for _, r := range rows {
		sum.Accounts += r.Accounts
		sum.Privileged += r.Privileged
		sum.Bytes += r.Bytes
		sum.Connection[r.ConnectionID] = r.Accounts
	}
	return sum, translate("sum what was used", err)
}

// budgetUsed sums what counts against budgets now; policy "" = no policy's own.
func (t *tx) budgetUsed(ctx context.Context, policy schema.PolicyID) (schema.BudgetUsed, error) {
	rows, err := all[struct {
		ConnectionID     schema.ConnectionID
		Accounts, Policy int
	}](ctx, t, `select connection_id, sum(accounts)::int as accounts, coalesce(sum(accounts) filter (where policy_id = @policy), 0)::int as policy
		from budget_use where used_at > @since group by connection_id`, args{"since": t.now.Add(-budgetWindow), "policy": policy})
	used := schema.BudgetUsed{Connection: map[schema.ConnectionID]int{}}
	for _, r := range rows {
		used.Engine += r.Accounts
		used.Policy += r.Policy
		used.Connection[r.ConnectionID] = r.Accounts
	}
	return used, err
}

// budgetUse is what one case uses of a connection.
type budgetUse struct {
	caseID               schema.CaseID
	door                 schema.Door
	connection           schema.ConnectionID
	accounts, privileged int
	bytes                int64
}

// usesOf are what new cases use, in order: their plans that write. Those of reviews
// are held against more.
func usesOf(cases []newCase) []budgetUse {
	var uses []budgetUse
	for _, c := range cases {
		if c.start != nil || c.counted {
			continue
		}
		at := map[schema.ConnectionID]int{}
		for _, p := range c.plans {
			if !writes(p.account.Facts.Steps) {
				continue
			}
			id := p.account.Connection.ID
			i, ok := at[id]
			if !ok {
				i, at[id] = len(uses), len(uses)
				uses = append(uses, budgetUse{caseID: c.ID, door: c.Door, connection: id})
			}
			uses[i].accounts++
			uses[i].bytes += p.account.PlannedBytes
			if p.account.Account.Role.Privileged() {
				uses[i].privileged++
			}
		}
	}
	return uses
}

func writes(steps []schema.StepFact) bool { return schema.PolicyRule{Steps: steps}.Acts() }

// useBudget counts what new cases use and queues its rows. CodeConflict with the
// problem OVER_BUDGET when the engine's budget does not allow it. Without a limit
// nobody waits for anybody.
func (t *tx) useBudget(ctx context.Context, batch *pgx.Batch, cases []newCase) error {
	for _, c := range cases {
		if c.start == nil {
			continue
		}
		if err := t.useItem(ctx, batch, c); err != nil {
			return err
		}
	}
	uses := usesOf(cases)
	if len(uses) == 0 {
		return nil
	}
	limits, err := one[schema.EngineBudget](ctx, t, selectEngineBudget, nil)
	if err != nil {
		return err
	}
	if limits.PerDay > 0 || limits.Connection > 0 {
		if err := t.requireEngineBudget(ctx, uses); err != nil {
			return err
		}
	}
	for _, u := range uses {
		batch.Queue(`insert into budget_use (id, used_at, door, case_id, connection_id, accounts, privileged, bytes)
			values (gen_random_uuid(), @now, @door, @case_id, @connection, @accounts, @privileged, @bytes)`,
			args{
				"now": t.now, "door": u.door, "case_id": u.caseID, "connection": u.connection, "accounts": u.accounts,
				"privileged": u.privileged, "bytes": u.bytes,
			})
	}
	return nil
}

// requireEngineBudget refuses what the engine's budget does not allow, with its row
// locked: of two who come at once, the second sees what the first used.
func (t *tx) requireEngineBudget(ctx context.Context, uses []budgetUse) error {
	limits, err := t.lockEngineBudget(ctx)
	if err != nil {
		return err
	}
	used, err := t.budgetUsed(ctx, "")
	if err != nil {
		return err
	}
	wanted := schema.Spending{Connection: map[schema.ConnectionID]int{}}
	for _, u := range uses {
		wanted.Accounts += u.accounts
		wanted.Connection[u.connection] += u.accounts
	}
	over := schema.Budget{}.Overruns(limits, 0, wanted, used)
	if len(over) == 0 {
		return nil
	}
	return t.overBudget(ctx, over, "the engine's budget does not allow it; nothing was started")
}

// overBudget is CodeConflict with a problem OVER_BUDGET for each limit.
func (t *tx) overBudget(ctx context.Context, over []schema.Overrun, message string) error {
	names, err := t.connectionNames(ctx, over)
	if err != nil {
		return err
	}
	e := &schema.Error{Code: schema.CodeConflict, Message: message}
	for _, o := range over {
		e.Problems = append(e.Problems, schema.Problem{
			Where: names[o.Subject], Code: string(schema.OverBudget), Message: overrunText(o, names[o.Subject]),
			Fix: "wait until less was used in the last 24 hours, or let an admin raise the engine's budget",
		})
	}
	return e
}

// overrunText says which limit does not hold, and by how much.
func overrunText(o schema.Overrun, connection string) string {
	limit := map[schema.BudgetLimit]string{
		schema.LimitPerRun: "accounts of one run", schema.LimitPerDay: "the policy's accounts of 24 hours",
		schema.LimitConnection: "accounts of connection " + connection + " in 24 hours", schema.LimitPercent: "its share of the population",
		schema.LimitBytes: "bytes of one run", schema.LimitPrivileged: "privileged accounts of one run",
		schema.LimitEngine: "accounts of all doors in 24 hours", schema.LimitEngineConn: "accounts of connection " + connection + " by all doors in 24 hours",
	}[o.Limit]
	return fmt.Sprintf("limit %s, %s: %d used, %d wanted, %d allowed", o.Limit, limit, o.Used, o.Wanted, o.Allowed)
}

// connectionNames are the names of the connections that overruns are about.
func (t *tx) connectionNames(ctx context.Context, over []schema.Overrun) (map[schema.ConnectionID]string, error) {
	var ids []schema.ConnectionID
	for _, o := range over {
		if o.Subject != "" {
			ids = append(ids, o.Subject)
		}
	}
	rows, err := all[struct {
		ID   schema.ConnectionID
		Name string
	}](ctx, t, `select id, name from connection where id = any(@ids)`, args{"ids": append([]schema.ConnectionID{}, ids...)})
	names := make(map[schema.ConnectionID]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, err
}
