package store

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// Publishing is one transaction of set-based statements that change only what
// differs. Its locks, in order: the connection's publishing (advisory), the run,
// accounts by id, then groups and what they give, which nobody else writes.

// publication is a sync on its way from staging to what is known.
type publication struct {
	*tx
	sync schema.Run
	data map[schema.Dataset]schema.DatasetProgress
	last map[schema.Dataset]schema.DatasetStatus // of earlier syncs
	// counts are rows changed, by what became of them; for the audit record.
	counts map[string]int64
}

// PublishSync applies what a sync staged, in one transaction, and ends the run
// done; or, when too few accounts were listed (schema.MostLost), quarantines it.
// Absent accounts become missing; those whose absence was read, and whose end our
// journal or the vendor's feed tells, deleted. A later observation of an account
// is not overwritten. Repeating it returns the run as it ended.
func (s *Store) PublishSync(ctx context.Context, id schema.RunID) (schema.Run, error) {
	if err := s.applyPlain(ctx, id); err != nil {
		return schema.Run{}, err
	}
	return s.publish(ctx, "publish a sync", id, func(ctx context.Context, p *publication) error {
		if !p.sync.State.Open() {
			return nil
		}
		if err := p.requireThrough(); err != nil {
			return err
		}
		lost, err := p.shrunk(ctx)
		if err != nil {
			return err
		}
		if lost != nil {
			return p.quarantine(ctx, *lost)
		}
		return p.apply(ctx, engine(), nil)
	})
}

// publish runs fn over a locked sync and drops what was staged once it has ended.
func (s *Store) publish(ctx context.Context, op string, id schema.RunID, fn func(context.Context, *publication) error) (schema.Run, error) {
	var run schema.Run
	err := s.inTx(ctx, op, func(ctx context.Context, t *tx) error {
		p, err := t.openPublication(ctx, id)
		if err != nil {
			return err
		}
		if err := fn(ctx, p); err != nil {
			return err
		}
		if run, err = one[schema.Run](ctx, t, `select `+runColumns+` from run where id = @id`, args{"id": id}); err != nil {
			return err
		}
		run.Datasets, err = loadProgress(ctx, t, id)
		return err
	})
	if err != nil {
		return schema.Run{}, err
	}
	if run.State != schema.RunQuarantined {
		err = s.dropStaged(ctx, id) // what stays after a crash here is pruned
	}
	return run, err
}

func (t *tx) openPublication(ctx context.Context, id schema.RunID) (*publication, error) {
	connection, ok, err := maybe[struct{ ConnectionID schema.ConnectionID }](ctx, t, `select connection_id from run where id = @id and kind = 'sync'`, args{"id": id})
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, notFound("sync", string(id))
	}
	if err := t.joinByHash(ctx); err != nil {
		return nil, err
	}
	if err := t.lockKey(ctx, "publish/"+string(connection.ConnectionID)); err != nil {
		return nil, err
	}
	p := &publication{tx: t, data: map[schema.Dataset]schema.DatasetProgress{}, last: map[schema.Dataset]schema.DatasetStatus{}, counts: map[string]int64{}}
	if p.sync, err = t.lockRun(ctx, id); err != nil {
		return nil, err
	}
	progress, err := loadProgress(ctx, t, id)
	if err != nil {
		return nil, err
	}
	for _, d := range progress {
		p.data[d.Dataset] = d
	}
	known, err := all[schema.DatasetStatus](ctx, t, `select connection_id, dataset, state, reason, detail, as_of, rows from dataset where connection_id = @id`,
		args{"id": p.sync.ConnectionID})
	for _, d := range known {
		p.last[d.Dataset] = d
	}
	return p, err
}

// joinByHash is for transactions that join many rows which they, or a try before
// them, have just written: there are no statistics of those yet, and a guess that
// they are few makes a join take hours.
func (t *tx) joinByHash(ctx context.Context) error {
	return t.run(ctx, `select set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true), set_config('work_mem', '64MB', true)`, nil)
}

