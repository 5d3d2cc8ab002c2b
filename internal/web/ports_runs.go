package web

import (
	"context"

	"sendoff/schema"
)

// RunStore starts runs, tells how far they are, and decides quarantined ones.
type RunStore interface {
	// StartRun makes a run of a connection named or given by id. CodeConflict names
	// the run of that kind that is open, CodeClosed is a connection that is not enabled.
	StartRun(ctx context.Context, connection string, kind schema.RunKind, trigger schema.RunTrigger, by schema.Principal) (schema.Run, error)
	EnabledConnections(ctx context.Context) ([]schema.Connection, error)
	Run(ctx context.Context, id schema.RunID) (schema.Run, error)
	// ListRuns lists runs, newest first.
	ListRuns(ctx context.Context, f schema.RunFilter) (runs []schema.Run, next string, err error)
	// ReleaseRun applies a quarantined sync after all, DiscardRun gives it up.
	// CodeConflict when it is not quarantined, or was overtaken by a later one.
	ReleaseRun(ctx context.Context, id schema.RunID, reason string, by schema.Principal) (schema.Run, error)
	DiscardRun(ctx context.Context, id schema.RunID, reason string, by schema.Principal) (schema.Run, error)
}
