package store

import (
	"context"
	"fmt"
	"strconv"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// shuts tells whether a plan takes an account itself away: what only takes it out of
// groups or gives it another role leaves a privileged account one that somebody uses.
const shuts = `jsonb_path_exists(m.facts, '$.steps[*] ? (@.kind == "suspend" || @.kind == "transfer" || @.kind == "delete")')`

// shutsPrivileged counts by the role that was planned, so that what is taken and what
// is given back are the same.
const shutsPrivileged = `m.facts->>'role' in ('owner', 'coadmin', 'admin') and ` + shuts

// removalSums sum the removals m of a campaign by connection. What is done without a
// case of the campaign's own is others' work.
const removalSums = `select a.connection_id, count(*)::int as accounts,
		(count(*) filter (where ` + shutsPrivileged + `))::int as privileged, coalesce(sum(m.bytes), 0)::bigint as bytes
	from campaign_removal m join account a on a.id = m.account_id where m.campaign_id = @id and (m.state = any(@states) and (m.state <> 'done' or m.case_id is not null) or @ended and m.state = 'refused' and m.case_id is not null)
	group by a.connection_id`

// TakeBudget moves all planned removals of a campaign to ready if its budget and the
// engine's allow them together with what it used before, in one transaction with the
// row of the engine's budget locked. Otherwise nothing of them starts: a batch holds
// them until two principals release it.
func (s *Store) TakeBudget(ctx context.Context, id schema.CampaignID) (schema.Campaign, error) {
	var c schema.Campaign
	err := s.inTx(ctx, "take a campaign's budget", func(ctx context.Context, t *tx) (err error) {
		if c, err = t.lockCampaign(ctx, id); err != nil {
			return err
		}
		if !c.State.Removes() {
			return staleCampaign(c)
		}
		if err := t.readyRemovals(ctx, c, true); err != nil {
			return err
		}
		wanted, err := t.sumRemovals(ctx, id, schema.RemovalPlanned)
		if err != nil {
			return err
		}
		over, err := t.removalOverruns(ctx, c, wanted)
		if err != nil {
			return err
		}
		if len(over) > 0 {
			return t.holdCampaign(ctx, &c, wanted, over)
		}
		if err := t.discardFitting(ctx, &c, wanted.Accounts > 0); err != nil {
			return err
		}
		return t.readyRemovals(ctx, c, false)
	})
	return c, err
}

// discardFitting discards the batch that is still held of a campaign whose removals fit
// by now: there is nothing to decide. When none of them starts and one is to be planned,
// that may be one that the batch holds, planned anew.
func (t *tx) discardFitting(ctx context.Context, c *schema.Campaign, starts bool) error {
	b, held, err := maybe[batchRow](ctx, t, `select `+batchColumns+` from batch where id = @id and state = 'held'
			and (@starts or not exists (select 1 from campaign_removal where campaign_id = @campaign and state = 'wanted')) for no key update`,
		args{"id": c.BatchID, "campaign": c.ID, "starts": starts})
	if err != nil || !held {
		return err
	}
	t.record(b.batchScope().stream(), engine(), "batch.discarded", audit.Subject{PolicyID: string(c.ReviewID), CampaignID: string(c.ID)},
		map[string]string{"batch": string(b.ID), "reason": "what it held fits the budget by now"})
	if err := t.endBatch(ctx, b, schema.BatchDiscarded); err != nil {
		return err
	}
	c.Overruns = nil
	return t.changeOne(ctx, `update campaign set overruns = '[]' where id = @id`, args{"id": c.ID})
}

func (t *tx) sumRemovals(ctx context.Context, id schema.CampaignID, states ...schema.RemovalState) (schema.Spending, error) {
	sum := schema.Spending{Connection: map[schema.ConnectionID]int{}}
	rows, err := all[struct {
		ConnectionID         schema.ConnectionID
		Accounts, Privileged int
		Bytes                int64
	}](ctx, t, removalSums, args{"id": id, "states": states, "ended": len(states) > 1})
	for _, r := range rows {
		sum.Accounts += r.Accounts
		sum.Privileged += r.Privileged
		sum.Bytes += r.Bytes
		sum.Connection[r.ConnectionID] = r.Accounts
	}
	return sum, err
}

// removalOverruns are the limits that planned removals exceed: those of one campaign
// with all that it took before, those of a day with what everybody used. It locks the
// engine's budget.
func (t *tx) removalOverruns(ctx context.Context, c schema.Campaign, wanted schema.Spending) ([]schema.Overrun, error) {
	limits, err := t.lockEngineBudget(ctx)
	if err != nil {
		return nil, err
	}
	budget, err := t.budgetOfCampaign(ctx, c)
	if err != nil {
		return nil, err
	}
	if wanted.Accounts == 0 {
		return nil, nil
	}
	looked, err := scalar[int64](ctx, t, `select count(distinct account_id) from campaign_item where campaign_id = @id`, args{"id": c.ID})
	if err != nil {
		return nil, err
	}
	before, err := t.sumRemovals(ctx, c.ID, schema.RemovalReady, schema.RemovalStarted, schema.RemovalDone)
	if err != nil {
		return nil, err
	}
	used, err := t.reviewUsed(ctx, c.ReviewID)
	if err != nil {
		return nil, err
	}
	run := schema.Budget{PerRun: budget.PerRun, Percent: budget.Percent, Bytes: budget.Bytes, Privileged: budget.Privileged}
	day := schema.Budget{PerDay: budget.PerDay, Connection: budget.Connection, Privileged: wanted.Privileged}
	over := run.Overruns(schema.EngineBudget{}, looked, wanted, schema.BudgetUsed{Run: before})
	return append(over, day.Overruns(limits, looked, wanted, used)...), nil
}

// budgetOfCampaign is the budget of the rule that a campaign began with.
func (t *tx) budgetOfCampaign(ctx context.Context, c schema.Campaign) (schema.Budget, error) {
	return one[schema.Budget](ctx, t, `select coalesce((rule->'effect'->'budget'->>'per_run')::int, 0) as per_run,
			coalesce((rule->'effect'->'budget'->>'per_day')::int, 0) as per_day, coalesce((rule->'effect'->'budget'->>'connection')::int, 0) as connection,
			coalesce((rule->'effect'->'budget'->>'percent')::int, 0) as percent, coalesce((rule->'effect'->'budget'->>'bytes')::bigint, 0) as bytes,
			coalesce((rule->'effect'->'budget'->>'privileged')::int, 0) as privileged
		from access_review_version where review_id = @review and version = @version`, args{"review": c.ReviewID, "version": c.Version})
}

// requireRoomToday refuses to start a removal that took its budget more than a window
// ago when the last 24 hours have no room for it: what it took then counts no more, and
// others used the day since. What two principals released goes over.
func (t *tx) requireRoomToday(ctx context.Context, c schema.Campaign, m schema.Removal) error {
	at, ok, err := maybe[struct {
		Released   bool
		Connection schema.ConnectionID
		Privileged bool
	}](ctx, t, `select m.released, a.connection_id as connection, `+shutsPrivileged+` as privileged from campaign_removal m join account a on a.id = m.account_id
		where m.id = @id and not exists (select 1 from budget_use u where u.id = m.id and u.used_at > @since)`, args{"id": m.ID, "since": t.now.Add(-budgetWindow)})
	if err != nil || !ok || at.Released {
		return err
	}
	limits, err := t.lockEngineBudget(ctx)
	if err != nil {
		return err
	}
	budget, err := t.budgetOfCampaign(ctx, c)
	if err != nil {
		return err
	}
	used, err := t.reviewUsed(ctx, c.ReviewID)
	if err != nil {
		return err
	}
	over := budget.StartOverruns(limits, nil, oneOf(at.Connection, m.Bytes, at.Privileged), used)
	if len(over) > 0 {
		return t.overBudget(ctx, over, "the budgets of 24 hours have no room for it now; it waits")
	}
	return nil
}

// reviewUsed is what counts in the last 24 hours: of the review's own campaigns, and
// of everybody.
func (t *tx) reviewUsed(ctx context.Context, review schema.AccessReviewID) (schema.BudgetUsed, error) {
	used, err := t.budgetUsed(ctx, "")
	if err != nil {
		return used, err
	}
	used.Policy, err = scalar[int](ctx, t, `select coalesce(sum(u.accounts), 0)::int from budget_use u join campaign c on c.id = u.campaign_id
		where c.review_id = @review and u.used_at > @since`, args{"review": review, "since": t.now.Add(-budgetWindow)})
	return used, err
}

// removalUse is what one removal m uses. The row has the removal's id, so that what
// was taken is given back, no more and no less.
const removalUse = `insert into budget_use (id, used_at, reserved, door, campaign_id, connection_id, accounts, privileged, bytes)
	select m.id, @now, @reserved, @door, m.campaign_id, a.connection_id, 1, case when ` + shutsPrivileged + ` then 1 else 0 end, m.bytes
	from campaign_removal m join account a on a.id = m.account_id `

// readyRemovals takes what planned removals use, or those of them that were released
// before, and lets them start.
func (t *tx) readyRemovals(ctx context.Context, c schema.Campaign, released bool) error {
	const which = `where m.campaign_id = @id and m.state = 'planned' and (m.released or not @released)`
	err := t.run(ctx, removalUse+which, args{"now": t.now, "reserved": true, "door": schema.DoorAccessReview, "id": c.ID, "released": released})
	if err != nil {
		return err
	}
	ids, err := scalars[schema.RemovalID](ctx, t, `update campaign_removal m set state = 'ready', updated_at = @now `+which+` returning m.id`,
		args{"now": t.now, "id": c.ID, "released": released})
	if err != nil || len(ids) == 0 {
		return err
	}
	t.recordCampaign(c, engine(), "campaign.budget_taken", map[string]string{"accounts": strconv.Itoa(len(ids))})
	return nil
}

// giveBack returns what a removal that does not start took of the budgets, and lets
// whoever waits for that look.
func (t *tx) giveBack(ctx context.Context, m schema.Removal) error {
	tag, err := t.Exec(ctx, `delete from budget_use where id = @id and reserved`, args{"id": m.ID})
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	return t.tellWaiting(ctx, "")
}

// useReserved has what a removal took count from its start on: it was not used
// before, and is not given back any more.
func (t *tx) useReserved(ctx context.Context, c schema.Campaign, m schema.Removal) error {
	return t.run(ctx, removalUse+`where m.id = @id on conflict (id) do update set used_at = excluded.used_at, reserved = false`,
		args{"now": t.now, "reserved": false, "door": schema.DoorAccessReview, "id": m.ID})
}

// holdCampaign holds planned removals that are over budget: with one alarm and one
// notice. A campaign that is open stays so, its decisions go on; one that is closed or
// signed stays that.
func (t *tx) holdCampaign(ctx context.Context, c *schema.Campaign, wanted schema.Spending, over []schema.Overrun) error {
	scope := batchScope{schema.BatchOfAccessReview, string(c.ID), c.Review}
	id, held, err := t.heldBatch(ctx, scope)
	if err != nil {
		return err
	}
	if held {
		err = t.resizeBatch(ctx, *c, id, wanted.Accounts, over)
	} else if id, err = t.holdRemovals(ctx, *c, scope, wanted, over); err == nil {
		err = t.changeOne(ctx, `update batch set overruns = @over where id = @id`, args{"id": id, "over": over})
	}
	if err != nil {
		return err
	}
	c.BatchID, c.Overruns = id, over
	if c.State == schema.CampaignRemoving {
		return t.moveCampaign(ctx, c, schema.CampaignHeld, `, batch_id = @batch, overruns = @overruns`, args{"batch": id, "overruns": over})
	}
	return t.changeOne(ctx, `update campaign set batch_id = @batch, overruns = @overruns where id = @id`, args{"id": c.ID, "batch": id, "overruns": over})
}

// resizeBatch notes how many a held batch holds now, and what it is over. When somebody
// joined it, earlier releases count no more, also when as many left it.
func (t *tx) resizeBatch(ctx context.Context, c schema.Campaign, id schema.BatchID, to int, over []schema.Overrun) error {
	other, err := scalar[bool](ctx, t, `select b.size <> @to or b.overruns <> @over::jsonb or `+grown+` from batch b where b.id = @id`,
		args{"id": id, "campaign": c.ID, "to": to, "over": over})
	if err != nil || !other {
		return err
	}
	t.recordOverBudget(c, id, to, over)
	a, err := t.overBudgetAlarm(ctx, c, id, to, over)
	if err != nil {
		return err
	}
	err = t.run(ctx, `update alarm set message = @message where cleared_at is null and code = @code and campaign_id = @campaign`,
		args{"message": a.Message, "code": a.Code, "campaign": c.ID})
	if err != nil {
		return err
	}
	return t.run(ctx, `update batch b set size = @to, overruns = @over, grown_at = case when b.size < @to or `+grown+` then clock_timestamp() else b.grown_at end
		where b.id = @id and b.state = 'held'`, args{"id": id, "campaign": c.ID, "to": to, "over": over})
}

// grown says that something was planned since a batch, b, was counted.
const grown = `exists (select 1 from campaign_removal m where m.campaign_id = @campaign and m.state = 'planned' and m.updated_at > b.grown_at)`

func (t *tx) recordOverBudget(c schema.Campaign, id schema.BatchID, accounts int, over []schema.Overrun) {
	t.recordCampaign(c, engine(), "campaign.over_budget", map[string]string{"batch": string(id), "limits": limitsOf(over), "accounts": strconv.Itoa(accounts)})
}

// overBudgetAlarm says what a batch holds and the worst limit that it is over.
func (t *tx) overBudgetAlarm(ctx context.Context, c schema.Campaign, id schema.BatchID, accounts int, over []schema.Overrun) (schema.Alarm, error) {
	worst := worstOf(over)
	names, err := t.connectionNames(ctx, []schema.Overrun{worst})
	return schema.Alarm{
		AccessReviewID: c.ReviewID, CampaignID: c.ID, Code: schema.AlarmOverBudget,
		Message: fmt.Sprintf("a campaign of %s would remove access of %d more accounts and is over budget (%s): none of them starts",
			c.Review, accounts, overrunText(worst, names[worst.Subject])),
		Fix: "look at it with sendoff review show " + string(c.ID) + "; two people release batch " + string(id) + ", one discards it",
	}, err
}

func (t *tx) holdRemovals(ctx context.Context, c schema.Campaign, scope batchScope, wanted schema.Spending, over []schema.Overrun) (schema.BatchID, error) {
	worst, b := worstOf(over), schema.Batch{Size: wanted.Accounts}
	if worst.Limit != schema.LimitBytes {
		b.Started, b.Allowed, b.Limit.Number = int(worst.Used), int(worst.Allowed), int(worst.Allowed)
	}
	switch worst.Limit {
	case schema.LimitPerDay, schema.LimitConnection, schema.LimitEngine, schema.LimitEngineConn:
		b.Limit.Window = budgetWindow
	}
	id, err := t.holdBatch(ctx, scope, b)
	if err != nil {
		return "", err
	}
	t.recordOverBudget(c, id, wanted.Accounts, over)
	a, err := t.overBudgetAlarm(ctx, c, id, wanted.Accounts, over)
	if err != nil {
		return "", err
	}
	if err := t.raiseAlarm(ctx, a); err != nil {
		return "", err
	}
	if err := t.noticeOwner(ctx, c); err != nil {
		return "", err
	}
	return id, t.notice(ctx, schema.NoticeBatchHeld, noticeAbout{batchID: id})
}
