package schema_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/schema"
)

// history is what truly happened to an account at one source, and which of it was
// read. Instants stand on a grid of hours, so that borders meet.
type history struct {
	uses    []time.Time
	covered []schema.Interval // as drawn: they may touch and overlap
}

func (h history) reads(at time.Time) bool {
	return slices.ContainsFunc(h.covered, func(i schema.Interval) bool { return !at.Before(i.From) && !at.After(i.To) })
}

// activity is what the product knows of the history.
func (h history) activity() schema.Activity {
	var a schema.Activity
	for _, at := range h.uses {
		if h.reads(at) && at.After(a.LastActiveAt) {
			a.LastActiveAt = at
		}
	}
	var covered []schema.Interval
	for _, i := range h.covered {
		covered = schema.JoinInterval(covered, i)
	}
	a.Covered = schema.FeedState{Covered: covered}.Unbroken()
	return a
}

// readUpTo is the end of what was read; false when nothing was.
func (h history) readUpTo() (time.Time, bool) {
	var end time.Time
	for _, i := range h.covered {
		if i.To.After(end) {
			end = i.To
		}
	}
	return end, len(h.covered) > 0
}

// used tells whether the account was truly used in a span.
func (h history) used(from, to time.Time) bool {
	return slices.ContainsFunc(h.uses, func(at time.Time) bool { return !at.Before(from) && !at.After(to) })
}

// proven tells whether no use in a span could have escaped: each hour of it, and
// the time between two hours, was read.
func (h history) proven(from, to time.Time) bool {
	if from.After(to) {
		return false
	}
	for at := from; !at.After(to); at = at.Add(30 * time.Minute) {
		if !h.reads(at) {
			return false
		}
	}
	return true
}

var gradedAt = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func drawAgo(t *rapid.T, label string, most int) time.Time {
	return gradedAt.Add(-time.Duration(rapid.IntRange(0, most).Draw(t, label)) * time.Hour)
}

func drawHistory(t *rapid.T, created time.Time) history {
	var h history
	for range rapid.IntRange(0, 3).Draw(t, "spans") {
		to := drawAgo(t, "to", 120)
		h.covered = append(h.covered, schema.Interval{From: to.Add(-time.Duration(rapid.IntRange(0, 150).Draw(t, "span")) * time.Hour), To: to})
	}
	for range rapid.IntRange(0, 3).Draw(t, "uses") {
		if at := drawAgo(t, "use", 260); !at.Before(created) {
			h.uses = append(h.uses, at)
		}
	}
	return h
}

// TestGradesAreProven: inactive and never are said only of what nobody could have
// done unseen, whatever the coverage, and they are said where that is so.
func TestGradesAreProven(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		threshold := time.Duration(rapid.IntRange(1, 150).Draw(t, "threshold")) * time.Hour
		var created time.Time
		if rapid.Bool().Draw(t, "created is known") {
			created = drawAgo(t, "created", 260)
		}
		h := drawHistory(t, created)
		end, collected := h.readUpTo()
		fresh := collected && gradedAt.Sub(end) <= schema.FreshFor
		// A silence of exactly the threshold, since the use at its beginning, is enough.
		silent := fresh && h.proven(end.Add(-threshold), end) && !h.used(end.Add(time.Nanosecond-threshold), end) && !created.After(end.Add(-threshold))
		neverUsed := fresh && !created.IsZero() && h.proven(created, end) && !h.used(created, end)

		switch grade := h.activity().Grade(threshold, created, gradedAt); grade {
		case schema.GradeActive:
			require.True(t, h.used(gradedAt.Add(-threshold), gradedAt), "it was not used")
		case schema.GradeInactive:
			require.True(t, silent, "the silence is not proven")
			require.False(t, neverUsed, "it is known that it was never used")
		case schema.GradeNever:
			require.True(t, neverUsed, "it may have been used")
		case schema.GradeNotCollected:
			require.False(t, collected)
		case schema.GradeUnknown:
			require.True(t, collected)
			require.False(t, silent || neverUsed, "the coverage proves more than that")
		default:
			require.Fail(t, "there is no grade "+string(grade))
		}
	})
}

// TestGradesOfSeveralSources: use seen anywhere counts, silence is the first
// collected source's to prove.
func TestGradesOfSeveralSources(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		threshold := time.Duration(rapid.IntRange(1, 150).Draw(t, "threshold")) * time.Hour
		created := drawAgo(t, "created", 260)
		var known []schema.Activity
		var first *history
		var seen []time.Time
		for range rapid.IntRange(0, 3).Draw(t, "sources") {
			h := drawHistory(t, created)
			known = append(known, h.activity())
			if _, collected := h.readUpTo(); collected && first == nil {
				first = &h
			}
			if last := h.activity().LastActiveAt; !last.IsZero() {
				seen = append(seen, last)
			}
		}
		cutoff := gradedAt.Add(-threshold)
		grade := schema.GradeOf(known, threshold, created, gradedAt)
		require.Equal(t, slices.ContainsFunc(seen, func(at time.Time) bool { return !at.Before(cutoff) }), grade == schema.GradeActive)
		if first == nil {
			require.Contains(t, []schema.Grade{schema.GradeNotCollected, schema.GradeActive}, grade)
			return
		}
		end, _ := first.readUpTo()
		switch grade {
		case schema.GradeInactive:
			require.True(t, first.proven(end.Add(-threshold), end))
			require.False(t, slices.ContainsFunc(seen, func(at time.Time) bool { return at.After(end.Add(-threshold)) }))
		case schema.GradeNever:
			require.Empty(t, seen, "another source saw it used")
			require.True(t, first.proven(created, end))
		case schema.GradeNotCollected:
			require.Fail(t, "a source is collected")
		}
	})
}

func TestJoinInterval(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var drawn, joined []schema.Interval
		for range rapid.IntRange(0, 6).Draw(t, "spans") {
			to := drawAgo(t, "to", 60)
			span := schema.Interval{From: to.Add(-time.Duration(rapid.IntRange(-1, 12).Draw(t, "length")) * time.Hour), To: to}
			drawn = append(drawn, span)
			joined = schema.JoinInterval(joined, span)
		}
		for i, span := range joined {
			require.False(t, span.Empty())
			require.True(t, i == 0 || span.From.After(joined[i-1].To), "spans stand apart")
		}
		require.Len(t, schema.Holes(joined), max(len(joined)-1, 0))
		contains := func(spans []schema.Interval, at time.Time) bool {
			return slices.ContainsFunc(spans, func(i schema.Interval) bool { return i.Contains(at) })
		}
		for hour := range 2 * 75 {
			at := gradedAt.Add(-time.Duration(hour) * 30 * time.Minute)
			require.Equal(t, contains(drawn, at), contains(joined, at))
		}
	})
}
