package policy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/policy"
	"sendoff/schema"
)

// drawDay draws no day, or one within some months of the hearing.
func drawDay(t *rapid.T, label string) schema.Date {
	if rapid.IntRange(0, 2).Draw(t, label+" is said") == 0 {
		return schema.Date{}
	}
	return schema.DateOf(heard().AddDate(0, 0, rapid.IntRange(-100, 100).Draw(t, label)))
}

func drawEmployment(t *rapid.T, n int) schema.Employment {
	e := emp(rapid.SampledFrom([]string{"hr", "agency", "scim"}).Draw(t, "source"), fmt.Sprint(n))
	e.Kind = rapid.SampledFrom([]schema.EmploymentKind{schema.Employee, schema.Contractor}).Draw(t, "kind")
	e.HireDate, e.LastWorkingDay = drawDay(t, "hired"), drawDay(t, "last working day")
	e.TerminatedOn, e.GardenLeaveFrom = drawDay(t, "terminated"), drawDay(t, "garden leave")
	e.Status = rapid.SampledFrom([]schema.EmploymentStatus{"", "", "active", "on_leave", "ended", "?"}).Draw(t, "status")
	e.ForCause = rapid.IntRange(0, 5).Draw(t, "for cause") == 0
	e.TimeZone = rapid.SampledFrom([]string{"", "Asia/Tokyo", "America/New_York", "Pacific/Apia", "none"}).Draw(t, "zone")
	e.Site = rapid.SampledFrom([]string{"", "Tokyo", "Nowhere"}).Draw(t, "site")
	e.UpdatedAt = heard().AddDate(0, 0, -rapid.IntRange(0, 50).Draw(t, "updated"))
	if rapid.Bool().Draw(t, "absent") {
		e.AbsentSince = heard()
	}
	return e
}

func drawFacts(t *rapid.T, most int) schema.LeaverFacts {
	f := facts()
	f.New = map[schema.EmploymentKey]bool{}
	for i := range rapid.IntRange(0, most).Draw(t, "employments") {
		e := drawEmployment(t, i)
		f.Employments = append(f.Employments, e)
		f.New[e.EmploymentKey] = rapid.IntRange(0, 3).Draw(t, "new") == 0
	}
	f.Rule.Starts = rapid.SampledFrom([]schema.Starts{"", "last_working_day", "termination_date", "garden_leave", "at_once"}).Draw(t, "starts")
	f.Rule.At = schema.LocalTime{Hour: rapid.IntRange(0, 23).Draw(t, "hour"), Minute: rapid.IntRange(0, 59).Draw(t, "minute")}
	return f
}

func judged(t *rapid.T, f schema.LeaverFacts) schema.Leaving {
	got, err := policy.JudgeLeaver(f)
	require.NoError(t, err)
	return got
}

// clear is an employment that lasts, whatever the rule.
func clearEnd(e schema.Employment) schema.Employment {
	e.HireDate, e.LastWorkingDay, e.TerminatedOn, e.Status, e.ForCause = schema.Date{}, schema.Date{}, schema.Date{}, schema.StatusActive, false
	return e
}

// TestLeaverOrderIsNothing: the verdict is that of the set, and looking at absent
// marks changes none.
func TestLeaverOrderIsNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t, 6)
		first := judged(t, f)
		f.Employments = rapid.Permutation(f.Employments).Draw(t, "order")
		require.Equal(t, first, judged(t, f))
		for i := range f.Employments {
			f.Employments[i].AbsentSince = time.Time{}
		}
		got := judged(t, f)
		require.Equal(t, first.Leaves, got.Leaves)
		require.Equal(t, first.Moment, got.Moment)
	})
}

