package schema

import "time"

// LeaverState is how far a leaver is.
type LeaverState string

// The states of a leaver.
const (
	LeaverHeld      LeaverState = "held"       // its batch awaits a release
	LeaverPlanning  LeaverState = "planning"   // a case is to be opened
	LeaverNoAccount LeaverState = "no_account" // nobody has an account of theirs; looked again until some time after the moment
	LeaverRefused   LeaverState = "refused"    // pre-flight refuses: Findings say why; tried again
	LeaverOpen      LeaverState = "open"       // a case works
	LeaverWithdrawn LeaverState = "withdrawn"  // they do not leave after all: what was done is being undone
	LeaverEnded     LeaverState = "ended"
)

// LeaverEnd is how it ended with a leaver.
type LeaverEnd string

// The ends.
const (
	EndDone      LeaverEnd = "done"       // the case is done
	EndWithdrawn LeaverEnd = "withdrawn"  // and everything that can be is as before; Lost says what is not
	EndCancelled LeaverEnd = "cancelled"  // an operator cancelled the case
	EndNoAccount LeaverEnd = "no_account" // there never was an account
	EndDiscarded LeaverEnd = "discarded"  // the batch was discarded
)

// Leaver is what HR wants for a person who leaves, and the case that does it. A
// person has at most one that has not ended.
type Leaver struct {
	ID       LeaverID
	PersonID PersonID
	Email    string // of the person
	Name     string
	SourceID SourceID
	Source   string // name
	// ExternalID is the employment that decides, in the source; empty = by hand.
	ExternalID string
	Moment     Moment
	ForCause   bool
	Reason     string // of leaving, as the source says
	ByHand     bool   // feeds do not change it
	State      LeaverState
	End        LeaverEnd // of an ended one
	CaseID     CaseID    // empty = none yet
	// OwnCase tells that the case was opened for this leaver. Another's is left as it
	// is: neither moved nor cancelled by HR.
	OwnCase  bool
	BatchID  BatchID   // of one that is or was held
	Findings []Finding // of pre-flight
	// Lost are what does not come back of a withdrawn one, in words.
	Lost []string
	// Revision is raised by each change of what HR wants.
	Revision  int64
	Template  string // of the source when it was heard
	Receivers []string
	Approvals int
	CreatedAt time.Time
	UpdatedAt time.Time
	EndedAt   time.Time
}

// LeaverFilter selects leavers; zero values select all.
type LeaverFilter struct {
	Source string
	State  LeaverState
	Email  string
	Open   bool // not ended
	Batch  BatchID
	After  string
	Limit  int
}

// LeaverFacts is what decides whether a person leaves, and when.
type LeaverFacts struct {
	Employments []Employment // all of the person's, of every source
	// New are those that were never heard of before: one that ended long ago is
	// history and starts nothing.
	New map[EmploymentKey]bool
	// Directories are the sources that tell of accounts and not of employments, such
	// as identity providers: what they tell as lasting protects nobody whose
	// employment ends elsewhere, for it ends later.
	Directories map[string]bool
	Rule        MomentRule
	Zones       Zones
	HeardAt     time.Time
}

// Zones are those that stand in for a person's own.
type Zones struct {
	Sites   map[string]string // by the site's name
	Company string
}

// Leaving is the verdict on LeaverFacts.
type Leaving struct {
	Leaves   bool
	Key      EmploymentKey // that decides; the one that lasts for somebody who stays
	Moment   Moment
	ForCause bool
	// Contradicts tells that somebody who goes on being employed was dismissed for
	// cause: they do not leave at once, and people must look (AlarmForCause).
	Contradicts bool
	Reason      string
	Why         string // in words, for the audit record
}

// LeaverJudge tells whether a person leaves. It is pure: the same facts have the
// same verdict.
type LeaverJudge func(LeaverFacts) (Leaving, error)

// EmploymentStatus is what a source says of an employment besides its days.
type EmploymentStatus string

// The states of an employment.
const (
	StatusUnsaid  EmploymentStatus = ""
	StatusActive  EmploymentStatus = "active"
	StatusOnLeave EmploymentStatus = "on_leave" // parental, sick: employed
	StatusEnded   EmploymentStatus = "ended"
)

// Applied is what one round of applying events did.
type Applied struct {
	Source  string
	Events  int
	Leavers int // new, moved or withdrawn
	Held    int
}
