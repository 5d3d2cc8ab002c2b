package schema

import (
	"slices"
	"time"
)

// SourceCoverage is what is known of one source of a connection's activity.
type SourceCoverage struct {
	Source  ActivitySource
	Covered []Interval // as in FeedState: oldest first, holes between them
	// Backfill is the span of the past that is still being read; empty = none.
	Backfill Interval
	Events   int64 // handled so far
}

// Unbroken is the last covered span: what grades are proven by.
func (c SourceCoverage) Unbroken() Interval { return FeedState{Covered: c.Covered}.Unbroken() }

// Holes are the spans between the covered ones, oldest first.
func (c SourceCoverage) Holes() []Interval { return Holes(c.Covered) }

// Holes are the spans between intervals that stand in order and apart, as
// JoinInterval leaves them.
func Holes(covered []Interval) []Interval {
	var holes []Interval
	for i := 1; i < len(covered); i++ {
		holes = append(holes, Interval{From: covered[i-1].To, To: covered[i].From})
	}
	return holes
}

// JoinInterval adds a span to intervals, which may be in any order, and returns
// them oldest first, with those that touch or overlap made one. Empty ones are
// left out.
func JoinInterval(covered []Interval, span Interval) []Interval {
	sorted := slices.DeleteFunc(append(slices.Clone(covered), span), Interval.Empty)
	slices.SortFunc(sorted, func(a, b Interval) int { return a.From.Compare(b.From) })
	var out []Interval
	for _, i := range sorted {
		if last := len(out) - 1; last >= 0 && !i.From.After(out[last].To) {
			out[last].To = later(out[last].To, i.To)
			continue
		}
		out = append(out, i)
	}
	return out
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
