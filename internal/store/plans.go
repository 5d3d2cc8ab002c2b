package store

import (
	"context"
	"strconv"
	"strings"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// planRow is a plan with what only the store needs of it.
type planRow struct {
	schema.Plan
	// SupersededBy is the plan that took over; "" = none did.
	SupersededBy schema.PlanID
}

// stepRow is a step with the plan it belongs to.
type stepRow struct {
	PlanID schema.PlanID
	schema.Step
}

// loadPlans reads the plans that the condition over plan p selects, in the
// order they were made. Snapshots can be long; lists leave them out.
func loadPlans(ctx context.Context, q querier, condition string, a args, snapshots bool) ([]planRow, error) {
	snapshot, deep := `null::jsonb`, `null::jsonb`
	if snapshots {
		snapshot, deep = `p.snapshot`, `p.deep`
	}
	plans, err := all[planRow](ctx, q, `select p.id, p.case_id, p.connection_id, p.account_id, p.rank, p.state, p.hash, p.facts,
			p.template, null::jsonb as steps, p.current_step, p.fence, p.approvals,
			(select count(*) from plan_approval y where y.plan_id = p.id and y.hash = p.hash) as approved,
			p.cause, p.prior_status, `+snapshot+` as snapshot, `+deep+` as deep, p.wait_until, p.delete_tries, p.memberships, p.reactivate, p.window_open,
			p.created_at, p.updated_at, p.stopping, p.superseded_by
		from plan p where `+condition+` order by p.id`, a)
	if err != nil || len(plans) == 0 {
		return nil, err
	}
	byID := make(map[schema.PlanID]*planRow, len(plans))
	ids := make([]schema.PlanID, len(plans))
	for i := range plans {
		ids[i] = plans[i].ID
		byID[ids[i]] = &plans[i]
	}
	steps, err := all[stepRow](ctx, q, `select plan_id, index, kind, wait_seconds, params, state, started_at, finished_at, proof
		from plan_step where plan_id = any(@ids) order by plan_id, index`, args{"ids": ids})
	for _, s := range steps {
		p := byID[s.PlanID]
		p.Steps = append(p.Steps, s.Step)
	}
	return plans, err
}

func loadPlan(ctx context.Context, q querier, id schema.PlanID, snapshot bool) (planRow, error) {
	plans, err := loadPlans(ctx, q, `p.id = @id`, args{"id": id}, snapshot)
	if err == nil && len(plans) == 0 {
		err = notFound("plan", string(id))
	}
	if err != nil {
		return planRow{}, err
	}
	return plans[0], nil
}

// lockPlan locks a plan and reads it, without its snapshot. The read is a
// statement of its own, because only its snapshot of the database is as new as
// the lock.
func (t *tx) lockPlan(ctx context.Context, id schema.PlanID) (planRow, error) {
	if err := t.run(ctx, `select 1 from plan where id = @id for no key update`, args{"id": id}); err != nil {
		return planRow{}, err
	}
	return loadPlan(ctx, t, id, false)
}

// Plan returns a plan with its steps and snapshot.
func (s *Store) Plan(ctx context.Context, id schema.PlanID) (schema.Plan, error) {
	p, err := loadPlan(ctx, s.pool, id, true)
	return p.Plan, translate("read plan", err)
}

// CasePlans returns the plans of a case, in the order they were made.
func (s *Store) CasePlans(ctx context.Context, id schema.CaseID) ([]schema.Plan, error) {
	rows, err := loadPlans(ctx, s.pool, `p.case_id = @id`, args{"id": id}, true)
	return plainPlans(rows), translate("read plans", err)
}

func plainPlans(rows []planRow) []schema.Plan {
	plans := make([]schema.Plan, len(rows))
	for i, r := range rows {
		plans[i] = r.Plan
	}
	return plans
}

// OpenPlanOf returns the open plan of the vendor's account, over whatever
// connection to its enterprise, and whether there is one.
func (s *Store) OpenPlanOf(ctx context.Context, c schema.ConnectionID, id schema.ExternalID) (schema.Plan, bool, error) {
	rows, err := loadPlans(ctx, s.pool, `p.state not in ('done', 'cancelled', 'superseded') and p.account_id in
		(select a.id from account a where a.external_id = @id and a.connection_id in `+enterpriseConnections+`)`,
		args{"connection": c, "id": id}, true)
	if err != nil || len(rows) == 0 {
		return schema.Plan{}, false, translate("read plan", err)
	}
	return rows[0].Plan, true, nil
}

// PlannedBytes sums what the connection's open plans will still bring to the
// receiver, in bytes: what was counted at the source when the plan was made or
// its snapshot taken, what the last read of a running transfer showed, and
// nothing once it is settled.
func (s *Store) PlannedBytes(ctx context.Context, c schema.ConnectionID, receiver schema.ExternalID) (int64, error) {
	sum, err := scalar[int64](ctx, s.pool, `select coalesce(sum(case
			when t.plan_id is null then p.planned_bytes
			when t.state in ('proven', 'presumed', 'skipped') then 0
			else t.bytes_left end), 0)::bigint
		from plan p left join transfer t on t.plan_id = p.id
		where p.connection_id = @connection and p.state not in ('done', 'cancelled', 'superseded')
		and coalesce(t.receiver, p.facts->>'receiver') = @receiver`, args{"connection": c, "receiver": receiver})
	return sum, translate("sum planned bytes", err)
}

// ReplacePlan renews the facts of a plan that has not ended, the hash of plan
// and case, and the steps not begun. Its approvals were for the old hash and do
// not count for the new one; those of the case's other plans stay.
func (s *Store) ReplacePlan(ctx context.Context, id schema.PlanID, facts schema.Facts, drift []string) (schema.Plan, error) {
	var replaced planRow
	err := s.inTx(ctx, "renew plan", func(ctx context.Context, t *tx) error {
		if err := t.lockCaseOf(ctx, id); err != nil {
			return err
		}
		p, err := t.lockPlan(ctx, id)
		if err != nil {
			return err
		}
		if p.State.Ended() {
			return stopped(p)
		}
		if facts.Hash() != p.Hash {
			if err := t.replaceFacts(ctx, p, facts, drift); err != nil {
				return err
			}
		}
		replaced, err = loadPlan(ctx, t, id, true)
		return err
	})
	return replaced.Plan, err
}

func (t *tx) replaceFacts(ctx context.Context, p planRow, facts schema.Facts, drift []string) error {
	begun := map[int]bool{} // or waived before that
	for _, step := range p.Steps {
		if step.State == schema.StepPending {
			continue
		}
		if step.Index >= len(facts.Steps) || !facts.Steps[step.Index].Equal(step.Fact()) {
			return conflict("the plan's new facts change step "+strconv.Itoa(step.Index)+", which has begun", "cancel the case and offboard again")
		}
		begun[step.Index] = true
	}
	if err := t.run(ctx, `delete from plan_step where plan_id = @id and state = 'pending'`, args{"id": p.ID}); err != nil {
		return err
	}
	for i, step := range facts.Steps {
		if begun[i] {
			continue
		}
		if err := t.run(ctx, insertStep, stepArgs(p.ID, step.Step(i))); err != nil {
			return err
		}
	}
	err := t.changeOne(ctx, `update plan set facts = @facts, hash = @hash, updated_at = @now where id = @id`,
		args{"id": p.ID, "facts": facts, "hash": facts.Hash(), "now": t.now})
	if err != nil {
		return err
	}
	t.recordPlan(p, engine(), "plan.replaced", map[string]string{
		"drift": strings.Join(drift, ","), "old_hash": p.Hash, "new_hash": facts.Hash(), "approvals_void": strconv.Itoa(p.Approved),
	})
	return t.renewCaseHash(ctx, p.CaseID)
}

const insertStep = `insert into plan_step (plan_id, index, kind, wait_seconds, params, state)
	values (@plan_id, @index, @kind, @wait_seconds, @params, 'pending')`

func stepArgs(id schema.PlanID, step schema.Step) args {
	return args{"plan_id": id, "index": step.Index, "kind": step.Kind, "wait_seconds": step.WaitSeconds, "params": step.Params}
}

// move changes the plan's state, if it is another, and leaves what belonged to
// the old one behind: the cause of parking and the instant waited for.
func (t *tx) move(ctx context.Context, p *planRow, to schema.PlanState) error {
	if p.State == to {
		return nil
	}
	if !p.State.CanMove(to) {
		return conflict("plan "+string(p.ID)+" is "+string(p.State)+" and cannot become "+string(to), "look at the case again")
	}
	err := t.changeOne(ctx, `update plan set state = @to, cause = null, wait_until = null, updated_at = @now
		where id = @id and state = @from`, args{"id": p.ID, "from": p.State, "to": to, "now": t.now})
	p.State, p.Cause = to, nil
	return err
}

// ParkPlan parks a plan with its cause. Repeating it with the same code is no
// change; another code takes the place of the first. CodeStopped when it ended or
// is being cancelled: what stood in its way forward does not stand in its undo's.
func (s *Store) ParkPlan(ctx context.Context, id schema.PlanID, cause schema.Cause) error {
	return s.park(ctx, id, cause, false)
}

// ParkUndo is ParkPlan for a plan whose undo needs an operator: it goes on
// cancelling when it is resumed.
func (s *Store) ParkUndo(ctx context.Context, id schema.PlanID, cause schema.Cause) error {
	return s.park(ctx, id, cause, true)
}

func (s *Store) park(ctx context.Context, id schema.PlanID, cause schema.Cause, undo bool) error {
	return s.inTx(ctx, "park plan", func(ctx context.Context, t *tx) error {
		p, err := t.lockPlan(ctx, id)
		if err != nil {
			return err
		}
		if p.State.Ended() || (p.State == schema.PlanCancelling && !undo) {
			return stopped(p)
		}
		if p.State == schema.PlanParked && p.Cause != nil && p.Cause.Code == cause.Code {
			return nil
		}
		if cause.At.IsZero() {
			cause.At = t.now
		}
		from := p.State
		if err := t.move(ctx, &p, schema.PlanParked); err != nil {
			return err
		}
		t.recordPlan(p, engine(), "plan.parked", map[string]string{"from": string(from), "code": string(cause.Code), "step": string(cause.Step)})
		if err := t.noticeParked(ctx, p, from, cause); err != nil {
			return err
		}
		return t.changeOne(ctx, `update plan set cause = @cause, updated_at = @now where id = @id`,
			args{"id": id, "cause": cause, "now": t.now})
	})
}

// EndPlan moves a plan to done, when all its steps are done or skipped, or from
// cancelling to cancelled. A cancelling plan ends done only when its account is
// deleted; before that CodeStopped asks for the undo. Whatever lane it still holds is freed. It refuses to
// end a plan whose transfer was sent and is not settled: the vendor may still
// be moving content. One that stalled, which an operator gave up, may end.
func (s *Store) EndPlan(ctx context.Context, id schema.PlanID, to schema.PlanState) error {
	return s.inTx(ctx, "end plan", func(ctx context.Context, t *tx) error {
		p, err := t.lockPlan(ctx, id)
		if err != nil || p.State == to {
			return err
		}
		switch to {
		case schema.PlanDone:
			if err = checkAllStepsFinished(p); err == nil && p.State == schema.PlanCancelling && !deleted(p) {
				err = stopped(p) // there is something to give back
			}
		case schema.PlanCancelled:
			if p.State == schema.PlanParked && p.Stopping {
				err = t.move(ctx, &p, schema.PlanCancelling)
			}
			if err == nil && p.State != schema.PlanCancelling {
				err = conflict("plan "+string(id)+" is "+string(p.State)+" and nobody cancelled it", "cancel the case first")
			}
		default:
			err = conflict("a plan does not end as "+string(to), "end it as done or cancelled")
		}
		if err != nil {
			return err
		}
		return t.end(ctx, p, to)
	})
}

// deleted tells whether the plan deleted its account: then a cancel came too late.
func deleted(p planRow) bool {
	step, ok := p.StepOf(schema.StepDelete)
	return ok && step.State == schema.StepDone
}

func checkAllStepsFinished(p planRow) error {
	for _, step := range p.Steps {
		if !step.State.Finished() {
			return conflict("step "+strconv.Itoa(step.Index)+" ("+string(step.Kind)+") is "+string(step.State)+", so the plan is not done", "finish the step, or cancel the case")
		}
	}
	return nil
}

func (t *tx) end(ctx context.Context, p planRow, to schema.PlanState) error {
	details := map[string]string{"from": string(p.State), "to": string(to)}
	tr, ok, err := loadTransfer(ctx, t, p.ID)
	if err != nil {
		return err
	}
	if ok {
		details["transfer"] = string(tr.State)
		if tr.State == schema.TransferSent || tr.State == schema.TransferSettling {
			return conflict("the plan's transfer is "+string(tr.State)+": the vendor may still be moving content", "wait until it is settled")
		}
		if err := t.freeLane(ctx, tr); err != nil {
			return err
		}
	}
	if err := t.move(ctx, &p, to); err != nil {
		return err
	}
	t.recordPlan(p, engine(), "plan."+string(to), details)
	err = t.run(ctx, `update plan_step set state = 'cancelled', finished_at = @now
		where plan_id = @id and state in ('pending', 'running')`, args{"id": p.ID, "now": t.now})
	if err != nil {
		return err
	}
	return t.removalsOfEnded(ctx, p)
}

// lockCaseOf locks the case of a plan, which comes before the plan itself.
func (t *tx) lockCaseOf(ctx context.Context, id schema.PlanID) error {
	return t.run(ctx, `select 1 from lifecycle_case where id = (select case_id from plan where id = @id) for no key update`, args{"id": id})
}

// renewCaseHash computes the hash of a locked case from its plans' hashes.
func (t *tx) renewCaseHash(ctx context.Context, id schema.CaseID) error {
	hashes, err := scalars[string](ctx, t, `select hash from plan where case_id = @id`, args{"id": id})
	if err != nil {
		return err
	}
	return t.changeOne(ctx, `update lifecycle_case set hash = @hash where id = @id`, args{"id": id, "hash": schema.CaseHash(hashes)})
}

// CloseCase marks a case closed once all its plans have ended; CodeConflict
// before. Repeating it is no change.
func (s *Store) CloseCase(ctx context.Context, id schema.CaseID) error {
	return s.inTx(ctx, "close case", func(ctx context.Context, t *tx) error {
		c, err := t.lockCase(ctx, id)
		if err != nil || !c.ClosedAt.IsZero() {
			return err
		}
		open, err := scalar[int](ctx, t, `select count(*) from plan
			where case_id = @id and state not in ('done', 'cancelled', 'superseded')`, args{"id": id})
		if err != nil {
			return err
		}
		if open > 0 {
			return conflict(strconv.Itoa(open)+" plans of the case are open", "wait for their end, or cancel the case")
		}
		t.record(audit.CaseStream(string(id)), engine(), "case.closed", audit.Subject{CaseID: string(id)}, nil)
		if err := t.tellLeavers(ctx, id); err != nil {
			return err
		}
		if err := t.noticeClosed(ctx, id); err != nil {
			return err
		}
		return t.changeOne(ctx, `update lifecycle_case set closed_at = @now where id = @id`, args{"id": id, "now": t.now})
	})
}
