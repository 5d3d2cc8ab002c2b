package store

import (
	"context"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const scheduleColumns = `sync_seconds, activity_seconds, probe_seconds, backfill_seconds`

// scheduleRow is a schedule as it is stored.
type scheduleRow struct{ SyncSeconds, ActivitySeconds, ProbeSeconds, BackfillSeconds int64 }

func (r scheduleRow) schedule() schema.Schedule {
	return schema.Schedule{
		Sync: time.Duration(r.SyncSeconds) * time.Second, Activity: time.Duration(r.ActivitySeconds) * time.Second,
		Probe: time.Duration(r.ProbeSeconds) * time.Second, Backfill: time.Duration(r.BackfillSeconds) * time.Second,
	}
}

// Schedule returns how often a connection's runs begin by themselves.
func (s *Store) Schedule(ctx context.Context, id schema.ConnectionID) (schema.Schedule, error) {
	row, ok, err := maybe[scheduleRow](ctx, s.pool, `select `+scheduleColumns+` from connection_schedule where connection_id = @id`, args{"id": id})
	if err != nil {
		return schema.Schedule{}, translate("read the schedule", err)
	}
	if !ok {
		return schema.DefaultSchedule(), nil
	}
	return row.schedule(), nil
}

// The bounds of a schedule.
const (
	mostSeldom   = 366 * 24 * time.Hour
	mostBackfill = 366 * 24 * time.Hour
)

func checkSchedule(s schema.Schedule) error {
	e := &schema.Error{Code: schema.CodeInvalid, Message: "the schedule is not valid"}
	check := func(where string, d, least, most time.Duration) {
		if d < least || d > most || d%time.Second != 0 {
			e.Problems = append(e.Problems, schema.Problem{
				Where: where, Code: "out_of_range", Message: d.String() + " is not possible",
				Fix: "give whole seconds, from " + least.String() + " to " + most.String(),
			})
		}
	}
	check("sync", s.Sync, 0, mostSeldom)
	check("activity", s.Activity, 0, mostSeldom)
	check("probe", s.Probe, time.Second, mostSeldom)
	check("backfill", s.Backfill, time.Second, mostBackfill)
	if len(e.Problems) > 0 {
		return e
	}
	return nil
}

// SetSchedule sets how often the runs of a connection begin by themselves; 0 is
// never, which a probe cannot be. Audited.
func (s *Store) SetSchedule(ctx context.Context, name string, to schema.Schedule, by schema.Principal) (schema.Schedule, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Schedule{}, err
	}
	if err := checkSchedule(to); err != nil {
		return schema.Schedule{}, err
	}
	err := s.inTx(ctx, "set the schedule", func(ctx context.Context, t *tx) error {
		c, err := t.lockConnection(ctx, name)
		if err != nil {
			return err
		}
		t.record(audit.ConnectionStream(string(c.ID)), principal(by), "connection.schedule_set", audit.Subject{ConnectionID: string(c.ID)},
			map[string]string{"sync": to.Sync.String(), "activity": to.Activity.String(), "probe": to.Probe.String(), "backfill": to.Backfill.String()})
		return t.run(ctx, `insert into connection_schedule (connection_id, `+scheduleColumns+`)
			values (@id, @sync, @activity, @probe, @backfill)
			on conflict (connection_id) do update set (`+scheduleColumns+`) = (@sync, @activity, @probe, @backfill)`,
			args{
				"id": c.ID, "sync": int64(to.Sync / time.Second), "activity": int64(to.Activity / time.Second),
				"probe": int64(to.Probe / time.Second), "backfill": int64(to.Backfill / time.Second),
			})
	})
	if err != nil {
		return schema.Schedule{}, err
	}
	return to, nil
}

// slowestProbe is how seldom the doctor looks at a connection that stays failed.
const slowestProbe = 24 * time.Hour

// dueSQL are the runs that are due: their last one began longer ago than the
// schedule says, and none is open. Nothing is caught up: however late it is, one
// is due. A sync waits while another is quarantined. A failed connection gets
// probes alone, each time twice as long apart.
const dueSQL = `select c.id as connection_id, k.kind
	from connection c
	left join connection_schedule s on s.connection_id = c.id
	cross join lateral (values
		('probe', coalesce(s.probe_seconds, @probe)),
		('activity', coalesce(s.activity_seconds, @activity)),
		('sync', coalesce(s.sync_seconds, @sync))) as k(kind, every)
	cross join lateral (select max(created_at) as began from run r where r.connection_id = c.id and r.kind = k.kind) as last
	cross join lateral (select case when k.kind <> 'probe' or c.health <> 'failed' then 0 else (
		select least(count(*), 20) from run r where r.connection_id = c.id and r.kind = 'probe' and r.state = 'failed' and r.created_at > coalesce(
			(select max(created_at) from run d where d.connection_id = c.id and d.kind = 'probe' and d.state = 'done'), '-infinity')) end as failures) as f
	where c.state = 'enabled' and k.every > 0
		and (c.health <> 'failed' or k.kind = 'probe')
		and (last.began is null or last.began <= @now::timestamptz - case when f.failures = 0 then k.every
			else greatest(k.every, least(@slowest, k.every * power(2, f.failures))) end * interval '1 second')
		and not exists (select 1 from run r where r.connection_id = c.id and r.kind = k.kind and r.state in ('queued', 'running'))
		and not (k.kind = 'sync' and exists (select 1 from run r where r.connection_id = c.id and r.state = 'quarantined'))
	order by last.began nulls first, c.id, k.kind
	limit @limit`

// StartDueRuns makes up to limit runs that are due, with the outbox rows that
// start them. Any number of servers may call it: one of them works, and the
// others find nothing to do.
func (s *Store) StartDueRuns(ctx context.Context, limit int) ([]schema.Run, error) {
	var started []schema.Run
	err := s.inTx(ctx, "start due runs", func(ctx context.Context, t *tx) error {
		started = nil
		mine, err := scalar[bool](ctx, t, `select pg_try_advisory_xact_lock(hashtextextended('start due runs', 0))`, nil)
		if err != nil || !mine {
			return err
		}
		every := schema.DefaultSchedule()
		due, err := all[struct {
			ConnectionID schema.ConnectionID
			Kind         schema.RunKind
		}](ctx, t, dueSQL, args{
			"now": t.now, "limit": limit, "slowest": int64(slowestProbe / time.Second), "probe": int64(every.Probe / time.Second),
			"activity": int64(every.Activity / time.Second), "sync": int64(every.Sync / time.Second),
		})
		if err != nil {
			return err
		}
		for _, d := range due {
			run, ok, err := t.insertRun(ctx, d.ConnectionID, d.Kind, schema.TriggerSchedule, "")
			if err != nil {
				return err
			}
			if ok { // else a person started one meanwhile
				started = append(started, run)
			}
		}
		return nil
	})
	return started, err
}
