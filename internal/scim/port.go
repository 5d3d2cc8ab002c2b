package scim

import (
	"context"

	"sendoff/schema"
)

// Store keeps what identity providers send, each source's apart from all others.
// Its methods return schema.Error.
type Store interface {
	// AuthenticateSource returns the enabled source of a token by the SHA-256 of the
	// token; CodeUnauthorized when unknown, expired or revoked.
	AuthenticateSource(ctx context.Context, tokenHash [32]byte) (schema.Source, error)
	// ReadSCIM returns a resource; CodeNotFound, also for one of another source and for
	// an id that can be none.
	ReadSCIM(ctx context.Context, source schema.SourceID, t schema.SCIMType, id string) (schema.SCIMResource, error)
	// FindSCIM returns the page of the resources that the query selects, in the order
	// they were made, and how many there are in all. An id that can be none selects
	// nothing.
	FindSCIM(ctx context.Context, source schema.SourceID, t schema.SCIMType, q schema.SCIMQuery) (page []schema.SCIMResource, total int, err error)
	// WriteSCIM makes, changes or deletes a resource in one transaction, with the
	// event that it tells and the audit record. CodeNotFound; CodeStale when its
	// version is not IfVersion; CodeConflict when source and type have the name;
	// CodeInvalid when a member is no user of the source.
	WriteSCIM(ctx context.Context, w Write) (schema.SCIMResource, error)
}

// Write is one write of a resource.
type Write struct {
	SourceID schema.SourceID
	Type     schema.SCIMType
	ID       string // empty = a new one
	// IfVersion is the version that the resource must have; 0 = any.
	IfVersion int64
	Delete    bool
	// Change returns what the resource becomes, from what it is, locked; of a new
	// one from the zero resource. A resource that comes back as it was is not
	// written: its version stays. Not called for a delete.
	Change func(before schema.SCIMResource) (after schema.SCIMResource, err error)
	// Tell returns what the write tells of an employment, and whether it tells
	// anything. Of a delete, after is what was deleted, not active.
	Tell func(before, after schema.SCIMResource) (schema.HRChange, bool)
	// Raw is the request's body as it came, but without passwords; it is kept with the
	// event, and its hash with the audit record. Empty for a delete.
	Raw []byte
}
