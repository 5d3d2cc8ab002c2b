package store

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// fenceGeneration is how far a recovery raises each fence: further than any run
// from before the restore can be, so that all of those are overtaken.
const fenceGeneration = 1 << 20

// recoveredOutcome is what the attempts and writes say whose answer a restore lost.
const recoveredOutcome = "the database was restored to a state before this was answered or sent"

// RecoverOptions say why and how to recover.
type RecoverOptions struct {
	Reason string
	// NothingLost accepts the database as it is: it was moved or promoted, and
	// nothing that was committed is missing.
	NothingLost bool
	// DryRun tells what would be done and does nothing.
	DryRun bool
	// AllowSessions goes on beside other sessions of the database.
	AllowSessions bool
}

// errDryRun takes back a recovery that was only looked at.
var errDryRun = errors.New("dry run")

// recoverer is the actor of a recovery: whoever may use the host.
func recoverer() audit.Actor { return audit.Actor{Kind: audit.ActorEngine, Name: "recover"} }

// Recover makes a database that was restored from a backup safe to work with, in
// one transaction. What may have been sent after the backup counts as sent: open
// transfers settle by evidence or wait for an operator, writes without outcome
// become unknown. Every connection becomes read-only and the engine is paused.
// The fences of open plans go beyond any run from before, and outbox rows have
// the workflows started anew from their rows. CodeConflict while other sessions
// use the database, CodeInvalid without a reason.
func (s *Store) Recover(ctx context.Context, o RecoverOptions) (schema.Recovery, error) {
	var done schema.Recovery
	if o.Reason == "" {
		return done, &schema.Error{Code: schema.CodeInvalid, Message: "a recovery needs a reason", Fix: "say which backup was restored and why"}
	}
	err := s.inTx(ctx, "recover", func(ctx context.Context, t *tx) error {
		done = schema.Recovery{Done: !o.DryRun, Connections: []string{}, Transfers: []schema.RecoveredTransfer{}}
		if err := t.refuseSessions(ctx, o.AllowSessions); err != nil {
			return err
		}
		if err := t.recover(ctx, o, &done); err != nil {
			return err
		}
		if o.DryRun {
			return errDryRun
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return done, err
}

// refuseSessions refuses while anybody else uses the database: a server or worker
// would work on rows that change under it.
func (t *tx) refuseSessions(ctx context.Context, allowed bool) error {
	others, err := scalars[string](ctx, t, `select pid || ' (' || usename || coalesce(', ' || nullif(application_name, ''), '') || ')'
		from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and usename is not null
		and coalesce(backend_type, 'client backend') = 'client backend' order by pid`, nil)
	if err != nil || allowed || len(others) == 0 {
		return err
	}
	return conflict("other sessions use the database: "+strings.Join(others, ", "),
		"stop every server and worker; if these sessions are none of sendoff's, repeat with --allow-sessions")
}

func (t *tx) recover(ctx context.Context, o RecoverOptions, done *schema.Recovery) error {
	var err error
	if done.CheckpointSize, err = scalar[int64](ctx, t, `select coalesce(max(size), 0) from audit_checkpoint`, nil); err != nil {
		return err
	}
	if err := t.recordIdentity(ctx); err != nil {
		return err
	}
	if o.NothingLost {
		t.recordRecovery("engine.moved", o, done)
		return nil
	}
	if err := t.closeConnections(ctx, o, done); err != nil {
		return err
	}
	if err := t.recoverPlans(ctx, done); err != nil {
		return err
	}
	t.recordRecovery("engine.restored", o, done)
	return t.pauseForRecovery(ctx, o)
}

func (t *tx) recordRecovery(action string, o RecoverOptions, done *schema.Recovery) {
	t.record(audit.SystemStream, recoverer(), action, audit.Subject{}, map[string]string{
		"reason": o.Reason, "checkpoint_size": strconv.FormatInt(done.CheckpointSize, 10), "plans": strconv.Itoa(done.Plans),
		"transfers": strconv.Itoa(len(done.Transfers)), "writes": strconv.Itoa(done.Writes), "connections": strconv.Itoa(len(done.Connections)),
	})
}

func (t *tx) pauseForRecovery(ctx context.Context, o RecoverOptions) error {
	reason := "restored from a backup: " + o.Reason
	t.record(audit.SystemStream, recoverer(), "engine.paused", audit.Subject{}, map[string]string{"reason": reason})
	return t.changeOne(ctx, `update engine_switch set paused = true, reason = @reason, changed_by = 'recover', changed_at = @now`,
		args{"reason": reason, "now": t.now})
}

// closeConnections makes every connection read-only until an admin allows writes.
func (t *tx) closeConnections(ctx context.Context, o RecoverOptions, done *schema.Recovery) error {
	closed, err := all[struct {
		ID   schema.ConnectionID
		Name string
	}](ctx, t, `update connection set read_only = true, version = version + 1, updated_at = @now
		where state <> 'removed' and not read_only returning id, name`, args{"now": t.now})
	for _, c := range closed {
		done.Connections = append(done.Connections, c.Name)
		t.record(audit.ConnectionStream(string(c.ID)), recoverer(), "connection.read_only", audit.Subject{ConnectionID: string(c.ID)},
			map[string]string{"reason": o.Reason})
	}
	slices.Sort(done.Connections)
	if err != nil {
		return err
	}
	return t.doubtGrants(ctx)
}

// recoverPlans takes every open plan in turn, and has every open case's workflow
// start anew behind those of its plans. Messages that were not dispatched are
// overtaken: the new runs read in the rows what they would say.
func (t *tx) recoverPlans(ctx context.Context, done *schema.Recovery) error {
	if err := t.run(ctx, `update outbox set dispatched_at = @now, last_error = 'recovered' where dispatched_at is null`, args{"now": t.now}); err != nil {
		return err
	}
	err := t.run(ctx, `select 1 from (select id from plan where state not in ('done', 'cancelled', 'superseded')
		order by id for no key update) as locked`, nil)
	if err != nil {
		return err
	}
	open, err := loadPlans(ctx, t, `p.state not in ('done', 'cancelled', 'superseded')`, nil, true)
	if err != nil {
		return err
	}
	done.Plans = len(open)
	for _, p := range open {
		if err := t.recoverPlan(ctx, p, done); err != nil {
			return err
		}
	}
	cases, err := scalars[schema.CaseID](ctx, t, `select id from lifecycle_case where closed_at is null order by id`, nil)
	if err != nil {
		return err
	}
	for _, id := range cases {
		if err := t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxRestart, CaseID: id}); err != nil {
			return err
		}
	}
	return t.recoverFlows(ctx)
}

// recoverFlows has every leaver and notice that has not ended looked at: what was
// to be told of them is overtaken with the rest of the outbox.
func (t *tx) recoverFlows(ctx context.Context) error {
	leavers, err := scalars[schema.LeaverID](ctx, t, `select id from leaver where state <> 'ended' order by id`, nil)
	if err != nil {
		return err
	}
	if err := t.tellChanged(ctx, leavers); err != nil {
		return err
	}
	return t.run(ctx, `insert into outbox (kind, notice_id, created_at, next_try_at, traceparent)
		select @kind, id, @now, @now, @traceparent from notice where state = 'pending' order by created_at, id`,
		args{"kind": schema.OutboxNotice, "now": t.now, "traceparent": t.traceparent})
}

func (t *tx) recoverPlan(ctx context.Context, p planRow, done *schema.Recovery) error {
	details := map[string]string{"fence": strconv.FormatInt(p.Fence+fenceGeneration, 10), "state": string(p.State)}
	err := t.changeOne(ctx, `update plan set fence = fence + @raise, updated_at = @now where id = @id`,
		args{"id": p.ID, "raise": fenceGeneration, "now": t.now})
	if err != nil {
		return err
	}
	writes, err := scalars[string](ctx, t, `update vendor_write set outcome = 'unknown', outcome_at = @now
		where plan_id = @id and outcome = '' returning op`, args{"id": p.ID, "now": t.now})
	if err != nil {
		return err
	}
	for _, op := range writes {
		done.Writes++
		t.recordPlan(p, recoverer(), "write.outcome", map[string]string{"op": op, "outcome": schema.WriteUnknown, "reason": recoveredOutcome})
	}
	if err := t.recoverTransfer(ctx, p, done); err != nil {
		return err
	}
	t.recordPlan(p, recoverer(), "plan.recovered", details)
	if err := t.unparkBehind(ctx, p); err != nil {
		return err
	}
	return t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxRestart, CaseID: p.CaseID, PlanID: p.ID})
}

