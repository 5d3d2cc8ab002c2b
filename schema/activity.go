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
// besides. Otherwise silence has to be proven: never, when the account was made
// inside the covered span and not used since; inactive, when the whole threshold
// is covered. A feed that was not read for FreshFor, or a hole inside the
// threshold, leaves it unknown.
func (a Activity) Grade(threshold time.Duration, created, now time.Time) Grade {
	cutoff := now.Add(-threshold)
	switch {
	case !a.LastActiveAt.IsZero() && !a.LastActiveAt.Before(cutoff):
		return GradeActive
	case a.Covered.Empty():
		return GradeNotCollected
	case now.Sub(a.Covered.To) > FreshFor:
		return GradeUnknown
	case a.LastActiveAt.IsZero() && !created.IsZero() && !created.Before(a.Covered.From):
		return GradeNever
	case a.Covered.From.After(cutoff):
		return GradeUnknown
	default:
		return GradeInactive
	}
}

// GradeOf grades by several sources in their declared order: use seen by any of
// them counts, silence is judged by the first that is collected.
func GradeOf(sources []Activity, threshold time.Duration, created, now time.Time) Grade {
	result := GradeNotCollected
	for _, a := range sources {
		g := a.Grade(threshold, created, now)
		if g == GradeActive {
			return g
		}
		if result == GradeNotCollected {
			result = g
		}
	}
	return result
}

// FeedState is what is known of a connection's feed of events.
type FeedState struct {
	ConnectionID ConnectionID
	Source       ActivitySource
	// Live is the position in the live stream after the last event handled, as
	// the vendor writes it; LiveAt is when it was read.
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
