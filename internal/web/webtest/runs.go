package webtest

import (
	"context"

	"sendoff/schema"
)

// RunFuncs is a web.RunStore of functions.
type RunFuncs struct {
	StartRunFunc           func(connection string, kind schema.RunKind) (schema.Run, error)
	EnabledConnectionsFunc func() ([]schema.Connection, error)
	RunFunc                func(schema.RunID) (schema.Run, error)
	ListRunsFunc           func(schema.RunFilter) ([]schema.Run, string, error)
	ReleaseRunFunc         func(id schema.RunID, reason string) (schema.Run, error)
	DiscardRunFunc         func(id schema.RunID, reason string) (schema.Run, error)
}

// StartRun calls its function, as does each method below.
func (f *RunFuncs) StartRun(_ context.Context, connection string, kind schema.RunKind, _ schema.RunTrigger, _ schema.Principal) (schema.Run, error) {
	return f.StartRunFunc(connection, kind)
}

// EnabledConnections calls its function.
func (f *RunFuncs) EnabledConnections(context.Context) ([]schema.Connection, error) {
	return f.EnabledConnectionsFunc()
}

// Run calls its function.
func (f *RunFuncs) Run(_ context.Context, id schema.RunID) (schema.Run, error) { return f.RunFunc(id) }

// ListRuns calls its function.
func (f *RunFuncs) ListRuns(_ context.Context, filter schema.RunFilter) ([]schema.Run, string, error) {
	return f.ListRunsFunc(filter)
}

// ReleaseRun calls its function.
func (f *RunFuncs) ReleaseRun(_ context.Context, id schema.RunID, reason string, _ schema.Principal) (schema.Run, error) {
	return f.ReleaseRunFunc(id, reason)
}

// DiscardRun calls its function.
func (f *RunFuncs) DiscardRun(_ context.Context, id schema.RunID, reason string, _ schema.Principal) (schema.Run, error) {
	return f.DiscardRunFunc(id, reason)
}
