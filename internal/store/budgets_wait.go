package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sendoff/schema"
)

// WaitForBudget looks which confirmed accounts of an acting run find no room in a
// budget of 24 hours, keeps that with the run, and returns it: none wait when
// Accounts is 0. There is one alarm while any waits.
func (s *Store) WaitForBudget(ctx context.Context, id schema.ReviewID) (schema.BudgetWait, error) {
	var wait schema.BudgetWait
	err := s.inTx(ctx, "wait for a budget", func(ctx context.Context, t *tx) error {
		r, err := t.lockReview(ctx, id)
		if err != nil || r.State != schema.ReviewActing {
			return err
		}
		if wait, err = t.waitOf(ctx, r); err != nil {
			return err
		}
		return t.keepWait(ctx, r, &wait)
	})
	return wait, err
}

// waitOf computes what waits. The engine's budget is not locked: what starts is held
// against it then.
func (t *tx) waitOf(ctx context.Context, r schema.Review) (schema.BudgetWait, error) {
	var wait schema.BudgetWait
	ready, err := all[struct {
		ConnectionID schema.ConnectionID
		Accounts     int
	}](ctx, t, `select connection_id, count(*)::int as accounts from review_item where review_id = @id and state = 'ready'
		group by connection_id order by connection_id`, args{"id": r.ID})
	if err != nil || len(ready) == 0 {
		return wait, err
	}
	p, err := policyAt(ctx, t, r.PolicyID, r.Version)
	if err != nil || !p.Rule.Acts() {
		return wait, err
	}
	limits, err := one[schema.EngineBudget](ctx, t, selectEngineBudget, nil)
	if err != nil || !p.Rule.Budget.DayLimited(limits) {
		return wait, err
	}
	u := startUse{review: r.ID, policy: r.PolicyID, budget: p.Rule.Budget, released: r.Overruns}
	used, mine, err := t.usedBy(ctx, u)
	if err != nil {
		return wait, err
	}
	for _, of := range ready {
		over := u.budget.StartOverruns(limits, u.released, oneOf(of.ConnectionID, 0, false), withoutMine(used, mine, of.ConnectionID))
		if len(over) == 0 {
			continue
		}
		until, err := t.roomAt(ctx, u, over)
		if err != nil {
			return wait, err
		}
		if wait.Until.IsZero() || until.Before(wait.Until) {
			wait.Until, wait.Overruns = until, over
		}
		wait.Accounts += of.Accounts
		wait.Connections = append(wait.Connections, of.ConnectionID)
	}
	return wait, nil
}

// roomAt is when so much has left the window that all of the limits hold for one
// account, if nobody else uses them.
func (t *tx) roomAt(ctx context.Context, u startUse, over []schema.Overrun) (time.Time, error) {
	rows, err := all[struct {
		UsedAt       time.Time
		ConnectionID schema.ConnectionID
		PolicyID     schema.PolicyID
		Accounts     int64
	}](ctx, t, `select used_at, connection_id, policy_id, sum(accounts) as accounts from budget_use where used_at > @since and accounts > 0
		group by used_at, connection_id, policy_id order by used_at`, args{"since": t.now.Add(-budgetWindow)})
	at := t.now
	for _, o := range over {
		left := o.Used
		for _, r := range rows {
			if left+o.Wanted <= o.Allowed {
				break
			}
			if o.Limit == schema.LimitPerDay && r.PolicyID != u.policy || o.Subject != "" && r.ConnectionID != o.Subject {
				continue
			}
			left -= r.Accounts
			if leaves := r.UsedAt.Add(budgetWindow); leaves.After(at) {
				at = leaves
			}
		}
	}
	return at, err
}

