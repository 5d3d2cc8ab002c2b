package store

import (
	"context"
	"slices"
	"time"

	"sendoff/schema"
)

// inactiveRow is an account with what the list is in the order of.
type inactiveRow struct {
	schema.AccountRow
	Grade   schema.Grade
	Manager string
	Silence string // of silent_since: RFC 3339, or -infinity
}

// ReportInactive lists accounts by grade, those silent longest first: by their last
// use, and those never seen in use by their creation.
func (s *Store) ReportInactive(ctx context.Context, f schema.InactiveFilter) (schema.InactiveReport, error) {
	var r schema.InactiveReport
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return r, err
	}
	from, err := parseKeyCursor(f.After, false, true)
	if err != nil {
		return r, err
	}
	f.Now, f.Threshold = f.Now.Truncate(time.Microsecond), f.Threshold.Truncate(time.Microsecond)
	f.Grades = orAll(f.Grades, []schema.Grade{schema.GradeInactive, schema.GradeNever})
	f.Statuses = orAll(f.Statuses, []schema.AccountStatus{schema.AccountActive, schema.AccountRestricted})
	f.Kinds = orAll(f.Kinds, []schema.AccountKind{schema.KindPerson})
	err = s.reportTx(ctx, "report inactive accounts", f.ConnectionID, f.Now, func(ctx context.Context, q querier, head schema.ReportHead, bases []gradeBasis) error {
		r.ReportHead = head
		if f.After == "" {
			if r.Counts, err = countGrades(ctx, q, f, bases); err != nil {
				return err
			}
		}
		sql, a, err := inactiveList(f, from, bases)
		if err != nil {
			return err
		}
		rows, err := all[inactiveRow](ctx, q, sql, a)
		if err != nil {
			return err
		}
		rows, r.Next = cut(rows, f.Limit, func(r inactiveRow) keyCursor { return keyCursor{r.Silence, string(r.ID)} })
		for _, row := range rows {
			r.Rows = append(r.Rows, schema.InactiveRow{
				AccountRow: row.AccountRow, Grade: row.Grade, Manager: row.Manager, Seat: schema.HoldsSeat(row.Kind, row.Status),
				Band: schema.BandOf(schema.Activity{LastActiveAt: row.LastActiveAt, Covered: head.Of(row.ConnectionID).Covered}, row.CreatedAt, f.Now),
			})
		}
		return nil
	})
	return r, err
}

func countGrades(ctx context.Context, q querier, f schema.InactiveFilter, bases []gradeBasis) (schema.GradeCounts, error) {
	counts, err := gradeCounts(ctx, q, bases, f.Threshold, f.Now)
	out := schema.GradeCounts{}
	for _, n := range counts {
		if slices.Contains(f.Statuses, n.Status) && slices.Contains(f.Kinds, n.Kind) {
			out[n.Grade] += n.N
		}
	}
	return out, err
}

// inactiveList is the query for a page and the entry behind it. A grade is a few
// ranges of an index (gradeRanges); they are merged, and gradeSQL has the last word.
func inactiveList(f schema.InactiveFilter, from keyCursor, bases []gradeBasis) (string, args, error) {
	grade, a := gradeSQL(bases, f.Threshold, f.Now)
	list, err := inactiveRanges(f, from, bases)
	if err != nil {
		return "", nil, err
	}
	list.into(a)
	a["grades"], a["limit"] = f.Grades, f.Limit+1
	return `select ` + accountRowColumns + `, k.grade, coalesce(m.email, '') as manager,
			case when isfinite(a.silent_since) then to_char(a.silent_since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
				else '-infinity' end as silence
		from (select k.* from unnest(@connections::uuid[], @statuses::text[], @kinds::text[], @classes::text[], @lows::text[], @low_ids::uuid[], @highs::text[])
				as f(connection_id, status, kind, use_class, low, low_id, high)
			cross join lateral (select a.silent_since, a.id, ` + grade + ` as grade from account a
				where a.connection_id = f.connection_id and a.status = f.status and a.kind = f.kind and a.use_class = f.use_class
				and (a.silent_since, a.id) > (f.low::timestamptz, f.low_id) and a.silent_since < f.high::timestamptz and ` + grade + ` = any(@grades)
				order by a.silent_since, a.id limit @limit) k
			order by k.silent_since, k.id limit @limit) k
		join account a on a.id = k.id` + accountRowJoins + ` left join person m on m.id = p.manager_id
		order by k.silent_since, k.id`, a, nil
}

// useRange is a range of silent_since of accounts of a use class, the end not
// included. A zero bound is none.
type useRange struct {
	class    string
	from, to time.Time
}

