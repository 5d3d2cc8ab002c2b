package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const runColumns = `id, connection_id, kind, state, trigger, requested_by, baseline, cause, created_at, started_at, ended_at, null::jsonb as datasets`

// datasetsOf are the data sets that a run of a kind goes through, in order.
func datasetsOf(kind schema.RunKind) []schema.Dataset {
	switch kind {
	case schema.RunSync:
		return schema.SyncDatasets()
	case schema.RunActivity:
		return []schema.Dataset{schema.DataActivity}
	default:
		return nil
	}
}

// StartRun makes a run of an enabled connection, named or given by id, with the
// outbox row that starts it. CodeConflict names the run of that kind that is
// open; CodeClosed when the connection is not enabled.
func (s *Store) StartRun(ctx context.Context, connection string, kind schema.RunKind, trigger schema.RunTrigger, by schema.Principal) (schema.Run, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Run{}, err
	}
	var run schema.Run
	err := s.inTx(ctx, "start a run", func(ctx context.Context, t *tx) error {
		c, err := t.findConnection(ctx, connection)
		if err != nil {
			return err
		}
		if err := requireEnabled(c); err != nil {
			return err
		}
		var ok bool
		if run, ok, err = t.insertRun(ctx, c.ID, kind, trigger, by.Name); err != nil {
			return err
		}
		if !ok {
			return t.runIsOpen(ctx, c, kind)
		}
		t.recordRun(run, principal(by), "run.requested", nil)
		return nil
	})
	return run, err
}

// findConnection returns the connection of a name or id that is not removed, and
// keeps it from being removed.
func (t *tx) findConnection(ctx context.Context, nameOrID string) (schema.Connection, error) {
	match := `name = @ref`
	if uuid.Validate(nameOrID) == nil {
		match = `id = @ref::text::uuid`
	}
	c, ok, err := maybe[schema.Connection](ctx, t, `select `+connectionColumns+` from connection
		where `+match+` and state <> 'removed' for share`, args{"ref": nameOrID})
	if err == nil && !ok {
		err = notFound("connection", nameOrID)
	}
	return c, err
}

func requireEnabled(c schema.Connection) error {
	if c.State == schema.ConnectionEnabled {
		return nil
	}
	e := &schema.Error{Code: schema.CodeClosed, Message: "connection " + c.Name + " is " + string(c.State) + ": nothing is read over it"}
	if c.State == schema.ConnectionDisabled {
		e.Fix = "sendoff connections enable " + c.Name
	}
	return e
}

// insertRun makes a run with its rows, unless one of its kind is open.
func (t *tx) insertRun(ctx context.Context, c schema.ConnectionID, kind schema.RunKind, trigger schema.RunTrigger, by string) (schema.Run, bool, error) {
	id, err := newID[schema.RunID]()
	if err != nil {
		return schema.Run{}, false, err
	}
	run, ok, err := maybe[schema.Run](ctx, t, `insert into run (id, connection_id, kind, state, trigger, requested_by, created_at)
		values (@id, @connection, @kind, 'queued', @trigger, @by, @now)
		on conflict (connection_id, kind) where state in ('queued', 'running') do nothing
		returning `+runColumns,
		args{"id": id, "connection": c, "kind": kind, "trigger": trigger, "by": by, "now": t.now})
	if err != nil || !ok {
		return run, false, err
	}
	datasets := datasetsOf(kind)
	err = t.run(ctx, `insert into run_dataset (run_id, dataset, state, updated_at) select @id, d, 'pending', @now from unnest(@datasets::text[]) as d`,
		args{"id": id, "datasets": datasets, "now": t.now})
	if err != nil {
		return run, false, err
	}
	for _, d := range datasets {
		run.Datasets = append(run.Datasets, schema.DatasetProgress{Dataset: d, State: schema.DatasetPending, Generation: 1, UpdatedAt: t.now})
	}
	return run, true, t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxStartRun, RunID: id, RunKind: kind})
}

func (t *tx) runIsOpen(ctx context.Context, c schema.Connection, kind schema.RunKind) error {
	id, err := scalar[string](ctx, t, `select coalesce(min(id::text), '') from run
		where connection_id = @id and kind = @kind and state in ('queued', 'running')`, args{"id": c.ID, "kind": kind})
	if err != nil {
		return err
	}
	if id == "" {
		return conflict("another "+string(kind)+" of connection "+c.Name+" ended just now", "try again")
	}
	return conflict("run "+id+" is open: connection "+c.Name+" has one "+string(kind)+" at a time", "follow it: sendoff runs show "+id)
}

