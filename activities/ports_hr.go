package activities

import (
	"context"

	"sendoff/connectors"
	"sendoff/schema"
)

// LeaverStore keeps what HR wants for people who leave. Methods with a revision
// return CodeStale when what HR wants has changed since it was read.
type LeaverStore interface {
	Leaver(ctx context.Context, id schema.LeaverID) (schema.Leaver, error)
	// OpenCaseOf returns the newest case of the person that is not closed and acts
	// for the door offboarding, and whether there is one.
	OpenCaseOf(ctx context.Context, person schema.PersonID) (schema.Case, bool, error)
	// LoginsOf returns the logins of the person's accounts that are not deleted, on
	// enabled connections.
	LoginsOf(ctx context.Context, person schema.PersonID) ([]string, error)
	// OpenLeaverCase writes the draft's case and joins the leaver to it, in one
	// transaction; CreateCases' errors besides.
	OpenLeaverCase(ctx context.Context, id schema.LeaverID, revision int64, d schema.Draft) (schema.Case, error)
	// JoinCase joins a leaver to a case that another opened.
	JoinCase(ctx context.Context, id schema.LeaverID, revision int64, c schema.CaseID) error
	// MissLeaver and RefuseLeaver record that there is no account, or that pre-flight
	// refuses. Said again, they change nothing.
	MissLeaver(ctx context.Context, id schema.LeaverID, revision int64) error
	RefuseLeaver(ctx context.Context, id schema.LeaverID, revision int64, findings []schema.Finding) error
	// MoveLeaverCase gives the leaver's own case the leaver's moment, if none of its
	// plans has begun; CodeConflict else. A moment that it was given before is not
	// given again.
	MoveLeaverCase(ctx context.Context, id schema.LeaverID, revision int64) error
	// CancelLeaverCase cancels the leaver's own case and keeps what will not come
	// back. With unlessBegun, CodeConflict when a plan has begun.
	CancelLeaverCase(ctx context.Context, id schema.LeaverID, revision int64, reason string, lost []string, unlessBegun bool) error
	// EndLeaver ends it. Of a withdrawn one it adds what nothing undoes.
	EndLeaver(ctx context.Context, id schema.LeaverID, revision int64, end schema.LeaverEnd) error
	// LeaveCase parts a held leaver from its own case that was cancelled.
	LeaveCase(ctx context.Context, id schema.LeaverID, revision int64) error
}

// PollStore keeps where the polls of sources are.
type PollStore interface {
	Source(ctx context.Context, id schema.SourceID) (schema.Source, error)
	SourceSecrets(ctx context.Context, id schema.SourceID) (schema.SourceSecrets, error)
	// AcceptPoll writes the events of a poll and where the next goes on, in one
	// transaction, and clears AlarmPollFailed. Events that came before are left out
	// of the count. CodeConflict when the marker is no longer from.
	AcceptPoll(ctx context.Context, id schema.SourceID, from, to string, events []schema.HREvent) (accepted int, err error)
	// PollFailed keeps why a poll failed, in words free of data, and raises
	// AlarmPollFailed.
	PollFailed(ctx context.Context, id schema.SourceID, message string) error
}

// EmployeeFeeds opens the API of a source.
type EmployeeFeeds interface {
	OpenFeed(ctx context.Context, s schema.Source, apiKey string) (connectors.EmployeeFeed, error)
}
