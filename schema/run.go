package schema

import "time"

// RunID names a run.
type RunID string

// RunKind is what a run of a connection does.
type RunKind string

// The kinds of run.
const (
	RunSync     RunKind = "sync"     // list accounts, groups and what groups may reach
	RunActivity RunKind = "activity" // read the vendor's events: the past once, then what is new
	RunProbe    RunKind = "probe"    // ask the doctor
)

// RunState is where a run is.
type RunState string

// The states of a run. A quarantined sync waits for an admin: what it listed is
// kept and not applied.
const (
	RunQueued      RunState = "queued"
	RunRunning     RunState = "running"
	RunDone        RunState = "done"
	RunQuarantined RunState = "quarantined"
	RunFailed      RunState = "failed"
	RunDiscarded   RunState = "discarded" // quarantined, and never to be applied
)

// Open tells whether the run has work before it.
func (s RunState) Open() bool { return s == RunQueued || s == RunRunning }

// RunTrigger is who wanted a run.
type RunTrigger string

// The triggers of runs.
const (
	TriggerSchedule RunTrigger = "schedule"
	TriggerPerson   RunTrigger = "person"
)

// RunCause is why a run failed or is quarantined. It names no account.
type RunCause struct {
	Code    string `json:"code"` // a ProbeCode, ShrunkTooMuch or another
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

// The causes of runs that no probe names.
const (
	// CauseShrunk: the vendor listed fewer accounts than before, by more than
	// MostLost allows.
	CauseShrunk = "SHRUNK"
	// CauseListing: the vendor's listing did not come to an end: markers expired
	// again and again, or an answer broke the vendor's contract.
	CauseListing = "LISTING_FAILED"
	// CauseInternal: a fault of ours.
	CauseInternal = "INTERNAL"
)

// Run is one pass over a connection.
type Run struct {
	ID           RunID
	ConnectionID ConnectionID
	Kind         RunKind
	State        RunState
	Trigger      RunTrigger
	RequestedBy  string    // principal's name; empty for a schedule
	Baseline     bool      // the connection's first sync that was applied: nothing in it is a change
	Cause        *RunCause // of failed and quarantined
	CreatedAt    time.Time
	StartedAt    time.Time // zero = not yet
	EndedAt      time.Time // zero = open
	Datasets     []DatasetProgress
}

// Dataset is one kind of fact that a connection gives.
type Dataset string

// The data sets.
const (
	DataAccounts       Dataset = "accounts"
	DataGroups         Dataset = "groups"
	DataMemberships    Dataset = "memberships"
	DataCollaborations Dataset = "group_collaborations"
	DataActivity       Dataset = "activity"
)

// SyncDatasets are those a sync lists, in order.
func SyncDatasets() []Dataset {
	return []Dataset{DataAccounts, DataGroups, DataMemberships, DataCollaborations}
}

// DatasetState says what is known of a data set.
type DatasetState string

// The states of a data set.
const (
	DatasetPending      DatasetState = "pending"       // of a run: not begun
	DatasetCollecting   DatasetState = "collecting"    // of a run: under way
	DatasetCollected    DatasetState = "collected"     // whole
	DatasetPartial      DatasetState = "partial"       // less than all; the reason says what is missing
	DatasetNotCollected DatasetState = "not_collected" // the reason says why
)

// DatasetProgress is how far a run is with a data set.
type DatasetProgress struct {
	Dataset    Dataset
	State      DatasetState
	Reason     string // code, when it is not collected or partial
	Generation int    // raised each time the listing began anew
	Pages      int    // of this generation
	Rows       int64  // of this generation
	Marker     string // where the next page begins; "" before the first and after the last
	UpdatedAt  time.Time
}

// DatasetStatus is what is known of a connection's data set.
type DatasetStatus struct {
	ConnectionID ConnectionID
	Dataset      Dataset
	State        DatasetState
	Reason       string    // code
	Detail       string    // in words
	AsOf         time.Time // when what is known was listed; zero = never
	Rows         int64
}

// MostLost is how many of the accounts listed before may be missing in a
// listing that is applied by itself: 10 %, or 5 if that is more.
func MostLost(before int64) int64 { return max(before/10, 5) }

// Schedule is how often a connection's runs begin by themselves.
type Schedule struct {
	Sync     time.Duration // 0 = never
	Activity time.Duration // 0 = never
	Probe    time.Duration // never 0
	// Backfill is how far back the first read of events goes.
	Backfill time.Duration
}

// DefaultSchedule is the schedule of a connection for which none was set.
func DefaultSchedule() Schedule {
	return Schedule{Sync: 24 * time.Hour, Activity: 15 * time.Minute, Probe: 15 * time.Minute, Backfill: 183 * 24 * time.Hour}
}

// CorrelationResult counts what a correlation of accounts to persons did.
type CorrelationResult struct {
	Matched   int64 // accounts newly matched
	Unmatched int64 // accounts of people that match nobody
	Issues    int64 // accounts that more than one person could hold, or whose person is contradicted
}