// BeginRun moves a queued run to running; one that runs is returned as it is.
// CodeStopped when it has ended, CodeClosed when its connection is not enabled.
func (s *Store) BeginRun(ctx context.Context, id schema.RunID) (schema.Run, schema.Connection, error) {
	var run schema.Run
	var c schema.Connection
	err := s.inTx(ctx, "begin a run", func(ctx context.Context, t *tx) (err error) {
		if run, err = t.lockRun(ctx, id); err != nil {
			return err
		}
		if !run.State.Open() {
			return runEnded(run)
		}
		if c, err = one[schema.Connection](ctx, t, `select `+connectionColumns+` from connection where id = @id`, args{"id": run.ConnectionID}); err != nil {
			return err
		}
		if err := requireEnabled(c); err != nil {
			return err
		}
		if run.State == schema.RunQueued {
			run, err = one[schema.Run](ctx, t, `update run set state = 'running', started_at = @now where id = @id returning `+runColumns,
				args{"id": id, "now": t.now})
		}
		if err == nil {
			run.Datasets, err = loadProgress(ctx, t, id)
		}
		return err
	})
	return run, c, err
}

// lockRun reads a run and keeps others from moving it.
func (t *tx) lockRun(ctx context.Context, id schema.RunID) (schema.Run, error) {
	run, ok, err := maybe[schema.Run](ctx, t, `select `+runColumns+` from run where id = @id for no key update`, args{"id": id})
	if err == nil && !ok {
		err = notFound("run", string(id))
	}
	return run, err
}

func runEnded(r schema.Run) error {
	return &schema.Error{Code: schema.CodeStopped, Message: "run " + string(r.ID) + " has ended: it is " + string(r.State)}
}

// EndRun ends an open run as done or failed. The cause of a failure is kept.
// Audited, but for what a schedule does every few minutes and succeeds in.
// Repeating it is no change; CodeStopped when the run ended otherwise.
func (s *Store) EndRun(ctx context.Context, id schema.RunID, to schema.RunState, cause *schema.RunCause) error {
	if to != schema.RunDone && to != schema.RunFailed {
		return &schema.Error{Code: schema.CodeInternal, Message: "a run does not end " + string(to) + " by itself"}
	}
	return s.inTx(ctx, "end a run", func(ctx context.Context, t *tx) error {
		run, err := t.lockRun(ctx, id)
		if err != nil {
			return err
		}
		switch {
		case run.State == to:
			return nil
		case !run.State.Open():
			return runEnded(run)
		}
		return t.endRun(ctx, run, to, cause)
	})
}

// endRun ends a locked run.
func (t *tx) endRun(ctx context.Context, run schema.Run, to schema.RunState, cause *schema.RunCause) error {
	if to == schema.RunFailed || run.Kind == schema.RunSync || run.Trigger == schema.TriggerPerson {
		t.recordRun(run, engine(), "run."+string(to), causeDetails(cause))
	}
	return t.changeOne(ctx, `update run set state = @to, cause = @cause, ended_at = @now where id = @id`,
		args{"id": run.ID, "to": to, "cause": cause, "now": t.now})
}

func causeDetails(cause *schema.RunCause) map[string]string {
	if cause == nil {
		return nil
	}
	return map[string]string{"cause": cause.Code, "message": cause.Message}
}

func (t *tx) recordRun(run schema.Run, actor audit.Actor, action string, details map[string]string) {
	t.record(audit.ConnectionStream(string(run.ConnectionID)), actor, action, audit.Subject{ConnectionID: string(run.ConnectionID)},
		with(details, "run_id", string(run.ID), "kind", string(run.Kind)))
}

// Run returns a run with how far it is.
func (s *Store) Run(ctx context.Context, id schema.RunID) (schema.Run, error) {
	run, _, err := s.RunOf(ctx, id)
	return run, err
}

// RunOf returns a run, ended ones included, with its connection as it is.
func (s *Store) RunOf(ctx context.Context, id schema.RunID) (schema.Run, schema.Connection, error) {
	var run schema.Run
	var c schema.Connection
	err := s.readTx(ctx, "read a run", func(ctx context.Context, q querier) error {
		var ok bool
		var err error
		if run, ok, err = maybe[schema.Run](ctx, q, `select `+runColumns+` from run where id = @id`, args{"id": id}); err != nil {
			return err
		}
		if !ok {
			return notFound("run", string(id))
		}
		if run.Datasets, err = loadProgress(ctx, q, id); err != nil {
			return err
		}
		c, err = one[schema.Connection](ctx, q, `select `+connectionColumns+` from connection where id = @id`, args{"id": run.ConnectionID})
		return err
	})
	return run, c, err
}

const progressColumns = `dataset, state, reason, generation, pages, rows, marker, updated_at`

