package activities

import (
	"context"
	"time"

	"sendoff/schema"
)

// InventoryStore is what the activities of runs need of Postgres. Methods that
// carry a position move it by compare-and-set in the transaction that stores what
// the position is after: CodeStale when another try got ahead.
type InventoryStore interface {
	RunStore
	SyncStore
	FeedStore
	HealthStore
}

// RunStore moves runs.
type RunStore interface {
	// BeginRun moves a queued run to running; one that runs is returned as it is.
	// CodeStopped when it has ended, CodeClosed when its connection is not enabled.
	BeginRun(ctx context.Context, id schema.RunID) (schema.Run, schema.Connection, error)
	// RunOf reads a run, ended ones included, with its connection as it is.
	RunOf(ctx context.Context, id schema.RunID) (schema.Run, schema.Connection, error)
	// EndRun ends an open run. The cause of a failure is kept; audited.
	EndRun(ctx context.Context, id schema.RunID, to schema.RunState, cause *schema.RunCause) error
}

// SyncStore stages what a sync lists and applies it.
type SyncStore interface {
	// Progress is how far the run is with the data set.
	Progress(ctx context.Context, id schema.RunID, d schema.Dataset) (schema.DatasetProgress, error)
	// FinishDataset records that the run is through with a data set: collected,
	// partial or not_collected, with the reason.
	FinishDataset(ctx context.Context, id schema.RunID, d schema.Dataset, to schema.DatasetState, reason string) error
	// RestartDataset begins the listing of accounts or groups anew, in the next
	// generation; what was staged of it, and of what depends on it, is dropped.
	RestartDataset(ctx context.Context, id schema.RunID, at schema.DatasetProgress) (schema.DatasetProgress, error)
	// StageAccounts and StageGroups store a page with the marker of the next one.
	// An entry that came before replaces it.
	StageAccounts(ctx context.Context, id schema.RunID, at schema.DatasetProgress, entries []schema.Account, next string) (schema.DatasetProgress, error)
	StageGroups(ctx context.Context, id schema.RunID, at schema.DatasetProgress, entries []schema.Group, next string) (schema.DatasetProgress, error)
	// UnlistedGroups returns up to limit staged groups whose members (or
	// collaborations) are not wholly listed, after an id, in its order.
	UnlistedGroups(ctx context.Context, id schema.RunID, d schema.Dataset, after schema.ExternalID, limit int) ([]GroupListing, error)
	StageMembers(ctx context.Context, id schema.RunID, at GroupListing, entries []schema.GroupMember, next string) error
	StageCollaborations(ctx context.Context, id schema.RunID, at GroupListing, entries []schema.GroupCollaboration, next string) error
	// EndGroup records that a group cannot be listed: it is gone, or its listing
	// was refused.
	EndGroup(ctx context.Context, id schema.RunID, d schema.Dataset, group schema.ExternalID, gone bool) error
	// Absent returns up to limit accounts that were listed before and are not
	// staged, nor read by this run yet: those longest not read first. An account of
	// a kind that listings leave out is never absent.
	Absent(ctx context.Context, id schema.RunID, limit int) ([]schema.ExternalID, error)
	// StageRead stages an account that was read by id because the listing left it
	// out; StageAbsence that the read did not find it.
	StageRead(ctx context.Context, id schema.RunID, a schema.Account) error
	StageAbsence(ctx context.Context, id schema.RunID, account schema.ExternalID, readAt time.Time) error
	// PublishSync applies what was staged, in one transaction, and ends the run
	// done; or, when too few accounts were listed (schema.MostLost), quarantines it.
	// Absent accounts become missing; those whose absence was read, and whose end
	// our journal or the vendor's feed tells, deleted. A later observation of an
	// account is not overwritten. Repeating it returns the run as it ended.
	PublishSync(ctx context.Context, id schema.RunID) (schema.Run, error)
}

// GroupListing is how far the listing of one group is.
type GroupListing = schema.GroupListing

// FeedStore handles a vendor's events.
type FeedStore interface {
	// Feed returns where reading is; a feed never begun has no Live and no Covered.
	Feed(ctx context.Context, c schema.ConnectionID, s schema.ActivitySource) (schema.FeedState, error)
	// BeginFeed starts a feed, or starts it anew after a gap: live is the position
	// from which the live stream is complete since an instant, past the span to be
	// read back (empty = none). A gap between what was covered and the instant is a
	// hole, unless past fills it: AlarmActivityHole is raised, and cleared by the
	// back-fill that closes it. CodeStale when f is not how the feed stands.
	BeginFeed(ctx context.Context, f schema.FeedState, live string, at time.Time, past schema.Interval) (schema.FeedState, error)
	// HandleLive stores events of the live stream, with the position after them.
	// coveredTo is the instant up to which the stream is now complete (zero = it is
	// not known yet, there is more to fetch).
	HandleLive(ctx context.Context, f schema.FeedState, events []schema.ActivityEvent, next string, coveredTo time.Time) (schema.FeedState, error)
	// HandlePast stores events of the past, with the position after them; end means
	// that the span is read, and it joins the covered ones.
	HandlePast(ctx context.Context, f schema.FeedState, events []schema.ActivityEvent, next string, end bool) (schema.FeedState, error)
	// SaveActivityStatus records whether the data set activity is collected.
	SaveActivityStatus(ctx context.Context, c schema.ConnectionID, to schema.DatasetState, reason, detail string) error
	// CountRead adds to what the run shows of its progress.
	CountRead(ctx context.Context, id schema.RunID, d schema.Dataset, pages int, rows int64) error
	// BackfillOf is how far back the connection's first read of events goes.
	BackfillOf(ctx context.Context, c schema.ConnectionID) (time.Duration, error)
}

// HealthStore keeps what the doctor finds.
type HealthStore interface {
	// SaveDiagnosis stores it and moves the connection's health; each fault that is
	// new raises an alarm, each that is over is cleared. Audited when health or
	// code change.
	SaveDiagnosis(ctx context.Context, d schema.Diagnosis) error
	// RaiseAlarm opens an alarm unless one is open for that connection and code.
	RaiseAlarm(ctx context.Context, a schema.Alarm) error
	// ClearAlarm ends the open alarm of that code, if there is one.
	ClearAlarm(ctx context.Context, c schema.ConnectionID, code string) error
	// UntoldAlarms returns open alarms of the connection that its owner has not
	// been told of; AlarmTold records that they were.
	UntoldAlarms(ctx context.Context, c schema.ConnectionID) ([]schema.Alarm, error)
	AlarmTold(ctx context.Context, id schema.AlarmID) error
}
