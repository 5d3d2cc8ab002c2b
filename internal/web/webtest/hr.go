package webtest

import (
	"context"
	"time"

	"sendoff/internal/web"
	"sendoff/schema"
)

// HRFuncs is a web.HRStore of functions.
type HRFuncs struct {
	CreateSourceFunc      func(schema.Source, schema.SourceSecrets) (schema.Source, error)
	ListSourcesFunc       func(after string, limit int) ([]schema.Source, string, error)
	SourceByNameFunc      func(name string) (schema.Source, error) // nil = there is none
	UpdateSourceFunc      func(schema.Source) (schema.Source, error)
	RotateSourceFunc      func(name string, secrets schema.SourceSecrets, overlap time.Duration) (schema.Source, error)
	SetSourceStateFunc    func(name string, to schema.ConnectionState, reason string) (schema.Source, error)
	SourceSecretsFunc     func(schema.SourceID) (schema.SourceSecrets, error)
	PollSourceFunc        func(name string) (schema.Source, error)
	CreateSourceTokenFunc func(name string, hash [32]byte, expires time.Time, by schema.Principal) (schema.SourceToken, error)
	ListSourceTokensFunc  func(name string) ([]schema.SourceToken, error)
	RevokeSourceTokenFunc func(name string, id schema.TokenID) (schema.SourceToken, error)
	ListSitesFunc         func(after string, limit int) ([]schema.Site, string, error)
	SetSiteFunc           func(schema.Site, schema.Principal) (schema.Site, error)
	AcceptEventFunc       func(schema.HREvent) (schema.Accepted, error)
	ListHREventsFunc      func(schema.HREventFilter) ([]schema.HREvent, string, error)
	HREventFunc           func(schema.HREventID) (schema.HREvent, error)
	ListLeaversFunc       func(schema.LeaverFilter) ([]schema.Leaver, string, error)
	FindLeaverFunc        func(ref string) (schema.Leaver, error)
	RetryLeaverFunc       func(id schema.LeaverID, by schema.Principal) error
	LeaverOfCaseFunc      func(schema.CaseID) (schema.Leaver, bool, error) // nil = nobody is one
	ListBatchesFunc       func(schema.BatchFilter) ([]schema.Batch, string, error)
	FindBatchFunc         func(ref string) (schema.Batch, error)
	DecideBatchFunc       func(schema.BatchID, schema.BatchDecision, schema.Principal) (schema.Batch, error)
}

var _ web.HRStore = (*HRFuncs)(nil)

// CreateSource calls its function, as does each method below.
func (f *HRFuncs) CreateSource(_ context.Context, s schema.Source, secrets schema.SourceSecrets, _ schema.Principal) (schema.Source, error) {
	return f.CreateSourceFunc(s, secrets)
}

// ListSources calls its function.
func (f *HRFuncs) ListSources(_ context.Context, after string, limit int) ([]schema.Source, string, error) {
	return f.ListSourcesFunc(after, limit)
}

// SourceByName calls its function.
func (f *HRFuncs) SourceByName(_ context.Context, name string) (schema.Source, error) {
	if f.SourceByNameFunc == nil {
		return schema.Source{}, &schema.Error{Code: schema.CodeNotFound, Message: "there is no source of that name"}
	}
	return f.SourceByNameFunc(name)
}

// UpdateSource calls its function.
func (f *HRFuncs) UpdateSource(_ context.Context, s schema.Source, _ schema.Principal) (schema.Source, error) {
	return f.UpdateSourceFunc(s)
}

// RotateSource calls its function.
func (f *HRFuncs) RotateSource(_ context.Context, name string, secrets schema.SourceSecrets, overlap time.Duration, _ schema.Principal) (schema.Source, error) {
	return f.RotateSourceFunc(name, secrets, overlap)
}