// TestLeaverDecides: who leaves has an employment that ends, and its own moment
// stands; who stays without a contradiction has one that lasts, or none but
// history.
func TestLeaverDecides(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t, 6)
		got := judged(t, f)
		alone := f
		for _, e := range f.Employments {
			if e.EmploymentKey == got.Key {
				alone.Employments = []schema.Employment{e}
			}
		}
		if len(alone.Employments) == len(f.Employments) && len(f.Employments) != 1 {
			require.Zero(t, got.Key)
			require.False(t, got.Leaves)
			return
		}
		only := judged(t, alone)
		require.Equal(t, got.Leaves, only.Leaves)
		require.Equal(t, got.Moment, only.Moment)
	})
}

// TestLeaverProtects: an employment of the same source, or of another kind, that
// lasts keeps somebody; another source's record of the same kind keeps nobody.
func TestLeaverProtects(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t, 5)
		before := judged(t, f)
		other := clearEnd(drawEmployment(t, 99))
		other.Source = rapid.SampledFrom([]string{"hr", "agency", "payroll"}).Draw(t, "other source")
		f.Employments = append(f.Employments, other)
		after := judged(t, f)
		unrelated, related := true, true
		for _, e := range f.Employments {
			same := e.Source == other.Source || e.Kind != other.Kind
			unrelated = unrelated && (!same || e.EmploymentKey == other.EmploymentKey)
			related = related && same || e.EmploymentKey == other.EmploymentKey && related
		}
		if unrelated {
			require.Equal(t, before.Leaves, after.Leaves, "it un-leaves nobody")
			require.Equal(t, before.Moment, after.Moment)
		}
		if related {
			require.False(t, after.Leaves, after.Why)
		}
		if !before.Leaves {
			require.False(t, after.Leaves, "it makes nobody leave")
		}
	})
}

// TestLeaverAnotherEnd: a second record of the same employment that ends earlier
// counts, and never puts a moment off.
func TestLeaverAnotherEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t, 5)
		for i := range f.Employments {
			f.Employments[i].Kind, f.Employments[i].HireDate = schema.Employee, schema.Date{}
		}
		before := judged(t, f)
		mirror := drawEmployment(t, 99)
		mirror.Source, mirror.Kind, mirror.HireDate = "directory", schema.Employee, schema.Date{}
		f.Employments = append(f.Employments, mirror)
		after := judged(t, f)
		if before.Leaves {
			require.True(t, after.Leaves)
			require.False(t, after.Moment.DueAt.After(before.Moment.DueAt))
		}
	})
}

// TestLeaverLaterDay: the day moved on is the moment moved on, by as many days.
func TestLeaverLaterDay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := emp("hr", "1", inZone(rapid.SampledFrom([]string{"Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "none"}).Draw(t, "zone")))
		days := rapid.IntRange(0, 300).Draw(t, "days")
		more := rapid.IntRange(1, 300).Draw(t, "more")
		due := func(days int) time.Time {
			e.LastWorkingDay = schema.DateOf(heard().AddDate(0, 0, days))
			got := judged(t, facts(e))
			require.True(t, got.Leaves)
			return got.Moment.DueAt
		}
		require.InDelta(t, float64(more*24), due(days+more).Sub(due(days)).Hours(), 1)
	})
}

// TestLeaverHistoryStartsNothing: what is new and long over leaves the verdict as
// it was.
func TestLeaverHistoryStartsNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t, 4)
		before := judged(t, f)
		past := drawEmployment(t, 99)
		past.HireDate, past.TerminatedOn = schema.Date{}, schema.Date{}
		past.LastWorkingDay = schema.DateOf(heard().AddDate(0, 0, -rapid.IntRange(10, 3000).Draw(t, "ago")))
		past.Status = rapid.SampledFrom([]schema.EmploymentStatus{"", "on_leave", "ended"}).Draw(t, "status of history")
		f.Employments = append(f.Employments, past)
		f.New[past.EmploymentKey] = true
		after := judged(t, f)
		before.Why, after.Why = "", ""
		require.Equal(t, before, after)
	})
}
