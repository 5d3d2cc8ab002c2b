package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// Why grades or listings are not whole, where no run left a code.
const (
	reasonStaleFeed = "STALE"
)

type populationBasisRow struct {
	gradeBasis
	Connection      string
	GroupsAsOf      time.Time
	SyncedAt        time.Time
	ActivityState   schema.DatasetState
	ActivityReason  string
	AccountsState   schema.DatasetState
	AccountsReason  string
	ActivityFailure string // of the last run that ended
	Quarantine      string // of a sync that waits
}

// populationBasis reads what the connections' grades are proven by, in their order.
func populationBasis(ctx context.Context, q querier, connections []schema.ConnectionID, now time.Time) ([]schema.PopulationBasis, error) {
	rows, err := all[populationBasisRow](ctx, q, `select c.id as connection_id, c.name as connection, basis.from_at as covered_from, basis.to_at as covered_to,
			l.as_of as synced_at, coalesce(l.state, 'not_collected') as accounts_state, coalesce(l.reason, @never) as accounts_reason,
			(select min(d.as_of) from dataset d where d.connection_id = c.id and d.dataset in (@groups, @memberships) and d.state = 'collected'
				having count(*) = 2) as groups_as_of,
			coalesce(u.state, 'not_collected') as activity_state, coalesce(u.reason, @never) as activity_reason,
			coalesce((select case r.state when 'failed' then r.cause ->> 'code' end from run r where r.connection_id = c.id and r.kind = 'activity'
				and r.ended_at is not null order by r.created_at desc, r.id desc limit 1), '') as activity_failure,
			coalesce((select r.cause ->> 'code' from run r where r.connection_id = c.id and r.state = 'quarantined'), '') as quarantine
		from unnest(@connections::uuid[]) with ordinality as w(id, place) join connection c on c.id = w.id
		left join dataset l on l.connection_id = c.id and l.dataset = @accounts
		left join dataset u on u.connection_id = c.id and u.dataset = @activity
		left join lateral (
			select i.from_at, i.to_at from `+declaredSources+` as s
			join activity_interval i on i.connection_id = c.id and i.source = s.source
			order by s.rank, i.from_at desc limit 1) as basis on true
		order by w.place`, args{
		"connections": connections, "never": reasonNeverRun, "accounts": schema.DataAccounts, "activity": schema.DataActivity,
		"groups": schema.DataGroups, "memberships": schema.DataMemberships,
	})
	if err == nil && len(rows) != len(connections) {
		err = &schema.Error{Code: schema.CodeNotFound, Message: "a connection that the population is of does not exist"}
	}
	if err != nil {
		return nil, err
	}
	out := make([]schema.PopulationBasis, len(rows))
	for i, r := range rows {
		out[i] = schema.PopulationBasis{
			ConnectionID: r.ConnectionID, Connection: r.Connection, Covered: r.covered(), SyncedAt: r.SyncedAt, GroupsAsOf: r.GroupsAsOf,
			Unread: r.ActivityState == schema.DatasetNotCollected, Why: r.why(now),
		}
	}
	return out, nil
}

// why is the code of what is missing: of activity first, then of the listing.
func (r populationBasisRow) why(now time.Time) string {
	switch {
	case r.ActivityState != schema.DatasetCollected && r.ActivityReason != "":
		return r.ActivityReason
	case r.ActivityState != schema.DatasetCollected:
		return string(r.ActivityState)
	case r.covered().Empty(): // its back-fill goes on, or declared sources gave nothing
		return reasonNeverRun
	case now.Sub(r.CoveredTo) > schema.FreshFor && r.ActivityFailure != "":
		return r.ActivityFailure
	case now.Sub(r.CoveredTo) > schema.FreshFor:
		return reasonStaleFeed
	case r.Quarantine != "":
		return r.Quarantine
	case r.AccountsState != schema.DatasetCollected && r.AccountsReason != "":
		return r.AccountsReason
	case r.AccountsState != schema.DatasetCollected:
		return string(r.AccountsState)
	}
	return ""
}
