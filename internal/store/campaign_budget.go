package store

import (
	"context"
	"fmt"
	"strconv"

	"sendoff/schema"
)

// shuts tells whether a plan takes an account itself away: what only takes it out of
// groups or gives it another role leaves a privileged account one that somebody uses.
const shuts = `jsonb_path_exists(m.facts, '$.steps[*] ? (@.kind == "suspend" || @.kind == "transfer" || @.kind == "delete")')`

// removalSums sum the removals m of a campaign by connection.
const removalSums = `select a.connection_id, count(*)::int as accounts,
		(count(*) filter (where a.role in ('coadmin', 'admin') and ` + shuts + `))::int as privileged, coalesce(sum(m.bytes), 0)::bigint as bytes
	from campaign_removal m join account a on a.id = m.account_id where m.campaign_id = @id and m.state = any(@states) group by a.connection_id`

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
		if c.State != schema.CampaignOpen && c.State != schema.CampaignRemoving {
			return staleCampaign(c)
		}
		wanted, err := t.sumRemovals(ctx, id, schema.RemovalPlanned)
		if err != nil || wanted.Accounts == 0 {
			return err
		}
		over, err := t.removalOverruns(ctx, c, wanted)
		if err != nil {
			return err
		}
		if len(over) > 0 {
			return t.holdCampaign(ctx, &c, wanted, over)
		}
		return t.readyRemovals(ctx, c)
	})
	return c, err
}

func (t *tx) sumRemovals(ctx context.Context, id schema.CampaignID, states ...schema.RemovalState) (schema.Spending, error) {
	sum := schema.Spending{Connection: map[schema.ConnectionID]int{}}
	rows, err := all[struct {
		ConnectionID         schema.ConnectionID
		Accounts, Privileged int
		Bytes                int64
	}](ctx, t, removalSums, args{"id": id, "states": states})
	for _, r := range rows {
		sum.Accounts += r.Accounts
		sum.Privileged += r.Privileged
		sum.Bytes += r.Bytes
		sum.Connection[r.ConnectionID] = r.Accounts
	}
	return sum, err
}