// recoverTransfer makes a transfer of which the vendor may have got a request
// since the backup one whose outcome is unknown. The row may not even exist yet,
// nor the receiver be known that an operator gave it: such a transfer is stalled,
// for there is nobody to look at.
func (t *tx) recoverTransfer(ctx context.Context, p planRow, done *schema.Recovery) error {
	step, transfers := p.StepOf(schema.StepTransfer)
	if !transfers || (step.State != schema.StepPending && step.State != schema.StepRunning) {
		return nil
	}
	tr, ok, err := loadTransfer(ctx, t, p.ID)
	if err != nil {
		return err
	}
	switch {
	case !ok && p.Snapshot != nil && p.Snapshot.OwnsNothing():
		return nil // nothing to send
	case !ok:
		tr = schema.Transfer{PlanID: p.ID, ConnectionID: p.ConnectionID, Source: p.Facts.AccountID, Receiver: p.Facts.Receiver}
		if p.Snapshot != nil {
			tr.BytesBefore, tr.WitnessTotal = p.Snapshot.SpaceUsed, len(p.Snapshot.Witnesses)
		}
		err = t.putInQueue(ctx, tr)
	case tr.State == schema.TransferSettling, tr.State == schema.TransferStalled, tr.State == schema.TransferGivenUp, tr.State.Settled():
		return nil
	}
	if err != nil {
		return err
	}
	to := schema.TransferSettling
	if p.Snapshot == nil || tr.Receiver == "" {
		to = schema.TransferStalled
	}
	if err := t.assumeSent(ctx, p, tr, to); err != nil {
		return err
	}
	done.Transfers = append(done.Transfers, schema.RecoveredTransfer{CaseID: p.CaseID, PlanID: p.ID, From: tr.State, To: to})
	return nil
}

