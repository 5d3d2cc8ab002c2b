package connectors

import (
	"context"
	"fmt"
	"time"

	"sendoff/schema"
)

// Manifest says what a connector is.
type Manifest struct {
	Vendor string   // its type, as stored in connections
	Title  string   // for people
	Scopes []string // what the vendor's application must be granted
	Docs   string   // the page in docs/
}

// Connector is the base of every connector. What it can do beyond that is found
// by Capability.
type Connector interface {
	Manifest() Manifest
	// Check proves that the credentials work and reports who they act as. It
	// returns Unauthorized, Forbidden or Unavailable.
	Check(ctx context.Context) (Identity, error)
	Close()
}

// Identity is who a connection acts as at the vendor.
type Identity struct {
	ExternalID   schema.ExternalID
	Role         schema.AccountRole
	EnterpriseID string
	Service      bool // an automation user, not a person
}

// Capability returns the connector as the interface T, or an Unsupported error
// that names the vendor and the capability.
func Capability[T any](c Connector, name string) (T, error) {
	t, ok := c.(T)
	if !ok {
		return t, &Error{Kind: Unsupported, Op: c.Manifest().Vendor + "." + name, Detail: "the connector cannot do this"}
	}
	return t, nil
}

// AccountReader finds and reads accounts.
type AccountReader interface {
	// FindByLogin returns the accounts whose login equals the address without
	// regard to case; none is not an error.
	FindByLogin(ctx context.Context, login string) ([]schema.Account, error)
	// ReadAccount reads one account by the vendor's id; NotFound when absent.
	ReadAccount(ctx context.Context, id schema.ExternalID) (schema.Account, error)
}

// AccountLister lists every account of the enterprise.
type AccountLister interface {
	EachAccount(ctx context.Context, fn func(schema.Account) error) error
}

// Suspender changes whether an account may be used. Status words are the
// vendor's, so that the one before can be restored exactly.
type Suspender interface {
	// SuspendedStatus is the vendor's word for suspended.
	SuspendedStatus() string
	// ActiveStatus is the vendor's word for an account that may be used.
	ActiveStatus() string
	// SetStatus sends the change and returns without reading back.
	SetStatus(ctx context.Context, id schema.ExternalID, vendorStatus string) error
}

// RoleWriter changes an account's administrative role.
type RoleWriter interface {
	// SetRole sends the change and returns without reading back. Forbidden where the
	// vendor lets the acting user change no roles, or the account's not at all.
	SetRole(ctx context.Context, id schema.ExternalID, role schema.AccountRole) error
}

// SessionRevoker ends an account's sessions; the vendor's acceptance is proof.
type SessionRevoker interface {
	RevokeSessions(ctx context.Context, id schema.ExternalID) error
}

// GroupReader reads an account's memberships, whole, so that a MembershipWriter
// can make each again as it was.
type GroupReader interface {
	Memberships(ctx context.Context, id schema.ExternalID) ([]schema.Membership, error)
}

// MembershipWriter takes an account out of groups and puts it back.
type MembershipWriter interface {
	GroupReader
	// RemoveMembership deletes the membership and returns without reading back;
	// NotFound when it is gone.
	RemoveMembership(ctx context.Context, m schema.Membership) error
	// AddMembership makes the membership anew for the account, with its role and
	// permissions; the vendor gives it another id. Conflict when the account is a
	// member already.
	AddMembership(ctx context.Context, account schema.ExternalID, m schema.Membership) error
}

// HoldReader reads what the vendor itself keeps an account for.
type HoldReader interface {
	// Holds lists the legal holds on the account and tells whether the vendor
	// keeps retention policies at all. Forbidden or NotFound when the connection
	// may not read them: they are unknown then, not absent.
	Holds(ctx context.Context, id schema.ExternalID) (schema.VendorHolds, error)
}

// ContentSurveyor looks at what a transfer or a delete of an account would meet,
// for the warnings of pre-flight: within a bounded number of calls, acting as the
// owner. Unauthorized or Forbidden when it may not be acted as.
type ContentSurveyor interface {
	SurveyContent(ctx context.Context, owner schema.ExternalID, now time.Time) (schema.ContentSurvey, error)
}

// ContentReader reads what an account owns, acting as that account.
type ContentReader interface {
	// RootItems lists the items at the account's root that it owns, and counts
	// those it was merely given. Unauthorized when it may not be acted as.
	RootItems(ctx context.Context, owner schema.ExternalID) (owned []schema.Witness, foreign int, err error)
	// TrashItems lists the owner's trashed items and their size in bytes.
	TrashItems(ctx context.Context, owner schema.ExternalID) ([]schema.Witness, int64, error)
	// ItemCollaborations lists who an item is shared with, acting as the owner.
	ItemCollaborations(ctx context.Context, owner schema.ExternalID, item schema.Witness) ([]schema.SharedBy, error)
}