// requireThrough refuses a run that has a data set before it.
func (p *publication) requireThrough() error {
	for _, d := range schema.SyncDatasets() {
		if s := p.data[d].State; s == schema.DatasetPending || s == schema.DatasetCollecting {
			return conflict("run "+string(p.sync.ID)+" is not through with "+string(d), "")
		}
	}
	return nil
}

// whole tells whether the run listed all of a data set; some, whether it listed
// anything of it.
func (p *publication) whole(d schema.Dataset) bool {
	return p.data[d].State == schema.DatasetCollected
}

func (p *publication) some(d schema.Dataset) bool {
	return p.whole(d) || p.data[d].State == schema.DatasetPartial
}

// news tells whether what differs in a data set is a change: it was listed before.
func (p *publication) news(d schema.Dataset) bool { return !p.last[d].AsOf.IsZero() }

// asOf is when the run began to list: what it says is no older.
func (p *publication) asOf() time.Time {
	if p.sync.StartedAt.IsZero() {
		return p.sync.CreatedAt
	}
	return p.sync.StartedAt
}

// loss is how many accounts a sync listed where how many were.
type loss struct{ listed, before int64 }

// shrunk looks whether too many accounts are gone from the listing. Those that were
// read by id do not count as listed: a listing that leaves them out may hide new
// ones too. Those that are known to be deleted, with proof, were not there before.
func (p *publication) shrunk(ctx context.Context) (*loss, error) {
	if !p.whole(schema.DataAccounts) || !p.news(schema.DataAccounts) {
		return nil, nil
	}
	n, err := one[struct{ Listed, Deleted int64 }](ctx, p, `select
			(select count(*) from staged_account where run_id = @run and page > 0) as listed,
			(select count(*) from account a where connection_id = @connection and status = 'deleted' and kind in ('person', 'app') and observed_at > @since
				and not exists (select 1 from staged_account s where s.run_id = @run and s.external_id = a.external_id)) as deleted`,
		args{"run": p.sync.ID, "connection": p.sync.ConnectionID, "since": p.last[schema.DataAccounts].AsOf})
	l := loss{listed: n.Listed, before: p.last[schema.DataAccounts].Rows}
	if err != nil || l.before-n.Deleted-l.listed <= schema.MostLost(l.before) {
		return nil, err
	}
	return &l, nil
}

