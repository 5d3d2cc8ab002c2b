package webtest

import (
	"context"
	"errors"
	"time"

	"sendoff/internal/web"
	"sendoff/schema"
)

// ConsentFuncs is a web.ConsentStore of functions, as Store is a web.Store.
type ConsentFuncs struct {
	BeginConsentFunc              func([32]byte, schema.PendingConsent) (time.Time, error)
	TakeConsentFunc               func([32]byte) (schema.PendingConsent, error)
	CreateConnectionWithGrantFunc func(schema.Connection, string, schema.Grant, schema.Principal) (schema.Connection, error)
	RenewConnectionGrantFunc      func(schema.Connection, string, schema.Grant, schema.Principal) (schema.Connection, error)
	RemoveConnectionFunc          func(name, reason string, r schema.Revocation) (schema.Connection, error)
	OpenPlansOnFunc               func(schema.ConnectionID) (int, error)
}

// BeginConsent calls its function, as does each method below.
func (s *ConsentFuncs) BeginConsent(_ context.Context, hash [32]byte, p schema.PendingConsent) (time.Time, error) {
	return s.BeginConsentFunc(hash, p)
}

// TakeConsent calls its function.
func (s *ConsentFuncs) TakeConsent(_ context.Context, hash [32]byte) (schema.PendingConsent, error) {
	return s.TakeConsentFunc(hash)
}

// CreateConnectionWithGrant calls its function.
func (s *ConsentFuncs) CreateConnectionWithGrant(_ context.Context, c schema.Connection, secret string, g schema.Grant, by schema.Principal) (schema.Connection, error) {
	return s.CreateConnectionWithGrantFunc(c, secret, g, by)
}

// RenewConnectionGrant calls its function.
func (s *ConsentFuncs) RenewConnectionGrant(_ context.Context, c schema.Connection, secret string, g schema.Grant, by schema.Principal) (schema.Connection, error) {
	return s.RenewConnectionGrantFunc(c, secret, g, by)
}

// RemoveConnection calls its function.
func (s *ConsentFuncs) RemoveConnection(_ context.Context, name, reason string, r schema.Revocation, _ schema.Principal) (schema.Connection, error) {
	return s.RemoveConnectionFunc(name, reason, r)
}

// OpenPlansOn calls its function; without one there are none.
func (s *ConsentFuncs) OpenPlansOn(_ context.Context, id schema.ConnectionID) (int, error) {
	if s.OpenPlansOnFunc == nil {
		return 0, nil
	}
	return s.OpenPlansOnFunc(id)
}

var errNoConsent = errors.New("no consent expected")

// AuthorizeURL fails, as do the methods below: no test of a Checker consents.
func (Checker) AuthorizeURL(_, _, _, _, _ string, _ []string) (string, error) {
	return "", errNoConsent
}

// ExchangeCode fails.
func (Checker) ExchangeCode(context.Context, schema.Connection, string, string, string) (schema.Grant, error) {
	return schema.Grant{}, errNoConsent
}

// CheckGrant fails.
func (Checker) CheckGrant(context.Context, schema.Connection, string, schema.Grant) (web.ConnectionCheck, error) {
	return web.ConnectionCheck{}, errNoConsent
}

// RevokeGrant fails.
func (Checker) RevokeGrant(context.Context, schema.Connection, string, schema.Grant) error {
	return errNoConsent
}

// RevokeConnection revokes nothing: the vendor has no way to.
func (Checker) RevokeConnection(context.Context, schema.Connection) (schema.Revocation, error) {
	return schema.Revocation{Why: "the vendor has no way to revoke tokens"}, nil
}