// keepWait keeps what waits with a locked run, and says so once.
func (t *tx) keepWait(ctx context.Context, r schema.Review, wait *schema.BudgetWait) error {
	if wait.Accounts == 0 {
		return t.endWait(ctx, r)
	}
	wait.Since = t.now
	if r.BudgetWait != nil {
		wait.Since = r.BudgetWait.Since
	}
	kept, err := json.Marshal(wait)
	if err != nil {
		return err
	}
	if err := t.changeOne(ctx, `update review set budget_wait = @wait::jsonb where id = @id`, args{"id": r.ID, "wait": string(kept)}); err != nil || r.BudgetWait != nil {
		return err
	}
	t.recordReview(r, engine(), "review.waits_for_budget", map[string]string{
		"accounts": strconv.Itoa(wait.Accounts), "limits": limitsOf(wait.Overruns), "until": schema.FormatInstant(wait.Until),
	})
	worst := worstOf(wait.Overruns)
	names, err := t.connectionNames(ctx, []schema.Overrun{worst})
	if err != nil {
		return err
	}
	return t.raiseAlarm(ctx, schema.Alarm{
		PolicyID: r.PolicyID, Code: schema.AlarmBudgetWait,
		Message: fmt.Sprintf("policy %s has %d confirmed accounts that wait for room in a budget of 24 hours (%s)", r.Policy, wait.Accounts,
			overrunText(worst, names[worst.Subject])),
		Fix: "they start by themselves as there is room; until when they wait is in sendoff policy reviews show " + string(r.ID),
	})
}

// endWait ends what waits of a locked run.
func (t *tx) endWait(ctx context.Context, r schema.Review) error {
	if r.BudgetWait == nil {
		return nil
	}
	t.recordReview(r, engine(), "review.budget_wait_over", map[string]string{"since": schema.FormatInstant(r.BudgetWait.Since)})
	if err := t.changeOne(ctx, `update review set budget_wait = null where id = @id`, args{"id": r.ID}); err != nil {
		return err
	}
	return t.clearPolicyAlarm(ctx, r.PolicyID, schema.AlarmBudgetWait)
}

// tellWaiting lets the runs look again that wait for a budget, of which there is
// more now.
func (t *tx) tellWaiting(ctx context.Context, but schema.ReviewID) error {
	ids, err := scalars[schema.ReviewID](ctx, t, `select id from review where budget_wait is not null order by id`, nil)
	if err != nil {
		return err
	}
	for _, id := range slices.DeleteFunc(ids, func(id schema.ReviewID) bool { return id == but }) {
		if err := t.tellRun(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// ReadyItems returns up to limit confirmed items of a run that wait to be started,
// without those of some connections and those that were seen, by account id. Those that
// could not be read come last, and take turns.
func (s *Store) ReadyItems(ctx context.Context, id schema.ReviewID, but []schema.ConnectionID, seen []schema.AccountID, limit int) ([]schema.ReviewItem, error) {
	if limit < 1 {
		return nil, checkLimit(limit, maxPage)
	}
	list, err := all[schema.ReviewItem](ctx, s.pool, `select `+itemColumns+` from review_item i
		where i.review_id = @id and i.state = 'ready' and i.connection_id <> all(@but) and i.account_id <> all(@seen::uuid[])
		order by case when starts_with(i.why, @unread) then random() else -1 end, i.account_id limit @limit`,
		args{"id": id, "but": some(but), "seen": some(seen), "unread": schema.Unread, "limit": limit})
	return list, translate("read a review's confirmed items", err)
}

// MarkUnread keeps why an item could not be judged that is to be planned or started,
// and in its updated_at since when that is so; empty = it could be.
func (s *Store) MarkUnread(ctx context.Context, id schema.ReviewID, account schema.AccountID, why string) error {
	return s.withItem(ctx, "keep why an item waits", id, account, func(ctx context.Context, t *tx, _ itemRun, i schema.ReviewItem) error {
		switch {
		case i.State != schema.ItemMatched && i.State != schema.ItemReady:
			return staleItem("the item is " + string(i.State) + " by now")
		case strings.HasPrefix(i.Why, schema.Unread) == (why != ""):
			return nil
		}
		return t.moveItem(ctx, i, i.State, `, why = @why`, args{"why": why})
	})
}