// gradeRanges are the ranges in which the accounts of a grade lie. Each account of
// the grade is in one of them; what else is in them is little. Instants are whole
// microseconds, as the database keeps them.
func gradeRanges(grade schema.Grade, b gradeBasis, threshold time.Duration, now time.Time) []useRange {
	const after = time.Microsecond // turns an end that is included into one that is not
	cutoff, covered := now.Add(-threshold), b.covered()
	odd := useRange{class: "odd"} // few, if any: used before they were made
	silent := []useRange{{class: "used", to: cutoff}, {class: "unused"}, odd}
	if grade == schema.GradeActive {
		return []useRange{{class: "used", from: cutoff}, odd}
	}
	switch {
	case covered.Empty():
		if grade == schema.GradeNotCollected {
			return silent
		}
		return nil
	case now.Sub(covered.To) > schema.FreshFor:
		if grade == schema.GradeUnknown {
			return silent
		}
		return nil
	}
	until := covered.To
	if now.Before(until) {
		until = now
	}
	quiet := until.Add(-threshold) // whoever was silent since then is inactive
	proven := !covered.From.After(quiet)
	switch {
	case grade == schema.GradeNever:
		return []useRange{{"unused", covered.From, covered.To.Add(after)}}
	case grade == schema.GradeInactive && proven:
		return []useRange{{"used", time.Time{}, quiet.Add(after)}, {"unused", time.Time{}, covered.From}, odd}
	case grade == schema.GradeUnknown && proven:
		return []useRange{{"used", quiet.Add(after), cutoff}, {"unused", covered.To.Add(after), time.Time{}}, odd}
	case grade == schema.GradeUnknown:
		return []useRange{{"used", time.Time{}, cutoff}, {"unused", time.Time{}, covered.From}, {"unused", covered.To.Add(after), time.Time{}}, odd}
	}
	return nil
}

// useRanges are ranges of the index account_list_use, one column each.
type useRanges struct {
	connections         []schema.ConnectionID
	statuses            []schema.AccountStatus
	kinds               []schema.AccountKind
	classes, lows, high []string
	lowIDs              []string
}

func (r useRanges) into(a args) {
	a["connections"], a["statuses"], a["kinds"], a["classes"] = r.connections, r.statuses, r.kinds, r.classes
	a["lows"], a["low_ids"], a["highs"] = r.lows, r.lowIDs, r.high
}

// inactiveRanges are the ranges of all grades, each once, from the cursor on.
func inactiveRanges(f schema.InactiveFilter, from keyCursor, bases []gradeBasis) (useRanges, error) {
	var out useRanges
	begin := time.Time{}
	if f.After != "" && from[0] != "-infinity" {
		var err error
		if begin, err = time.Parse(time.RFC3339Nano, from[0]); err != nil {
			return out, errCursor()
		}
	}
	none, _ := parseKeyCursor("", true)
	for _, b := range bases {
		var list []useRange
		for _, g := range f.Grades {
			list = append(list, gradeRanges(g, b, f.Threshold, f.Now)...)
		}
		for _, r := range disjoint(list) {
			low, id := r.from, none[0]
			if f.After != "" && !begin.Before(low) {
				low, id = begin, from[1]
			}
			for _, st := range f.Statuses {
				for _, k := range f.Kinds {
					out.connections, out.statuses, out.kinds = append(out.connections, b.ConnectionID), append(out.statuses, st), append(out.kinds, k)
					out.classes, out.lowIDs = append(out.classes, r.class), append(out.lowIDs, id)
					out.lows, out.high = append(out.lows, bound(low, "-infinity")), append(out.high, bound(r.to, "infinity"))
				}
			}
		}
	}
	return out, nil
}

func bound(t time.Time, absent string) string {
	if t.IsZero() {
		return absent
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// disjoint joins ranges of one class that overlap or touch, so that no account is
// in two of them.
func disjoint(list []useRange) []useRange {
	slices.SortFunc(list, func(a, b useRange) int {
		if a.class != b.class {
			if a.class < b.class {
				return -1
			}
			return 1
		}
		return a.from.Compare(b.from)
	})
	var out []useRange
	for _, r := range list {
		if !r.to.IsZero() && !r.from.Before(r.to) {
			continue
		}
		last := len(out) - 1
		if last >= 0 && out[last].class == r.class && (out[last].to.IsZero() || !r.from.After(out[last].to)) {
			if !out[last].to.IsZero() && (r.to.IsZero() || r.to.After(out[last].to)) {
				out[last].to = r.to
			}
			continue
		}
		out = append(out, r)
	}
	return out
}
