package web

import (
	"context"
	"time"

	"sendoff/schema"
)

// ConsentStore keeps sign-ins in the browser, the grants they end in, and the
// removal of connections.
type ConsentStore interface {
	// BeginConsent keeps a sign-in under the SHA-256 of its state and returns when
	// it expires.
	BeginConsent(ctx context.Context, stateHash [32]byte, p schema.PendingConsent) (time.Time, error)
	// TakeConsent returns a sign-in once. CodeNotFound when the state is unknown,
	// CodeClosed when it was used or has expired.
	TakeConsent(ctx context.Context, stateHash [32]byte) (schema.PendingConsent, error)
	// CreateConnectionWithGrant stores connection, secret and grant together.
	CreateConnectionWithGrant(ctx context.Context, c schema.Connection, secret string, g schema.Grant, by schema.Principal) (schema.Connection, error)
	// RenewConnectionGrant replaces them. CodeConflict when the connection is no
	// longer at c's version.
	RenewConnectionGrant(ctx context.Context, c schema.Connection, secret string, g schema.Grant, by schema.Principal) (schema.Connection, error)
	// RemoveConnection forgets a connection, its secret and its grant. CodeConflict
	// while plans are open on it.
	RemoveConnection(ctx context.Context, name, reason string, r schema.Revocation, by schema.Principal) (schema.Connection, error)
	// OpenPlansOn counts the plans of a connection that have not ended.
	OpenPlansOn(ctx context.Context, id schema.ConnectionID) (int, error)
}

// ConsentVendor is what a vendor does in a sign-in, and at a connection's end. Its
// errors are of schema.Error, free of codes and tokens.
type ConsentVendor interface {
	// AuthorizeURL is where a person consents. CodeInvalid when the vendor has no
	// such sign-in, or base is not usable.
	AuthorizeURL(vendor, base, clientID, redirectURL, state string, scopes []string) (string, error)
	// ExchangeCode trades an authorization code for a grant, once.
	ExchangeCode(ctx context.Context, c schema.Connection, secret, redirectURL, code string) (schema.Grant, error)
	// CheckGrant asks the vendor whom a grant acts as.
	CheckGrant(ctx context.Context, c schema.Connection, secret string, g schema.Grant) (ConnectionCheck, error)
	// RevokeGrant ends a grant that is not stored.
	RevokeGrant(ctx context.Context, c schema.Connection, secret string, g schema.Grant) error
	// RevokeConnection ends the tokens of a stored connection, also of a disabled
	// one. A vendor that has no way to is no error: the revocation says so.
	RevokeConnection(ctx context.Context, c schema.Connection) (schema.Revocation, error)
}
