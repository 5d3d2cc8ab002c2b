package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// Grades grades every account of the connections in SQL, and counts those that
// gradeBounds lets through for their own grade.
func (s *Store) Grades(ctx context.Context, connections []schema.ConnectionID, threshold time.Duration, now time.Time) (map[schema.AccountID]schema.Grade, int, error) {
	bases, err := gradeBases(ctx, s.pool, connections)
	if err != nil {
		return nil, 0, err
	}
	type row struct {
		ID     schema.AccountID
		Grade  schema.Grade
		Within bool
	}
	grade, a := gradeSQL(bases, threshold, now)
	within := `case g.grade`
	for _, of := range []schema.Grade{schema.GradeActive, schema.GradeNever, schema.GradeInactive} {
		within += ` when '` + string(of) + `' then coalesce(` + gradeBounds(of) + `, false)`
	}
	rows, err := all[row](ctx, s.pool, `select a.id, g.grade, `+within+` else true end as within
		from account a cross join lateral (select `+grade+` as grade) as g`, a)
	grades, bounded := map[schema.AccountID]schema.Grade{}, 0
	for _, r := range rows {
		grades[r.ID] = r.Grade
		if r.Within {
			bounded++
		}
	}
	return grades, bounded, err
}
