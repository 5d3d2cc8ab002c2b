package schema

import "time"

// ActivityEvent is one event of a vendor's feed, as far as it is kept.
type ActivityEvent struct {
	ID   string // the vendor's; the same in all of its streams
	Type string // the vendor's word
	At   time.Time
	// Actor is whose use it proves; empty = nobody's: an administrator's, an
	// application's or our own.
	Actor ExternalID
	// Deleted is the account that the event says was deleted, and DeletedBy who
	// did it, if it tells.
	Deleted, DeletedBy ExternalID
}

// ActivitySource names where activity comes from, such as box.events. A
// connection's sources stand in a declared order: the first one that is
// collected decides what silence means.
type ActivitySource string

// Interval is a span of time, both ends included.
type Interval struct{ From, To time.Time }

// Empty tells whether nothing is in it.
func (i Interval) Empty() bool { return i.From.IsZero() || i.To.Before(i.From) }

// Contains tells whether an instant that is known (not zero) is in it.
func (i Interval) Contains(at time.Time) bool {
	return !i.Empty() && !at.IsZero() && !at.Before(i.From) && !at.After(i.To)
}

// Activity is what is known of an account's use from one source.
type Activity struct {
	Source       ActivitySource
	LastActiveAt time.Time // zero = no use was ever seen
	LastEvent    string    // the vendor's word
	// Covered is the unbroken span, up to the last read, for which every event
	// is known; empty = nothing was collected.
	Covered Interval
}

// Grade is what activity comes to, for a threshold.
type Grade string

// The grades (DESIGN section 3).
const (
	GradeActive       Grade = "active"
	GradeInactive     Grade = "inactive"
	GradeNever        Grade = "never"
	GradeUnknown      Grade = "unknown"
	GradeNotCollected Grade = "not_collected"
)

// FreshFor is how old the last read of a feed may be before silence in it says
// nothing any more.
const FreshFor = 48 * time.Hour

// Grade grades an account that was created at an instant (zero = not known), as
// of now. Use within the threshold makes it active, whatever is not known
// besides. Otherwise silence has to be proven, up to the last read of the feed,
// which may be FreshFor ago: never, when the account was made inside the covered
// span and not used since; inactive, when nothing is missing from a silence as
// long as the threshold. All else is unknown: a feed that was not read for
// FreshFor, a hole inside the silence, an account made after the last read.
func (a Activity) Grade(threshold time.Duration, created, now time.Time) Grade {
	switch {
	case !a.LastActiveAt.IsZero() && !a.LastActiveAt.Before(now.Add(-threshold)):
		return GradeActive
	case a.Covered.Empty():
		return GradeNotCollected
	case now.Sub(a.Covered.To) > FreshFor:
		return GradeUnknown
	case a.LastActiveAt.IsZero() && a.Covered.Contains(created):
		return GradeNever
	}
	// A clock that was ahead cannot prove a silence that has not been yet.
	until := earlier(a.Covered.To, now)
	since := later(a.Covered.From, later(a.LastActiveAt, created))
	if since.After(until.Add(-threshold)) {
		return GradeUnknown
	}
	return GradeInactive
}

// GradeOf grades by several sources in their declared order: use seen by any of
// them counts, silence is judged by the first that is collected.
func GradeOf(sources []Activity, threshold time.Duration, created, now time.Time) Grade {
	var sum Activity
	for _, a := range sources {
		sum.LastActiveAt = later(sum.LastActiveAt, a.LastActiveAt)
		if sum.Covered.Empty() {
			sum.Covered = a.Covered
		}
	}
	return sum.Grade(threshold, created, now)
}

// FeedState is what is known of a connection's feed of events.
type FeedState struct {
	ConnectionID ConnectionID
	Source       ActivitySource
	// Live is the position in the live stream after the last event handled, as
	// the vendor writes it; LiveAt is the instant up to which the stream was last
	// known to be read to its end.
	Live   string
	LiveAt time.Time
	// Backfill is the span of the past that is being read and where reading is;
	// empty when nothing is.
	Backfill         Interval
	BackfillPosition string
	// Covered are the spans for which every event is known, oldest first; what
	// lies between two of them is a hole.
	Covered []Interval
	Events  int64 // handled so far
}

// Unbroken is the last covered span: what grades are proven by.
func (f FeedState) Unbroken() Interval {
	if len(f.Covered) == 0 {
		return Interval{}
	}
	return f.Covered[len(f.Covered)-1]
}
