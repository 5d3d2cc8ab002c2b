package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// maxSources bounds a connection's declared sources of activity.
const maxSources = 10

// SetActivitySources declares which sources count for a connection, the one whose
// silence is believed first; none = its own feed alone. What accounts show is
// brought in line in the same transaction. Audited.
func (s *Store) SetActivitySources(ctx context.Context, name string, sources []schema.ActivitySource, by schema.Principal) error {
	if err := checkPrincipal(by); err != nil {
		return err
	}
	if err := checkSources(sources); err != nil {
		return err
	}
	return s.inTx(ctx, "declare sources of activity", func(ctx context.Context, t *tx) error {
		c, known, err := maybe[schema.Connection](ctx, t, `select `+connectionColumns+` from connection
			where name = @name and state <> 'removed' for no key update`, args{"name": name})
		if err == nil && !known {
			err = notFound("connection", name)
		}
		if err != nil {
			return err
		}
		if err := t.replaceSources(ctx, c.ID, sources); err != nil {
			return err
		}
		t.record(audit.ConnectionStream(string(c.ID)), principal(by), "activity.sources_declared",
			audit.Subject{ConnectionID: string(c.ID)}, map[string]string{"sources": joinSources(sources)})
		return t.showDeclared(ctx, c.ID)
	})
}

func checkSources(sources []schema.ActivitySource) error {
	for i, s := range sources {
		if s == "" || strings.ContainsAny(string(s), " \t\r\n") || slices.Contains(sources[:i], s) || i >= maxSources {
			return &schema.Error{
				Code: schema.CodeInvalid, Message: "sources of activity are at most ten different names without spaces",
				Fix: "name each one once, such as box.events",
			}
		}
	}
	return nil
}

func joinSources(sources []schema.ActivitySource) string {
	names := make([]string, len(sources))
	for i, s := range sources {
		names[i] = string(s)
	}
	return strings.Join(names, " ")
}

func (t *tx) replaceSources(ctx context.Context, c schema.ConnectionID, sources []schema.ActivitySource) error {
	named := args{"c": c, "sources": slices.Concat([]schema.ActivitySource{}, sources)} // an empty array, not a null
	// Each feed is held, so that none brings a page to the accounts meanwhile by the
	// order that was.
	for _, step := range []struct {
		sql string
		a   args
	}{
		{`insert into activity_feed (connection_id, source, updated_at)
			select @c, source, now() from unnest(@sources::text[]) as s(source) order by source on conflict do nothing`, named},
		{`select 1 from activity_feed where connection_id = @c order by source for no key update`, args{"c": c}},
		{`delete from activity_source where connection_id = @c`, args{"c": c}},
		{`insert into activity_source (connection_id, rank, source)
			select @c, rank, source from unnest(@sources::text[]) with ordinality as s(source, rank)`, named},
	} {
		if err := t.run(ctx, step.sql, step.a); err != nil {
			return err
		}
	}
	return nil
}

// showDeclared makes each account of the connection show the last use that its
// declared sources know.
func (t *tx) showDeclared(ctx context.Context, c schema.ConnectionID) error {
	return t.run(ctx, `with last as (
			select distinct on (external_id) external_id, last_active_at, last_event, source from account_activity u
			where connection_id = @c and activity_counts(@c, source)
			order by external_id, last_active_at desc, last_event collate "C" desc, source collate "C" desc)
		update account set last_active_at = u.last_active_at, last_event = u.last_event, last_source = u.source
		from (select a.id, last.last_active_at, coalesce(last.last_event, '') as last_event, coalesce(last.source, '') as source
			from account a left join last on last.external_id = a.external_id
			where a.connection_id = @c and (a.last_active_at, a.last_event, a.last_source)
				is distinct from (last.last_active_at, coalesce(last.last_event, ''), coalesce(last.source, ''))
			order by a.id for no key update of a) as u
		where account.id = u.id`, args{"c": c})
}

// SourcesOf returns the sources that count for a connection, in their order: the
// declared ones, or its own feed, once it has begun.
func (s *Store) SourcesOf(ctx context.Context, c schema.ConnectionID) ([]schema.ActivitySource, error) {
	sources, err := sourcesOf(ctx, s.pool, c)
	return sources, translate("read the sources of activity", err)
}

func sourcesOf(ctx context.Context, q querier, c schema.ConnectionID) ([]schema.ActivitySource, error) {
	return scalars[schema.ActivitySource](ctx, q, `select s.source from connection c cross join lateral `+declaredSources+` as s
		where c.id = @c order by s.rank, s.source`, args{"c": c})
}

// ActivityOf returns what each source that counts knows of an account's use, in
// their order, and when the account was created (zero = not known): what
// schema.GradeOf asks for.
func (s *Store) ActivityOf(ctx context.Context, id schema.AccountID) ([]schema.Activity, time.Time, error) {
	type row struct {
		Source       schema.ActivitySource
		LastActiveAt time.Time
		LastEvent    string
		FromAt, ToAt time.Time
	}
	var activity []schema.Activity
	var created time.Time
	err := s.readTx(ctx, "read the account's activity", func(ctx context.Context, q querier) error {
		a, known, err := maybe[schema.Account](ctx, q, `select `+accountColumns+` from account where id = @id`, args{"id": id})
		if err == nil && !known {
			err = notFound("account", string(id))
		}
		if err != nil {
			return err
		}
		created = a.CreatedAt
		rows, err := all[row](ctx, q, `select s.source, u.last_active_at, coalesce(u.last_event, '') as last_event, i.from_at, i.to_at
			from connection c cross join lateral `+declaredSources+` as s
			left join account_activity u on u.connection_id = c.id and u.external_id = @external and u.source = s.source
			left join lateral (select from_at, to_at from activity_interval
				where connection_id = c.id and source = s.source order by from_at desc limit 1) as i on true
			where c.id = @c order by s.rank, s.source`, args{"c": a.ConnectionID, "external": a.ExternalID})
		for _, r := range rows {
			activity = append(activity, schema.Activity{
				Source: r.Source, LastActiveAt: r.LastActiveAt, LastEvent: r.LastEvent, Covered: schema.Interval{From: r.FromAt, To: r.ToAt},
			})
		}
		return err
	})
	return activity, created, err
}

// ConnectionActivity returns what the sources that count for a connection cover,
// in their order.
func (s *Store) ConnectionActivity(ctx context.Context, c schema.ConnectionID) ([]schema.SourceCoverage, error) {
	var out []schema.SourceCoverage
	err := s.readTx(ctx, "read the coverage of activity", func(ctx context.Context, q querier) error {
		sources, err := sourcesOf(ctx, q, c)
		for _, source := range sources {
			f, _, err := readFeed(ctx, q, c, source, ``)
			if err != nil {
				return err
			}
			out = append(out, schema.SourceCoverage{Source: source, Covered: f.Covered, Backfill: f.Backfill, Events: f.Events})
		}
		return err
	})
	return out, err
}
