package store

import (
	"context"
	"fmt"
	"time"

	"sendoff/schema"
)

const (
	dayLength = 24 * time.Hour
	// usedWithin is how recent a use has to be to count for adoption.
	usedWithin = 30 * dayLength
	// usageMemory lets the accounts of a week be counted without a file.
	usageMemory = `set local work_mem = '128MB'`
)

// ReportUsage tells how much a connection is used: by day and ISO week over a span,
// and by its accounts over the last 30 days.
func (s *Store) ReportUsage(ctx context.Context, f schema.UsageFilter) (schema.UsageReport, error) {
	f.Now = f.Now.Truncate(time.Microsecond)
	r := schema.UsageReport{UsageFilter: f}
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return r, err
	}
	if f.From.IsZero() || f.To.IsZero() || f.To.Before(f.From) || f.To.In(time.UTC).Sub(f.From.In(time.UTC)) > 2*366*dayLength {
		return r, &schema.Error{Code: schema.CodeInvalid, Message: "the span is not one of up to two years", Fix: "give its first and its last day"}
	}
	err := s.reportTx(ctx, "report usage", f.ConnectionID, f.Now, func(ctx context.Context, q querier, head schema.ReportHead, bases []gradeBasis) error {
		if len(bases) != 1 {
			return notFound("connection", string(f.ConnectionID))
		}
		r.ReportHead, r.Connection = head, head.Bases[0].Connection
		if _, err := q.Exec(ctx, usageMemory); err != nil {
			return err
		}
		if err := readSpans(ctx, q, &r); err != nil {
			return err
		}
		if err := readBands(ctx, q, &r, bases[0]); err != nil {
			return err
		}
		return readShares(ctx, q, &r, bases)
	})
	return r, err
}

// readSpans counts who was active by day and by week. Weeks are whole: those at the
// ends of the span reach beyond it.
func readSpans(ctx context.Context, q querier, r *schema.UsageReport) error {
	covered, err := all[schema.Interval](ctx, q, `select from_at as "from", to_at as "to" from activity_interval
		where connection_id = @connection and source = @source order by from_at`,
		args{"connection": r.ConnectionID, "source": r.Bases[0].Source})
	if err != nil {
		return err
	}
	days, err := countActive(ctx, q, r.ConnectionID, r.From, r.To, 1)
	if err != nil {
		return err
	}
	first, last := monday(r.From), monday(r.To)
	weeks, err := countActive(ctx, q, r.ConnectionID, first, last, 7)
	if err != nil {
		return err
	}
	for d := r.From; !r.To.Before(d); d = addDays(d, 1) {
		r.Days = append(r.Days, spanOfDays(d, d, days[d], covered))
	}
	for d := first; !last.Before(d); d = addDays(d, 7) {
		r.Weeks = append(r.Weeks, spanOfDays(d, addDays(d, 6), weeks[d], covered))
	}
	r.Trend = trendOf(r.Weeks)
	return nil
}

// countActive counts the accounts of people that were used in each span of so many
// days, whichever declared source saw it. An account that was never listed counts as
// a person's. Each span is a range of the table's key, counted by itself: all at
// once would need memory for every account and span.
func countActive(ctx context.Context, q querier, c schema.ConnectionID, first, last schema.Date, days int) (map[schema.Date]int64, error) {
	sources, err := scalars[schema.ActivitySource](ctx, q, `select s.source from (select @connection::uuid as id) c cross join lateral `+declaredSources+` s`,
		args{"connection": c})
	if err != nil {
		return nil, err
	}
	rows, err := all[struct {
		Span time.Time
		N    int64
	}](ctx, q, `select w.span::timestamptz as span, n.n
		from generate_series(@first::timestamp, @last::timestamp, make_interval(days => @days)) as g(at) cross join lateral (select g.at::date as span) w
		cross join lateral (select count(*) as n from (
			select distinct u.external_id from activity_day u
			where u.connection_id = @connection and u.source = any(@sources) and u.day >= w.span and u.day < w.span + @days) d
			where d.external_id not in (select external_id from account where connection_id = @connection and kind <> 'person')) n`,
		args{"connection": c, "sources": sources, "first": first.String(), "last": last.String(), "days": days})
	out := make(map[schema.Date]int64, len(rows))
	for _, r := range rows {
		out[schema.DateOf(r.Span)] = r.N
	}
	return out, err
}

// spanOfDays tells how much of the days is covered.
func spanOfDays(from, to schema.Date, active int64, covered []schema.Interval) schema.UsageSpan {
	span := schema.UsageSpan{From: from, To: to, Active: active, Coverage: schema.CoverageNone}
	begin, end := from.In(time.UTC), addDays(to, 1).In(time.UTC)
	for _, c := range covered {
		switch {
		case !c.From.After(begin) && !c.To.Before(end):
			span.Coverage = schema.CoverageFull
			return span
		case c.From.Before(end) && c.To.After(begin):
			span.Coverage = schema.CoveragePartial
		}
	}
	return span
}

// trendOf compares the last full week with the fourth one before it.
func trendOf(weeks []schema.UsageSpan) *schema.UsageTrend {
	for i := len(weeks) - 1; i >= 4; i-- {
		if weeks[i].Coverage != schema.CoverageFull {
			continue
		}
		if weeks[i-4].Coverage != schema.CoverageFull {
			return nil
		}
		return &schema.UsageTrend{Week: weeks[i], Before: weeks[i-4]}
	}
	return nil
}

