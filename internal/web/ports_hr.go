package web

import (
	"context"
	"time"

	"sendoff/schema"
)

// HRStore keeps the sources of HR events, what they tell, and who leaves by it.
type HRStore interface {
	SourceStore
	InboxStore
	LeaverStore
	BatchStore
}

// SourceStore keeps sources of HR events.
type SourceStore interface {
	// CreateSource seals the secrets and stores the source. CodeConflict when the
	// name is taken.
	CreateSource(ctx context.Context, s schema.Source, secrets schema.SourceSecrets, by schema.Principal) (schema.Source, error)
	// ListSources lists the sources that are not removed, by name.
	ListSources(ctx context.Context, after string, limit int) (sources []schema.Source, next string, err error)
	// SourceByName returns a source that is not removed; CodeNotFound.
	SourceByName(ctx context.Context, name string) (schema.Source, error)
	// UpdateSource replaces what people may set of a source. CodeConflict when it is
	// no longer at s.Version. Audited with what differs.
	UpdateSource(ctx context.Context, s schema.Source, by schema.Principal) (schema.Source, error)
	// RotateSource replaces the secrets that are given; the one before verifies
	// webhooks for the overlap.
	RotateSource(ctx context.Context, name string, secrets schema.SourceSecrets, overlap time.Duration, by schema.Principal) (schema.Source, error)
	// SetSourceState enables, disables or removes; removing forgets the secrets and
	// revokes the tokens. The built-in source stays.
	SetSourceState(ctx context.Context, name string, to schema.ConnectionState, reason string, by schema.Principal) (schema.Source, error)
	// SourceSecrets returns a source's secrets, the previous one while it is good.
	SourceSecrets(ctx context.Context, id schema.SourceID) (schema.SourceSecrets, error)
	// PollSource lets the source's API be asked now. CodeConflict for a source that
	// has none or is not enabled.
	PollSource(ctx context.Context, name string, by schema.Principal) (schema.Source, error)
	CreateSourceToken(ctx context.Context, name string, tokenHash [32]byte, expires time.Time, by schema.Principal) (schema.SourceToken, error)
	ListSourceTokens(ctx context.Context, name string) ([]schema.SourceToken, error)
	RevokeSourceToken(ctx context.Context, name string, id schema.TokenID, by schema.Principal) (schema.SourceToken, error)
	ListSites(ctx context.Context, after string, limit int) (sites []schema.Site, next string, err error)
	// SetSite names the zone of a site, "" removes the site. Audited.
	SetSite(ctx context.Context, s schema.Site, by schema.Principal) (schema.Site, error)
}

// InboxStore keeps events before they are answered.
type InboxStore interface {
	// AcceptEvent writes an event, unless the same came before: then it is a
	// Duplicate, and what was written first is returned. CodeConflict for the same id
	// with another body, which also raises AlarmEventReused. A refused event that
	// comes again, readable now, is accepted.
	AcceptEvent(ctx context.Context, e schema.HREvent) (schema.Accepted, error)
	// ListHREvents lists events, newest first, without their bodies.
	ListHREvents(ctx context.Context, f schema.HREventFilter) (events []schema.HREvent, next string, err error)
	// HREvent returns one event with its body; CodeNotFound.
	HREvent(ctx context.Context, id schema.HREventID) (schema.HREvent, error)
}

// LeaverStore knows who leaves.
type LeaverStore interface {
	// ListLeavers lists leavers, newest first.
	ListLeavers(ctx context.Context, f schema.LeaverFilter) (leavers []schema.Leaver, next string, err error)
	// FindLeaver returns the leaver of an id, or the newest of an address, one that
	// has not ended before others; CodeNotFound.
	FindLeaver(ctx context.Context, ref string) (schema.Leaver, error)
	// RetryLeaver tells a leaver to be looked at now. CodeConflict for one that has
	// ended.
	RetryLeaver(ctx context.Context, id schema.LeaverID, by schema.Principal) error
	// LeaverOfCase returns the leaver that a case was opened for or joined by.
	LeaverOfCase(ctx context.Context, id schema.CaseID) (schema.Leaver, bool, error)
}

// BatchStore keeps what would have started more than its limit allows.
type BatchStore interface {
	ListBatches(ctx context.Context, f schema.BatchFilter) (batches []schema.Batch, next string, err error)
	// FindBatch returns the batch of an id or of 8 or more characters of one.
	FindBatch(ctx context.Context, ref string) (schema.Batch, error)
	// DecideBatch writes a principal's word on a held batch: the second release by
	// another principal, of a batch no larger than the first one saw, starts it; one
	// discard ends it. CodeConflict for the same principal again, for a batch that is
	// not held, or one that has grown since d.Size; CodeForbidden for a batch with
	// the principal in it.
	DecideBatch(ctx context.Context, id schema.BatchID, d schema.BatchDecision, by schema.Principal) (schema.Batch, error)
}