// assumeSent gives the transfer an attempt without an answer and those of its
// lanes that nobody holds.
func (t *tx) assumeSent(ctx context.Context, p planRow, tr schema.Transfer, to schema.TransferState) error {
	n := tr.Attempts
	if tr.State != schema.TransferSent {
		n++
	}
	err := t.run(ctx, `insert into transfer_attempt (plan_id, n, state, sent_at, ended_at, outcome, reason)
		values (@id, @n, 'settling', @now, @now, 'unknown', @reason)
		on conflict (plan_id, n) do update set state = 'settling', ended_at = excluded.ended_at, outcome = 'unknown', reason = excluded.reason`,
		args{"id": p.ID, "n": n, "now": t.now, "reason": recoveredOutcome})
	if err != nil {
		return err
	}
	err = t.changeOne(ctx, `update transfer set state = @to, attempts = @n, queued_seq = null, sent_at = coalesce(sent_at, @now), ended_at = @now,
			clear_since = null, moved_at = null, last_read_at = null, last_outcome = 'unknown', updated_at = @now
		where plan_id = @id`, args{"id": p.ID, "to": to, "n": n, "now": t.now})
	if err != nil {
		return err
	}
	if err := t.retakeLane(ctx, tr); err != nil {
		return err
	}
	t.recordPlan(p, recoverer(), "transfer.outcome", map[string]string{
		"attempt": strconv.Itoa(n), "class": string(schema.OutcomeUnknown), "from": string(tr.State), "to": string(to), "reason": recoveredOutcome,
	})
	current, ok := p.Step(p.CurrentStep)
	if to != schema.TransferSettling || !ok || current.Kind != schema.StepTransfer {
		return nil
	}
	return t.showSettling(ctx, &p)
}

// unparkBehind lets a plan go on that was parked for nothing but its row being
// behind its workflow: the workflow that said so is ended.
func (t *tx) unparkBehind(ctx context.Context, p planRow) error {
	if p.State != schema.PlanParked || p.Cause == nil || p.Cause.Code != schema.ParkStateBehind {
		return nil
	}
	to := schema.PlanRunning
	if p.Stopping {
		to = schema.PlanCancelling
	}
	t.recordPlan(p, recoverer(), "plan.unparked", map[string]string{"code": string(schema.ParkStateBehind), "to": string(to)})
	return t.move(ctx, &p, to)
}

// UnparkBehind is for a plan whose overtaken workflow was ended just now: what
// that one parked for is over. Any other plan stays as it is. It returns the plan.
func (s *Store) UnparkBehind(ctx context.Context, id schema.PlanID) (schema.Plan, error) {
	var after planRow
	err := s.inPlan(ctx, "unpark plan", id, func(ctx context.Context, t *tx, p planRow) error {
		err := t.unparkBehind(ctx, p)
		if err == nil {
			after, err = loadPlan(ctx, t, id, false)
		}
		return err
	})
	return after.Plan, err
}
