package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// reasonNeverRun is the reason of a data set that no run has told anything of.
const reasonNeverRun = "NEVER_RUN"

// freshness says of every data set of the connections what is known and how old
// it is, in the order of connections and data sets. A data set is stale when it is
// older than one and a half times what its schedule says: a run was missed.
func freshness(ctx context.Context, q querier, connections []schema.ConnectionID, now time.Time) ([]schema.DatasetFreshness, error) {
	d := schema.DefaultSchedule()
	rows, err := all[freshnessRow](ctx, q, `select c.id as connection_id, c.name as connection, n.dataset,
			coalesce(d.state, 'not_collected') as state, coalesce(d.reason, @never) as reason, coalesce(d.detail, '') as detail,
			d.as_of, coalesce(d.rows, 0) as rows,
			case when n.dataset = @activity then coalesce(s.activity_seconds, @activity_seconds) else coalesce(s.sync_seconds, @sync_seconds) end as seconds
		from unnest(@connections::uuid[]) with ordinality as w(id, place) join connection c on c.id = w.id
		cross join unnest(@datasets::text[]) with ordinality as n(dataset, place)
		left join dataset d on d.connection_id = c.id and d.dataset = n.dataset
		left join connection_schedule s on s.connection_id = c.id
		order by w.place, n.place`, args{
		"connections": connections, "datasets": append(schema.SyncDatasets(), schema.DataActivity), "activity": schema.DataActivity,
		"never": reasonNeverRun, "sync_seconds": int64(d.Sync.Seconds()), "activity_seconds": int64(d.Activity.Seconds()),
	})
	out := make([]schema.DatasetFreshness, len(rows))
	for i, r := range rows {
		every := time.Duration(r.Seconds) * time.Second
		out[i] = schema.DatasetFreshness{
			DatasetStatus: r.DatasetStatus, Connection: r.Connection, Every: every,
			Stale: every > 0 && !r.AsOf.IsZero() && now.Sub(r.AsOf) > every+every/2,
		}
	}
	return out, err
}

type freshnessRow struct {
	schema.DatasetStatus
	Connection string
	Seconds    int64
}

// basisRow is the basis of one connection's grades, with its source.
type basisRow struct {
	gradeBasis
	Connection string
	Source     schema.ActivitySource
}

// basesOf reads what the grades of each connection are proven by, in their order.
func basesOf(ctx context.Context, q querier, connections []schema.ConnectionID) ([]basisRow, error) {
	return all[basisRow](ctx, q, `select c.id as connection_id, c.name as connection, coalesce(basis.source, '') as source,
			basis.from_at as covered_from, basis.to_at as covered_to
		from unnest(@connections::uuid[]) with ordinality as w(id, place) join connection c on c.id = w.id
		left join lateral (
			select i.source, i.from_at, i.to_at from `+declaredSources+` as s
			join activity_interval i on i.connection_id = c.id and i.source = s.source
			order by s.rank, i.from_at desc limit 1) as basis on true
		order by w.place`, args{"connections": connections})
}
