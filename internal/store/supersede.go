package store

import (
	"context"
	"fmt"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// takeover is a plan of a higher cause in the place of a running one.
type takeover struct {
	old planRow
	by  schema.PlanID
}

// supersede ends the plans that work on the cases' accounts for a lower cause,
// without undo, and tells their workflows. CodeConflict names those that the new
// cases may not take over from.
func (t *tx) supersede(ctx context.Context, cases []newCase, by schema.Principal) ([]takeover, error) {
	var takeovers []takeover
	busy := &schema.Error{Code: schema.CodeConflict, Message: "other cases work on these accounts", Fix: "wait for their end, or cancel them"}
	for _, c := range cases {
		for _, p := range c.plans {
			old, open, err := t.openPlan(ctx, p.account.Account)
			if err != nil {
				return nil, err
			}
			switch {
			case !open:
			case old.AccountID == p.account.Account.ID && old.YieldsTo(p.rank, p.account.TemplateRecord):
				takeovers = append(takeovers, takeover{old: old, by: p.id})
				if err := t.endSuperseded(ctx, old, c.Case, p.id, by); err != nil {
					return nil, err
				}
			default:
				busy.Problems = append(busy.Problems, schema.Problem{
					Code:    string(schema.Busy),
					Message: fmt.Sprintf("case %s works on account %s", old.CaseID, old.AccountID),
				})
			}
		}
	}
	if len(busy.Problems) > 0 {
		return nil, busy
	}
	return takeovers, nil
}

// openPlan locks and reads the open plan of a vendor's account, over whatever
// connection to its enterprise, with its case before it.
func (t *tx) openPlan(ctx context.Context, a schema.Account) (planRow, bool, error) {
	found, err := scalars[schema.PlanID](ctx, t, `select id from plan
		where state not in ('done', 'cancelled', 'superseded') and account_id in
			(select o.id from account o where o.external_id = @id and o.connection_id in `+enterpriseConnections+`)`,
		args{"id": a.ExternalID, "connection": a.ConnectionID})
	if err != nil || len(found) == 0 {
		return planRow{}, false, err
	}
	if err := t.lockCaseOf(ctx, found[0]); err != nil {
		return planRow{}, false, err
	}
	p, err := t.lockPlan(ctx, found[0])
	return p, err == nil && !p.State.Ended(), err
}

func (t *tx) endSuperseded(ctx context.Context, old planRow, c schema.Case, successor schema.PlanID, by schema.Principal) error {
	from := old
	if err := t.move(ctx, &old, schema.PlanSuperseded); err != nil {
		return err
	}
	t.recordPlan(old, principal(by), "plan.superseded", map[string]string{"from": string(from.State), "by_case": string(c.ID), "by_plan": string(successor)})
	err := t.run(ctx, `update plan_step set state = 'cancelled', finished_at = @now
		where plan_id = @id and state in ('pending', 'running')`, args{"id": old.ID, "now": t.now})
	if err != nil {
		return err
	}
	d := schema.Decision{
		CaseID: old.CaseID, PlanID: old.ID, Kind: schema.DecideSupersede, Reason: "superseded by case " + string(c.ID),
		Principal: by.Name, TokenID: by.TokenID,
	}
	if d.ID, err = newID[schema.DecisionID](); err != nil {
		return err
	}
	if err := t.insertDecision(ctx, d); err != nil {
		return err
	}
	t.record(audit.CaseStream(string(d.CaseID)), principal(by), "decision.supersede",
		audit.Subject{CaseID: string(d.CaseID), PlanID: string(d.PlanID), DecisionID: string(d.ID)}, map[string]string{"by_case": string(c.ID)})
	if err := t.removalsOfEnded(ctx, old); err != nil {
		return err
	}
	return t.announce(ctx, d, []planRow{from})
}

// inherit gives each successor what its predecessor found and did: snapshot,
// status and memberships before, journal of writes, and the transfer with its
// attempts. It keeps the lanes of a request that may be at the vendor.
func (t *tx) inherit(ctx context.Context, takeovers []takeover) error {
	for _, o := range takeovers {
		if err := t.handOverTransfer(ctx, o); err != nil {
			return err
		}
		for _, sql := range []string{
			`update plan n set snapshot = o.snapshot, prior_status = o.prior_status, memberships = o.memberships,
				reactivate = o.reactivate, window_open = o.window_open, delete_tries = o.delete_tries
			from plan o where n.id = @new and o.id = @old`,
			`update plan set window_open = null, superseded_by = @new where id = @old`,
			`update vendor_write set plan_id = @new where plan_id = @old`,
		} {
			if err := t.run(ctx, sql, args{"old": o.old.ID, "new": o.by}); err != nil {
				return err
			}
		}
		successor, err := loadPlan(ctx, t, o.by, false)
		if err != nil {
			return err
		}
		t.recordPlan(successor, engine(), "plan.inherited", map[string]string{"from_plan": string(o.old.ID), "from_case": string(o.old.CaseID)})
	}
	return nil
}

// handOverTransfer gives a successor the transfer of its predecessor. One of which
// nothing is on its way gives up its lanes or its place in the queue, for the
// successor may begin weeks later; one that an operator had left out in the old
// plan is open in the new one.
func (t *tx) handOverTransfer(ctx context.Context, o takeover) error {
	tr, ok, err := loadTransfer(ctx, t, o.old.ID)
	if err != nil || !ok {
		return err
	}
	if err := t.lockLanes(ctx, tr.ConnectionID); err != nil {
		return err
	}
	a := args{"old": o.old.ID, "new": o.by}
	switch tr.State {
	case schema.TransferIntended, schema.TransferBusy:
		if err := t.moveTransfer(ctx, &tr, schema.TransferWaiting); err != nil {
			return err
		}
		fallthrough
	case schema.TransferWaiting:
		if err := t.freeLane(ctx, tr); err != nil {
			return err
		}
	}
	for _, sql := range []string{
		`insert into transfer (plan_id, connection_id, source, receiver, receiver_id, state, attempts, bytes_before, bytes_left,
			witness_total, witness_found, folder_ids, sent_at, ended_at, clear_since, moved_at, last_read_at,
			last_outcome, last_cause, updated_at)
		select @new, connection_id, source, receiver, receiver_id, case when state <> 'given_up' then state
				when exists (` + attemptOpen + ` and y.plan_id = @old) then 'stalled' else 'waiting' end, attempts, bytes_before, bytes_left,
			witness_total, witness_found, folder_ids, sent_at, ended_at, clear_since, moved_at, last_read_at,
			last_outcome, last_cause, updated_at from transfer where plan_id = @old`,
		`update transfer_attempt set plan_id = @new where plan_id = @old`,
		`update transfer_party set plan_id = @new where plan_id = @old`,
	} {
		if err := t.run(ctx, sql, a); err != nil {
			return err
		}
	}
	return nil
}

// heirOf locks and returns the plan that carries on what a locked plan began: the
// last of those that took over, or the plan itself.
func (t *tx) heirOf(ctx context.Context, p planRow) (planRow, error) {
	for p.SupersededBy != "" {
		heir, err := t.lockPlan(ctx, p.SupersededBy)
		if err != nil {
			return p, err
		}
		p = heir
	}
	return p, nil
}
