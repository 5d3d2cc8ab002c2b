package schema_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// TestGradesOfTheDocument grades the table of docs/activity.md: threshold 90 days,
// on 1 June 2026.
func TestGradesOfTheDocument(t *testing.T) {
	t.Parallel()
	on := func(date string) time.Time {
		if date == "" {
			return time.Time{}
		}
		at, err := time.Parse(time.DateOnly, date)
		require.NoError(t, err)
		return at
	}
	none := []schema.Interval{}
	whole := []schema.Interval{{From: on("2025-12-01"), To: on("2026-06-01")}}
	holed := []schema.Interval{{From: on("2025-12-01"), To: on("2026-04-01")}, {From: on("2026-04-05"), To: on("2026-06-01")}}
	old := []schema.Interval{{From: on("2025-12-01"), To: on("2026-05-28")}}
	short := []schema.Interval{{From: on("2026-04-01"), To: on("2026-06-01")}}
	for _, row := range []struct {
		created, last string
		covered       []schema.Interval
		grade         schema.Grade
	}{
		{"2024-03-01", "2026-05-20", none, schema.GradeActive},
		{"2024-03-01", "2025-12-20", none, schema.GradeNotCollected},
		{"2024-03-01", "2025-12-20", whole, schema.GradeInactive},
		{"2024-03-01", "", whole, schema.GradeInactive},
		{"2026-01-10", "", whole, schema.GradeNever},
		{"2026-05-30", "", whole, schema.GradeNever},
		{"", "", whole, schema.GradeInactive},
		{"2024-03-01", "2025-12-20", holed, schema.GradeUnknown},
		{"2026-01-10", "", holed, schema.GradeUnknown},
		{"2026-04-20", "", holed, schema.GradeNever},
		{"2024-03-01", "2025-12-20", old, schema.GradeUnknown},
		{"2024-03-01", "", short, schema.GradeUnknown},
	} {
		a := schema.Activity{LastActiveAt: on(row.last), Covered: schema.FeedState{Covered: row.covered}.Unbroken()}
		require.Equal(t, row.grade, a.Grade(90*24*time.Hour, on(row.created), on("2026-06-01")), "%+v", row)
	}
}
