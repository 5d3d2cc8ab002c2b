package webtest

import (
	"context"
	"time"

	"sendoff/schema"
)

// RestrictionFuncs is a web.RestrictionStore of functions.
type RestrictionFuncs struct {
	AddRestrictionFunc      func(schema.Restriction) (schema.Restriction, error)
	EndRestrictionFunc      func(kind schema.RestrictionKind, id schema.RestrictionID, reason string) (schema.Restriction, error)
	ListRestrictionsFunc    func(kind schema.RestrictionKind, ended bool, after string, limit int) ([]schema.Restriction, string, error)
	RestrictionsDuringFunc  func(schema.ExternalID) ([]schema.Restriction, error)
	ConnectionFunc          func(schema.ConnectionID) (schema.Connection, error)
	DeclareNoHoldsFunc      func(name string, d schema.Declaration) (schema.Declaration, error)
	WithdrawDeclarationFunc func(name, reason string) (schema.Declaration, error)
	DeclarationsFunc        func() (map[schema.ConnectionID]schema.Declaration, error)
}

// AddRestriction calls its function, as does each method below.
func (f *RestrictionFuncs) AddRestriction(_ context.Context, r schema.Restriction, _ schema.Principal) (schema.Restriction, error) {
	return f.AddRestrictionFunc(r)
}

// EndRestriction calls its function.
func (f *RestrictionFuncs) EndRestriction(_ context.Context, kind schema.RestrictionKind, id schema.RestrictionID, reason string, _ schema.Principal) (schema.Restriction, error) {
	return f.EndRestrictionFunc(kind, id, reason)
}

// ListRestrictions calls its function.
func (f *RestrictionFuncs) ListRestrictions(_ context.Context, kind schema.RestrictionKind, ended bool, after string, limit int) ([]schema.Restriction, string, error) {
	return f.ListRestrictionsFunc(kind, ended, after, limit)
}

// RestrictionsDuring calls its function; without one there are none.
func (f *RestrictionFuncs) RestrictionsDuring(_ context.Context, _ schema.ConnectionID, id schema.ExternalID, _ string, _, _ time.Time) ([]schema.Restriction, error) {
	if f.RestrictionsDuringFunc == nil {
		return nil, nil
	}
	return f.RestrictionsDuringFunc(id)
}

// Connection calls its function.
func (f *RestrictionFuncs) Connection(_ context.Context, id schema.ConnectionID) (schema.Connection, error) {
	return f.ConnectionFunc(id)
}

// DeclareNoHolds calls its function.
func (f *RestrictionFuncs) DeclareNoHolds(_ context.Context, name string, d schema.Declaration, _ schema.Principal) (schema.Declaration, error) {
	return f.DeclareNoHoldsFunc(name, d)
}

// WithdrawDeclaration calls its function.
func (f *RestrictionFuncs) WithdrawDeclaration(_ context.Context, name, reason string, _ schema.Principal) (schema.Declaration, error) {
	return f.WithdrawDeclarationFunc(name, reason)
}

// Declarations calls its function; without one there are none.
func (f *RestrictionFuncs) Declarations(context.Context) (map[schema.ConnectionID]schema.Declaration, error) {
	if f.DeclarationsFunc == nil {
		return nil, nil
	}
	return f.DeclarationsFunc()
}
