package store

import (
	"context"
	"time"
)

// Gauges is the state of the engine in numbers, as metrics show it. What has
// ended is not counted: the numbers would cost more each day and say nothing
// about today.
type Gauges struct {
	PlansByState       map[string]int64 // open plans
	ParkedByCause      map[string]int64
	TransfersByState   map[string]int64 // of open plans
	OldestUnsettled    time.Duration    // since the oldest open transfer without a verdict was sent; 0 = none
	OutboxDepth        int64            // rows not dispatched
	OutboxFailing      int64            // of these, tried in vain at least once
	OutboxOldest       time.Duration    // age of the oldest; 0 = none
	AuditUnsealed      int64
	AuditLag           time.Duration // age of the oldest unsealed record; 0 = none
	ConnectionsByState map[string]int64
	AlarmsByCode       map[string]int64   // open ones
	OldestDataset      map[string]float64 // age in seconds of the oldest of each data set, of enabled connections
	Paused             bool
}

// sealerSample bounds how many unsealed records are looked into for their age:
// with a sealer that stands still there may be any number.
const sealerSample = 1000

// Gauges reads them as of one instant. Each query rests on an index that holds
// only what is open, or reads a table of a few rows.
func (s *Store) Gauges(ctx context.Context) (Gauges, error) {
	var g Gauges
	err := s.readTx(ctx, "read the gauges", func(ctx context.Context, q querier) (err error) {
		if err := g.readPlans(ctx, q); err != nil {
			return err
		}
		if err := g.readOutbox(ctx, q); err != nil {
			return err
		}
		if err := g.readAudit(ctx, q); err != nil {
			return err
		}
		// A handful of rows.
		if g.ConnectionsByState, err = counts(ctx, q, `select state as name, count(*) as n from connection group by state`); err != nil {
			return err
		}
		if err := g.readInventory(ctx, q); err != nil {
			return err
		}
		g.Paused, err = scalar[bool](ctx, q, `select paused from engine_switch`, nil) // one row
		return err
	})
	return g, err
}

// readPlans rests on the partial index plan_open_account, on plan_state for
// parked plans, and reaches transfers by their primary key.
func (g *Gauges) readPlans(ctx context.Context, q querier) (err error) {
	const open = `state not in ('done', 'cancelled', 'superseded')`
	if g.PlansByState, err = counts(ctx, q, `select state as name, count(*) as n from plan where `+open+` group by state`); err != nil {
		return err
	}
	if g.ParkedByCause, err = counts(ctx, q, `select coalesce(cause->>'code', 'UNKNOWN') as name, count(*) as n
			from plan where state = 'parked' group by 1`); err != nil {
		return err
	}
	if g.TransfersByState, err = counts(ctx, q, `select t.state as name, count(*) as n
			from plan p join transfer t on t.plan_id = p.id where p.`+open+` group by t.state`); err != nil {
		return err
	}
	g.OldestUnsettled, err = age(ctx, q, `select min(t.sent_at) from plan p join transfer t on t.plan_id = p.id
		where p.`+open+` and t.state in ('sent', 'settling', 'stalled')`)
	return err
}

// readInventory rests on the partial index alarm_open, and on a table with a few
// rows for each connection.
func (g *Gauges) readInventory(ctx context.Context, q querier) (err error) {
	if g.AlarmsByCode, err = counts(ctx, q, `select code as name, count(*) as n from alarm where cleared_at is null group by code`); err != nil {
		return err
	}
	rows, err := all[struct {
		Name string
		Age  float64
	}](ctx, q, `select d.dataset as name, max(extract(epoch from now() - d.as_of))::float8 as age
		from dataset d join connection c on c.id = d.connection_id
		where c.state = 'enabled' and d.as_of is not null group by d.dataset`, nil)
	g.OldestDataset = make(map[string]float64, len(rows))
	for _, r := range rows {
		g.OldestDataset[r.Name] = max(r.Age, 0)
	}
	return err
}

// readOutbox rests on the partial index outbox_due.
func (g *Gauges) readOutbox(ctx context.Context, q querier) error {
	row, err := one[struct{ Depth, Failing int64 }](ctx, q, `select count(*) as depth, count(*) filter (where tries > 0) as failing
		from outbox where dispatched_at is null`, nil)
	if err != nil {
		return err
	}
	g.OutboxDepth, g.OutboxFailing = row.Depth, row.Failing
	g.OutboxOldest, err = age(ctx, q, `select min(created_at) from outbox where dispatched_at is null`)
	return err
}

// readAudit reads the sealer's work list, which is empty but for a second, and
// reaches records by their primary key.
func (g *Gauges) readAudit(ctx context.Context, q querier) (err error) {
	if g.AuditUnsealed, err = scalar[int64](ctx, q, `select count(*) from audit_pending`, nil); err != nil {
		return err
	}
	seconds, err := scalar[float64](ctx, q, `select coalesce(extract(epoch from now() - min((convert_from(r.body, 'UTF8')::jsonb->>'at')::timestamptz)), 0)::float8
		from (select stream, seq from audit_pending limit @sample) p join audit_record r on r.stream = p.stream and r.seq = p.seq`,
		args{"sample": sealerSample})
	g.AuditLag = spanOf(seconds)
	return err
}

func counts(ctx context.Context, q querier, sql string) (map[string]int64, error) {
	rows, err := all[struct {
		Name string
		N    int64
	}](ctx, q, sql, nil)
	out := make(map[string]int64, len(rows))
	for _, r := range rows {
		out[r.Name] = r.N
	}
	return out, err
}

// age is how long ago the instant was that the query finds, by the database's
// clock; 0 when it finds none.
func age(ctx context.Context, q querier, sql string) (time.Duration, error) {
	seconds, err := scalar[float64](ctx, q, `select coalesce(extract(epoch from now() - (`+sql+`)), 0)::float8`, nil)
	return spanOf(seconds), err
}

func spanOf(seconds float64) time.Duration {
	return time.Duration(max(seconds, 0) * float64(time.Second))
}