// Transferer moves all content of one account to another.
type Transferer interface {
	// PrepareTransfer obtains everything the request needs (token, rate) so
	// that the send itself waits for nothing.
	PrepareTransfer(ctx context.Context, source, receiver schema.ExternalID) (PreparedTransfer, error)
	// LocateWitness says where an item is, acting as the receiver. A place that
	// is not Found is not an error.
	LocateWitness(ctx context.Context, receiver schema.ExternalID, item schema.Witness) (schema.WitnessPlace, error)
	// LocateTrashed tells whether a trashed item is now in the receiver's trash.
	LocateTrashed(ctx context.Context, receiver schema.ExternalID, item schema.Witness) (bool, error)
}

// PreparedTransfer sends one transfer request, once.
type PreparedTransfer interface {
	// Send sends the request unless more than 30 s passed since it was
	// prepared. It returns an outcome for whatever happens, never an error.
	Send(ctx context.Context) schema.TransferOutcome
}

// AccessGranter gives an account access to a folder that another one owns, acting
// as that owner.
type AccessGranter interface {
	// HasFolderAccess tells whether the account is a co-owner of the folder.
	HasFolderAccess(ctx context.Context, owner, folder, account schema.ExternalID) (bool, error)
	// GrantFolderAccess makes the account a co-owner and returns without
	// reading back.
	GrantFolderAccess(ctx context.Context, owner, folder, account schema.ExternalID) error
}

// Deleter deletes an account without force: the vendor refuses when content is
// left.
type Deleter interface {
	// DeleteAccount returns ErrContentRemains (wrapped) when the vendor refuses
	// because the account still owns content.
	DeleteAccount(ctx context.Context, id schema.ExternalID) error
}

// PreparedDeleter is a Deleter whose request can be prepared, so that nothing but
// the guard stands between the journal's last checks and the wire.
type PreparedDeleter interface {
	Deleter
	// PrepareDelete obtains everything the request needs (token, rate).
	PrepareDelete(ctx context.Context, id schema.ExternalID) (PreparedDelete, error)
}

// PreparedDelete sends one delete request, once.
type PreparedDelete interface {
	// Send sends the request unless more than 30 s passed since it was prepared.
	// It returns what DeleteAccount would; Unauthorized may be for an expired
	// token, and the next one prepared has a fresh one.
	Send(ctx context.Context) error
}

// ErrContentRemains is the vendor's refusal to delete an owner of content.
var ErrContentRemains = fmt.Errorf("the account still owns content")

// Priority orders waiting calls for a scarce rate, first to last.
type Priority int

// The priorities (DESIGN section 7).
const (
	PrioritySuspend Priority = iota
	PriorityWrite
	PriorityPreflight
	PrioritySync
)

// Limiter shares a vendor's rate among all processes.
type Limiter interface {
	// Wait blocks until the acting user of the connection may make one call.
	Wait(ctx context.Context, connection schema.ConnectionID, actingUser schema.ExternalID, p Priority) error
}

// Guard is asked directly before each write to a vendor. It fails when the
// engine is paused, the connection is closed to writes, or that cannot be read.
type Guard interface {
	AllowWrite(ctx context.Context, connection schema.ConnectionID) error
}

// Config is what a factory opens a connector with.
type Config struct {
	Connection schema.Connection
	Secret     string     // client secret or whole configuration file; never logged
	Renew      Renewal    // newer credentials, once these are refused; nil = there are never any
	Grants     GrantStore // of connections with AuthCode; nil = there are none
	Limiter    Limiter
	Guard      Guard
	Observer   Observer // of each request; nil = none
	Now        func() time.Time
}

// Factory makes connectors of one vendor.
type Factory interface {
	Manifest() Manifest
	// Open validates the whole configuration and returns every fault at once;
	// it calls nobody.
	Open(cfg Config) (Connector, error)
}

type priorityKey struct{}

// WithPriority marks ctx so that vendor calls made with it wait at priority p.
// The mark is a request-scoped hint, not a service.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

// PriorityOf returns the mark of WithPriority, PriorityWrite without one.
func PriorityOf(ctx context.Context) Priority {
	if p, ok := ctx.Value(priorityKey{}).(Priority); ok {
		return p
	}
	return PriorityWrite
}