// removalOverruns are the limits that planned removals exceed: those of one campaign
// with all that it took before, those of a day with what everybody used.
func (t *tx) removalOverruns(ctx context.Context, c schema.Campaign, wanted schema.Spending) ([]schema.Overrun, error) {
	limits, err := t.lockEngineBudget(ctx)
	if err != nil {
		return nil, err
	}
	budget, err := one[schema.Budget](ctx, t, `select coalesce((rule->'effect'->'budget'->>'per_run')::int, 0) as per_run,
			coalesce((rule->'effect'->'budget'->>'per_day')::int, 0) as per_day, coalesce((rule->'effect'->'budget'->>'connection')::int, 0) as connection,
			coalesce((rule->'effect'->'budget'->>'percent')::int, 0) as percent, coalesce((rule->'effect'->'budget'->>'bytes')::bigint, 0) as bytes,
			coalesce((rule->'effect'->'budget'->>'privileged')::int, 0) as privileged
		from access_review_version where review_id = @review and version = @version`, args{"review": c.ReviewID, "version": c.Version})
	if err != nil {
		return nil, err
	}
	released, looked, err := t.releasedOf(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	whole, err := t.sumRemovals(ctx, c.ID, schema.RemovalPlanned, schema.RemovalReady, schema.RemovalStarted, schema.RemovalDone)
	if err != nil {
		return nil, err
	}
	if whole.Accounts <= released {
		return nil, nil
	}
	used, err := t.reviewUsed(ctx, c.ReviewID)
	if err != nil {
		return nil, err
	}
	run := schema.Budget{PerRun: budget.PerRun, Percent: budget.Percent, Bytes: budget.Bytes, Privileged: budget.Privileged}
	day := schema.Budget{PerDay: budget.PerDay, Connection: budget.Connection, Privileged: wanted.Privileged}
	over := run.Overruns(schema.EngineBudget{}, looked, whole, schema.BudgetUsed{})
	return append(over, day.Overruns(limits, looked, wanted, used)...), nil
}

// releasedOf is how many accounts two principals released, and how many the
// campaign looked at.
func (t *tx) releasedOf(ctx context.Context, id schema.CampaignID) (released int, looked int64, err error) {
	row, err := one[struct {
		Released int
		Looked   int64
	}](ctx, t, `select c.released, (select count(distinct account_id) from campaign_item i where i.campaign_id = c.id) as looked
		from campaign c where c.id = @id`, args{"id": id})
	return row.Released, row.Looked, err
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

// readyRemovals takes what planned removals use, and lets them start.
func (t *tx) readyRemovals(ctx context.Context, c schema.Campaign) error {
	err := t.run(ctx, `insert into budget_use (id, used_at, door, campaign_id, connection_id, accounts, privileged, bytes)
		select gen_random_uuid(), @now, @door, @id, s.connection_id, s.accounts, s.privileged, s.bytes from (`+removalSums+`) s`,
		args{"now": t.now, "door": schema.DoorAccessReview, "id": c.ID, "states": []schema.RemovalState{schema.RemovalPlanned}})
	if err != nil {
		return err
	}
	ids, err := scalars[schema.RemovalID](ctx, t, `update campaign_removal set state = 'ready', updated_at = @now
		where campaign_id = @id and state = 'planned' returning id`, args{"now": t.now, "id": c.ID})
	if err != nil {
		return err
	}
	t.recordCampaign(c, engine(), "campaign.budget_taken", map[string]string{"accounts": strconv.Itoa(len(ids))})
	return nil
}

// giveBack returns what one account took of the budgets.
func (t *tx) giveBack(ctx context.Context, m schema.Removal) error {
	return t.run(ctx, `update budget_use u set accounts = u.accounts - 1, bytes = greatest(0, u.bytes - @bytes)
		where u.id = (select b.id from budget_use b join account a on a.connection_id = b.connection_id
			where b.campaign_id = @campaign and a.id = @account and b.accounts > 0 order by b.used_at desc limit 1)`,
		args{"campaign": m.CampaignID, "account": m.AccountID, "bytes": m.Bytes})
}

// holdCampaign holds planned removals that are over budget: with one alarm and one
// notice. A campaign that is open stays so; its decisions go on.
func (t *tx) holdCampaign(ctx context.Context, c *schema.Campaign, wanted schema.Spending, over []schema.Overrun) error {
	scope := batchScope{schema.BatchOfAccessReview, string(c.ID), c.Review}
	id, held, err := t.heldBatch(ctx, scope)
	if err != nil {
		return err
	}
	if held {
		if err := t.resizeBatch(ctx, id, wanted.Accounts); err != nil {
			return err
		}
	} else if id, err = t.holdRemovals(ctx, *c, scope, wanted, over); err != nil {
		return err
	}
	c.BatchID, c.Overruns = id, over
	if c.State == schema.CampaignRemoving {
		return t.moveCampaign(ctx, c, schema.CampaignHeld, `, batch_id = @batch, overruns = @overruns`, args{"batch": id, "overruns": over})
	}
	return t.changeOne(ctx, `update campaign set batch_id = @batch, overruns = @overruns where id = @id`, args{"id": c.ID, "batch": id, "overruns": over})
}

// resizeBatch notes how many a held batch holds now: of one that grew, earlier
// releases count no more.
func (t *tx) resizeBatch(ctx context.Context, id schema.BatchID, to int) error {
	return t.run(ctx, `update batch set size = @to, grown_at = case when @to > size then clock_timestamp() else grown_at end
		where id = @id and state = 'held' and size <> @to`, args{"id": id, "to": to})
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
	names, err := t.connectionNames(ctx, []schema.Overrun{worst})
	if err != nil {
		return "", err
	}
	t.recordCampaign(c, engine(), "campaign.over_budget", map[string]string{"batch": string(id), "limits": limitsOf(over), "accounts": strconv.Itoa(wanted.Accounts)})
	err = t.raiseAlarm(ctx, schema.Alarm{
		AccessReviewID: c.ReviewID, Code: schema.AlarmOverBudget,
		Message: fmt.Sprintf("a campaign of %s would remove access of %d accounts and is over budget (%s): none of them starts",
			c.Review, wanted.Accounts, overrunText(worst, names[worst.Subject])),
		Fix: "look at it with sendoff review show " + string(c.ID) + "; two people release batch " + string(id) + ", one discards it",
	})
	if err != nil {
		return "", err
	}
	return id, t.notice(ctx, schema.NoticeBatchHeld, noticeAbout{batchID: id})
}

// refuseOfCampaign refuses a principal whose own access is among what a batch
// would remove.
func (t *tx) refuseOfCampaign(ctx context.Context, b batchRow, by schema.Principal) error {
	if by.Email == "" {
		return nil
	}
	person, err := t.personOf(ctx, by)
	if err != nil {
		return err
	}
	in, err := scalar[bool](ctx, t, `select exists (select 1 from campaign_removal m join account a on a.id = m.account_id
		where m.campaign_id = @id and m.state = 'planned' and (a.person_id = @person or a.login_key = lower(@email)))`,
		args{"id": b.ScopeID, "person": person, "email": by.Email})
	if err == nil && in {
		err = &schema.Error{Code: schema.CodeForbidden, Message: "nobody decides about removals that they are in", Fix: "let others do it"}
	}
	return err
}

// endHoldingCampaign lets the removals that a batch held start, or refuses them.
func (t *tx) endHoldingCampaign(ctx context.Context, b batchRow, to schema.BatchState) error {
	c, err := t.lockCampaign(ctx, schema.CampaignID(b.ScopeID))
	if err != nil {
		return err
	}
	if to == schema.BatchReleased {
		err = t.releaseCampaign(ctx, c, b)
	} else {
		err = t.discardCampaign(ctx, c)
	}
	if err != nil {
		return err
	}
	err = t.run(ctx, `update alarm set cleared_at = @now where access_review_id = @review and code = @code and cleared_at is null`,
		args{"now": t.now, "review": c.ReviewID, "code": schema.AlarmOverBudget})
	if err != nil {
		return err
	}
	if c.State == schema.CampaignHeld {
		if err := t.moveCampaign(ctx, &c, schema.CampaignRemoving, `, overruns = '[]'`, args{}); err != nil {
			return err
		}
	}
	return t.tellCampaign(ctx, c.ID)
}

// releaseCampaign lets so many accounts over the limits as the batch had.
func (t *tx) releaseCampaign(ctx context.Context, c schema.Campaign, b batchRow) error {
	if _, err := t.lockEngineBudget(ctx); err != nil { // who counts at the same time sees what was released
		return err
	}
	whole, err := t.sumRemovals(ctx, c.ID, schema.RemovalPlanned, schema.RemovalReady, schema.RemovalStarted, schema.RemovalDone)
	if err != nil {
		return err
	}
	t.recordCampaign(c, engine(), "campaign.released", map[string]string{"batch": string(b.ID), "accounts": strconv.Itoa(whole.Accounts), "limits": limitsOf(c.Overruns)})
	if err := t.changeOne(ctx, `update campaign set released = @n where id = @id`, args{"n": whole.Accounts, "id": c.ID}); err != nil {
		return err
	}
	return t.readyRemovals(ctx, c)
}

func (t *tx) discardCampaign(ctx context.Context, c schema.Campaign) error {
	ids, err := scalars[schema.RemovalID](ctx, t, `select id from campaign_removal where campaign_id = @id and state = 'planned' order by id`, args{"id": c.ID})
	if err != nil {
		return err
	}
	for _, id := range ids {
		m, err := t.lockRemoval(ctx, id)
		if err != nil {
			return err
		}
		if err := t.moveRemoval(ctx, c, &m, schema.RemovalRefused, `, why = 'its batch was discarded'`, args{}); err != nil {
			return err
		}
	}
	return nil
}