// loadProgress reads how far a run is with each of its data sets, in their order.
func loadProgress(ctx context.Context, q querier, id schema.RunID) ([]schema.DatasetProgress, error) {
	order := append(schema.SyncDatasets(), schema.DataActivity)
	return all[schema.DatasetProgress](ctx, q, `select `+progressColumns+` from run_dataset
		where run_id = @id order by array_position(@order::text[], dataset)`, args{"id": id, "order": order})
}

// ListRuns lists runs, newest first, with how far they are.
func (s *Store) ListRuns(ctx context.Context, f schema.RunFilter) ([]schema.Run, string, error) {
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(f.After)
	if err != nil {
		return nil, "", err
	}
	where := `true`
	a := args{"limit": f.Limit + 1}
	narrow := func(condition, name string, value any) {
		where += ` and ` + condition
		a[name] = value
	}
	if f.ConnectionID != "" {
		narrow(`connection_id = @connection`, "connection", f.ConnectionID)
	}
	if f.Kind != "" {
		narrow(`kind = @kind`, "kind", f.Kind)
	}
	if f.State != "" {
		narrow(`state = @state`, "state", f.State)
	}
	if f.After != "" {
		narrow(`(created_at, id) < (@at, @id)`, "at", from.At)
		a["id"] = schema.RunID(from.ID)
	}
	var list []schema.Run
	var next string
	err = s.readTx(ctx, "list runs", func(ctx context.Context, q querier) error {
		var err error
		if list, err = all[schema.Run](ctx, q, `select `+runColumns+` from run where `+where+` order by created_at desc, id desc limit @limit`, a); err != nil {
			return err
		}
		list, next = page(list, f.Limit, func(r schema.Run) cursor { return cursor{r.CreatedAt, string(r.ID)} })
		return addProgress(ctx, q, list)
	})
	return list, next, err
}

func addProgress(ctx context.Context, q querier, runs []schema.Run) error {
	ids := make([]schema.RunID, len(runs))
	at := make(map[schema.RunID]int, len(runs))
	for i, r := range runs {
		ids[i], at[r.ID] = r.ID, i
	}
	rows, err := all[struct {
		RunID schema.RunID
		schema.DatasetProgress
	}](ctx, q, `select run_id, `+progressColumns+` from run_dataset where run_id = any(@ids)
		order by run_id, array_position(@order::text[], dataset)`, args{"ids": ids, "order": append(schema.SyncDatasets(), schema.DataActivity)})
	for _, row := range rows {
		r := &runs[at[row.RunID]]
		r.Datasets = append(r.Datasets, row.DatasetProgress)
	}
	return err
}

// keepRuns is how long runs that come every few minutes are remembered. Syncs are
// kept: there are few, and changes name them.
const keepRuns = 30 * 24 * time.Hour

// PruneRuns forgets reads of events and probes that ended over 30 days ago, but for
// the last of each, from which the next is due, and what ended syncs staged; a
// quarantined one keeps it.
func (s *Store) PruneRuns(ctx context.Context) error {
	const op = "prune runs"
	left, err := scalars[schema.RunID](ctx, s.pool, `select r.id from run r where state in ('done', 'failed', 'discarded') and kind = 'sync' and (
			exists (select 1 from staged_account x where x.run_id = r.id) or exists (select 1 from staged_absence x where x.run_id = r.id)
			or exists (select 1 from staged_group x where x.run_id = r.id) or exists (select 1 from staged_membership x where x.run_id = r.id)
			or exists (select 1 from staged_collaboration x where x.run_id = r.id))`, nil)
	if err != nil {
		return translate(op, err)
	}
	for _, id := range left {
		if err := s.dropStaged(ctx, id); err != nil {
			return err
		}
	}
	_, err = s.pool.Exec(ctx, `delete from run r where kind in ('probe', 'activity') and ended_at < now() - @keep::interval and exists (
			select 1 from run n where n.connection_id = r.connection_id and n.kind = r.kind and n.created_at > r.created_at)`, args{"keep": keepRuns})
	return translate(op, err)
}

// stagedTables hold what syncs listed and did not publish yet.
func stagedTables() []string {
	return []string{"staged_collaboration", "staged_membership", "staged_group", "staged_absence", "staged_account"}
}

// dropStaged forgets what an ended run staged.
func (s *Store) dropStaged(ctx context.Context, id schema.RunID) error {
	for _, table := range stagedTables() {
		if _, err := s.pool.Exec(ctx, `delete from `+table+` where run_id = @id`, args{"id": id}); err != nil {
			return translate("drop what a sync staged", err)
		}
	}
	return nil
}