// apply makes what was staged what is known, and ends the run done.
func (p *publication) apply(ctx context.Context, actor audit.Actor, details map[string]string) error {
	for _, step := range []func(context.Context) error{
		p.publishAccounts, p.publishGroups, p.publishMemberships, p.publishCollaborations, p.publishDatasets, p.overtakeQuarantined,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	for name, n := range p.counts {
		details = with(details, name, strconv.FormatInt(n, 10))
	}
	p.recordRun(p.sync, actor, "sync.applied", details)
	return p.changeOne(ctx, `update run set state = 'done', cause = null, baseline = @baseline, ended_at = @now where id = @id`,
		args{"id": p.sync.ID, "baseline": p.some(schema.DataAccounts) && !p.news(schema.DataAccounts), "now": p.now})
}

// publishDatasets says what is known now. What was not collected stays as old as
// it was.
func (p *publication) publishDatasets(ctx context.Context) error {
	counts := map[schema.Dataset]string{
		schema.DataAccounts:       `select count(*) from staged_account where run_id = @run and page > 0`,
		schema.DataGroups:         `select count(*) from vendor_group where connection_id = @connection`,
		schema.DataMemberships:    `select count(*) from group_membership where connection_id = @connection`,
		schema.DataCollaborations: `select count(*) from group_collaboration where connection_id = @connection`,
	}
	for _, d := range schema.SyncDatasets() {
		at := p.data[d]
		detail := ""
		if l, byGroup := groupListings()[d]; byGroup && at.Reason == schema.ReasonGroupsRefused {
			refused, err := scalar[int64](ctx, p, `select count(*) from staged_group where run_id = @run and `+l.state+` = 'refused'`, args{"run": p.sync.ID})
			if err != nil {
				return err
			}
			detail = strconv.FormatInt(refused, 10) + " groups could not be listed: what was known of them is kept"
		}
		err := p.change(ctx, `insert into dataset as d (connection_id, dataset, state, reason, detail, as_of, rows)
			select @connection, @dataset, @state, @reason, @detail, case when @some then @as_of::timestamptz end,
				case when @some then (`+counts[d]+`) else 0 end where @run::uuid is not null
			on conflict (connection_id, dataset) do update set (state, reason, detail, as_of, rows) = (excluded.state, excluded.reason, excluded.detail,
				coalesce(excluded.as_of, d.as_of), case when not @some then d.rows when @floor then greatest(excluded.rows, d.rows) else excluded.rows end)`,
			args{
				"dataset": d, "state": at.State, "reason": at.Reason, "detail": detail, "some": p.some(d), "as_of": p.asOf(),
				// A part of a listing is no measure of how many the next one lost.
				"floor": d == schema.DataAccounts && !p.whole(d),
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// quarantine keeps what was staged from being applied until an admin looked. An
// earlier sync that waits is overtaken by it.
func (p *publication) quarantine(ctx context.Context, l loss) error {
	if err := p.overtakeQuarantined(ctx); err != nil {
		return err
	}
	cause := schema.RunCause{
		Code:    schema.CauseShrunk,
		Message: "the vendor listed " + strconv.FormatInt(l.listed, 10) + " accounts where " + strconv.FormatInt(l.before, 10) + " were before",
		Fix: "look at the vendor whether so many are gone; if so, sendoff runs release " + string(p.sync.ID) +
			" --reason R; if not, sendoff runs discard " + string(p.sync.ID) + " --reason R and sync again",
	}
	p.recordRun(p.sync, engine(), "sync.quarantined", map[string]string{
		"cause": cause.Code, "listed": strconv.FormatInt(l.listed, 10), "before": strconv.FormatInt(l.before, 10),
	})
	err := p.changeOne(ctx, `update run set state = 'quarantined', cause = @cause, ended_at = @now where id = @id`,
		args{"id": p.sync.ID, "cause": cause, "now": p.now})
	if err != nil {
		return err
	}
	return p.raiseAlarm(ctx, schema.Alarm{ConnectionID: p.sync.ConnectionID, Code: schema.AlarmSyncQuarantined, Message: cause.Message, Fix: cause.Fix})
}

// overtakeQuarantined discards a sync that waits while a later one ends: it is
// older than what is known by then.
func (p *publication) overtakeQuarantined(ctx context.Context) error {
	old, found, err := maybe[schema.Run](ctx, p, `update run set state = 'discarded'
		where connection_id = @connection and state = 'quarantined' and id <> @run returning `+runColumns,
		args{"connection": p.sync.ConnectionID, "run": p.sync.ID})
	if err != nil {
		return err
	}
	if found {
		p.recordRun(old, engine(), "sync.overtaken", map[string]string{"by": string(p.sync.ID)})
	}
	return p.clearAlarm(ctx, p.sync.ConnectionID, schema.AlarmSyncQuarantined)
}

// change executes a statement with the run, the connection and the instant beside
// its own arguments, all of which it has to use.
func (p *publication) change(ctx context.Context, sql string, a args) error {
	return p.tx.run(ctx, sql, p.with(a))
}

func (p *publication) with(a args) args {
	a["run"], a["connection"] = p.sync.ID, p.sync.ConnectionID
	return a
}

// count is change for a statement that returns numbers by name, which the audit
// record of the sync shows.
func (p *publication) count(ctx context.Context, sql string, a args) error {
	rows, err := query(ctx, p, sql, p.with(a))
	if err != nil {
		return err
	}
	n, err := pgx.CollectExactlyOneRow(rows, pgx.RowToMap)
	for name, v := range n {
		p.counts[name], _ = v.(int64)
	}
	return err
}

func (t *tx) clearAlarm(ctx context.Context, c schema.ConnectionID, code string) error {
	return t.run(ctx, `update alarm set cleared_at = @now where connection_id = @connection and code = @code and cleared_at is null`,
		args{"now": t.now, "connection": c, "code": code})
}