// SetSourceState calls its function.
func (f *HRFuncs) SetSourceState(_ context.Context, name string, to schema.ConnectionState, reason string, _ schema.Principal) (schema.Source, error) {
	return f.SetSourceStateFunc(name, to, reason)
}

// SourceSecrets calls its function.
func (f *HRFuncs) SourceSecrets(_ context.Context, id schema.SourceID) (schema.SourceSecrets, error) {
	return f.SourceSecretsFunc(id)
}

// PollSource calls its function.
func (f *HRFuncs) PollSource(_ context.Context, name string, _ schema.Principal) (schema.Source, error) {
	return f.PollSourceFunc(name)
}

// CreateSourceToken calls its function.
func (f *HRFuncs) CreateSourceToken(_ context.Context, name string, hash [32]byte, expires time.Time, by schema.Principal) (schema.SourceToken, error) {
	return f.CreateSourceTokenFunc(name, hash, expires, by)
}

// ListSourceTokens calls its function.
func (f *HRFuncs) ListSourceTokens(_ context.Context, name string) ([]schema.SourceToken, error) {
	return f.ListSourceTokensFunc(name)
}

// RevokeSourceToken calls its function.
func (f *HRFuncs) RevokeSourceToken(_ context.Context, name string, id schema.TokenID, _ schema.Principal) (schema.SourceToken, error) {
	return f.RevokeSourceTokenFunc(name, id)
}

// ListSites calls its function.
func (f *HRFuncs) ListSites(_ context.Context, after string, limit int) ([]schema.Site, string, error) {
	return f.ListSitesFunc(after, limit)
}

// SetSite calls its function.
func (f *HRFuncs) SetSite(_ context.Context, s schema.Site, by schema.Principal) (schema.Site, error) {
	return f.SetSiteFunc(s, by)
}

// AcceptEvent calls its function.
func (f *HRFuncs) AcceptEvent(_ context.Context, e schema.HREvent) (schema.Accepted, error) {
	return f.AcceptEventFunc(e)
}

// ListHREvents calls its function.
func (f *HRFuncs) ListHREvents(_ context.Context, filter schema.HREventFilter) ([]schema.HREvent, string, error) {
	return f.ListHREventsFunc(filter)
}

// HREvent calls its function.
func (f *HRFuncs) HREvent(_ context.Context, id schema.HREventID) (schema.HREvent, error) {
	return f.HREventFunc(id)
}

// ListLeavers calls its function.
func (f *HRFuncs) ListLeavers(_ context.Context, filter schema.LeaverFilter) ([]schema.Leaver, string, error) {
	return f.ListLeaversFunc(filter)
}

// RetryLeaver calls its function.
func (f *HRFuncs) RetryLeaver(_ context.Context, id schema.LeaverID, by schema.Principal) error {
	return f.RetryLeaverFunc(id, by)
}

// FindLeaver calls its function.
func (f *HRFuncs) FindLeaver(_ context.Context, ref string) (schema.Leaver, error) {
	return f.FindLeaverFunc(ref)
}

// LeaverOfCase calls its function.
func (f *HRFuncs) LeaverOfCase(_ context.Context, id schema.CaseID) (schema.Leaver, bool, error) {
	if f.LeaverOfCaseFunc == nil {
		return schema.Leaver{}, false, nil
	}
	return f.LeaverOfCaseFunc(id)
}

// ListBatches calls its function.
func (f *HRFuncs) ListBatches(_ context.Context, filter schema.BatchFilter) ([]schema.Batch, string, error) {
	return f.ListBatchesFunc(filter)
}

// FindBatch calls its function.
func (f *HRFuncs) FindBatch(_ context.Context, ref string) (schema.Batch, error) {
	return f.FindBatchFunc(ref)
}

// DecideBatch calls its function.
func (f *HRFuncs) DecideBatch(_ context.Context, id schema.BatchID, d schema.BatchDecision, by schema.Principal) (schema.Batch, error) {
	return f.DecideBatchFunc(id, d, by)
}