func addDays(d schema.Date, n int) schema.Date { return schema.DateOf(d.In(time.UTC).AddDate(0, 0, n)) }

// monday is the first day of the date's ISO week.
func monday(d schema.Date) schema.Date {
	return addDays(d, -(int(d.In(time.UTC).Weekday())+6)%7)
}

// maySignIn is schema.MaySignIn of an account a.
const maySignIn = `a.kind = 'person' and a.status in ('active', 'restricted')`

// readBands counts the accounts that may sign in by how long they have been silent:
// schema.BandOf in SQL.
func readBands(ctx context.Context, q querier, r *schema.UsageReport, basis gradeBasis) error {
	grade, a := gradeSQL([]gradeBasis{basis}, usedWithin, r.Now)
	until := basis.CoveredTo
	if r.Now.Before(until) {
		until = r.Now
	}
	band := ``
	for _, b := range []struct {
		days int
		band schema.AgeBand
	}{{180, schema.Band180}, {90, schema.Band90}, {60, schema.Band60}} {
		length := time.Duration(b.days) * dayLength
		quiet, cutoff := fmt.Sprintf("quiet_%d", b.days), fmt.Sprintf("cutoff_%d", b.days)
		a[quiet], a[cutoff] = until.Add(-length), r.Now.Add(-length)
		band += fmt.Sprintf(` when greatest(a.last_active_at, a.created_at, @from_covered) <= @%s and coalesce(a.last_active_at < @%s, true) then '%s'`, quiet, cutoff, b.band)
	}
	a["from_covered"], a["connection"] = basis.CoveredFrom, r.ConnectionID
	rows, err := all[struct {
		Band schema.AgeBand
		N    int64
	}](ctx, q, `select case g.grade when 'active' then 'under_30' when 'inactive' then g.band else g.grade end as band, count(*) as n
		from (select `+grade+` as grade, case`+band+` else '30_59' end as band from account a
			where a.connection_id = @connection and `+maySignIn+`) g group by 1`, a)
	r.Bands = map[schema.AgeBand]int64{}
	for _, b := range schema.AgeBands() {
		r.Bands[b] = 0
	}
	for _, row := range rows {
		r.Bands[row.Band] = row.N
		r.Adoption.Accounts += row.N
	}
	r.Adoption.Active = r.Bands[schema.BandUnder30]
	r.Adoption.NotKnown = r.Bands[schema.BandUnknown] + r.Bands[schema.BandNotCollected]
	return err
}

// readShares counts accounts and use by department and by group.
func readShares(ctx context.Context, q querier, r *schema.UsageReport, bases []gradeBasis) error {
	grade, a := gradeSQL(bases, usedWithin, r.Now)
	a["connection"] = r.ConnectionID
	counted := `count(*) as accounts, count(*) filter (where g.grade = 'active') as active,
		count(*) filter (where g.grade in ('unknown', 'not_collected')) as not_known`
	var err error
	r.Departments, err = all[schema.UsageShare](ctx, q, `select coalesce(p.department, '') as name, '' as group_id, p.id is null as no_person, `+counted+`
		from (select a.person_id, `+grade+` as grade from account a where a.connection_id = @connection and `+maySignIn+`) g
		left join person p on p.id = g.person_id group by 1, 3 order by 3, 1`, a)
	if err != nil {
		return err
	}
	from, err := parseKeyCursor(r.GroupsAfter, false, false)
	if err != nil {
		return err
	}
	a["from"], a["from_id"], a["limit"] = from[0], from[1], r.Limit+1
	const key = `(lower(v.name) collate "C")`
	rows, err := all[groupShare](ctx, q, `select v.name, v.external_id as group_id, false as no_person, v.key, n.accounts, n.active, n.not_known
		from (select v.*, `+key+` as key from vendor_group v where v.connection_id = @connection and (`+key+`, v.external_id) > (@from, @from_id)
			order by `+key+`, v.external_id limit @limit) v
		cross join lateral (select `+counted+` from (
			select `+grade+` as grade from group_membership m join account a on (a.connection_id, a.external_id) = (m.connection_id, m.account_id)
			where not v.everybody and m.connection_id = @connection and m.group_id = v.external_id and `+maySignIn+`) g) n
		order by v.key, v.external_id`, a)
	if err != nil {
		return err
	}
	everybody, err := scalars[schema.ExternalID](ctx, q, `select external_id from vendor_group where connection_id = @connection and everybody`, args{"connection": r.ConnectionID})
	rows, r.GroupsNext = cut(rows, r.Limit, func(g groupShare) keyCursor { return keyCursor{g.Key, string(g.GroupID)} })
	for _, row := range rows {
		for _, id := range everybody {
			if row.GroupID == id { // the vendor lists no members: they are all there are
				row.Accounts, row.Active, row.NotKnown = r.Adoption.Accounts, r.Adoption.Active, r.Adoption.NotKnown
			}
		}
		r.Groups = append(r.Groups, row.UsageShare)
	}
	return err
}

type groupShare struct {
	schema.UsageShare
	Key string
}
