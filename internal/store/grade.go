package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"sendoff/schema"
)

// gradeBasis is what the grades of one connection's accounts are proven by: the
// unbroken span of the first of its declared sources that is collected; empty =
// none is.
type gradeBasis struct {
	ConnectionID schema.ConnectionID
	CoveredFrom  time.Time
	CoveredTo    time.Time
}

func (b gradeBasis) covered() schema.Interval {
	return schema.Interval{From: b.CoveredFrom, To: b.CoveredTo}
}

// gradeBases reads the basis of each connection given, in their order.
func gradeBases(ctx context.Context, q querier, connections []schema.ConnectionID) ([]gradeBasis, error) {
	return all[gradeBasis](ctx, q, `select c.id as connection_id, basis.from_at as covered_from, basis.to_at as covered_to
		from unnest(@connections::uuid[]) with ordinality as c(id, place)
		left join lateral (
			select i.from_at, i.to_at from `+declaredSources+` as s
			join activity_interval i on i.connection_id = c.id and i.source = s.source
			order by s.rank, i.from_at desc limit 1) as basis on true
		order by c.place`, args{"connections": connections})
}

// declaredSources is a subquery over a connection c: its sources with their rank,
// or its own feed alone where no order was declared.
const declaredSources = `(
	select source, rank from activity_source where connection_id = c.id
	union all
	select source, 0 from activity_feed where connection_id = c.id and live <> ''
		and not exists (select from activity_source where connection_id = c.id))`

// gradeSQL is an expression for the grade of a row of account that is called a:
// what schema.GradeOf says for the connection's declared sources. The two agree
// because account.last_active_at is the latest use that any declared source has
// seen, and silence is judged by one of them alone, whose span is the basis.
//
// Use it as
//
//	bases, err := gradeBases(ctx, q, connections)
//	grade, a := gradeSQL(bases, threshold, now)
//	q: select a.id, `+grade+` as grade from account a where a.connection_id = any(...)
//
// The names of its arguments begin with grade_; add your own to the map. An
// account of a connection that has no basis is not_collected. To filter by grade
// compare the expression, and for an index add gradeBounds.
func gradeSQL(bases []gradeBasis, threshold time.Duration, now time.Time) (string, args) {
	now, threshold = now.Truncate(time.Microsecond), threshold.Truncate(time.Microsecond)
	a := args{"grade_cutoff": now.Add(-threshold)}
	var b strings.Builder
	fmt.Fprintf(&b, `case when a.last_active_at >= @grade_cutoff then '%s'`, schema.GradeActive)
	for i, basis := range bases {
		connection := fmt.Sprintf("grade_connection_%d", i)
		a[connection] = basis.ConnectionID
		fmt.Fprintf(&b, "\n\twhen a.connection_id = @%s then %s", connection, silenceSQL(basis.covered(), i, a, threshold, now))
	}
	fmt.Fprintf(&b, "\n\telse '%s' end", schema.GradeNotCollected)
	return b.String(), a
}

// silenceSQL grades an account that was not used within the threshold. The order
// of its cases is that of schema.Activity.Grade.
func silenceSQL(covered schema.Interval, i int, a args, threshold time.Duration, now time.Time) string {
	until := covered.To
	if now.Before(until) {
		until = now
	}
	switch {
	case covered.Empty():
		return fmt.Sprintf("'%s'", schema.GradeNotCollected)
	case now.Sub(covered.To) > schema.FreshFor:
		return fmt.Sprintf("'%s'", schema.GradeUnknown)
	}
	from, to, quiet := fmt.Sprintf("grade_from_%d", i), fmt.Sprintf("grade_to_%d", i), fmt.Sprintf("grade_quiet_%d", i)
	a[from], a[to], a[quiet] = covered.From, covered.To, until.Add(-threshold)
	// greatest leaves nulls out: an account of which neither is known is judged by
	// the coverage alone.
	return fmt.Sprintf(`case when a.last_active_at is null and a.created_at between @%s and @%s then '%s'
		when greatest(a.last_active_at, a.created_at, @%s) > @%s then '%s' else '%s' end`,
		from, to, schema.GradeNever, from, quiet, schema.GradeUnknown, schema.GradeInactive)
}

// gradeBounds is a condition on a.last_active_at that every account of the grade
// meets, for an index to begin with; an empty text = the grade sets no bound. Its
// argument is one of gradeSQL's.
func gradeBounds(grade schema.Grade) string {
	switch grade {
	case schema.GradeActive:
		return `a.last_active_at >= @grade_cutoff`
	case schema.GradeNever:
		return `a.last_active_at is null`
	case schema.GradeInactive:
		return `(a.last_active_at < @grade_cutoff or a.last_active_at is null)`
	}
	return ""
}
