package connectors

import (
	"context"
	"fmt"
	"time"

	"sendoff/schema"
)

// ErrMarkerExpired is the vendor's refusal to go on with a listing at a marker:
// the listing has to begin anew.
var ErrMarkerExpired = fmt.Errorf("the listing cannot be continued at that marker")

// ErrTooLong is a listing that goes on behind what the vendor's paging reaches:
// what was listed is good, and the rest cannot be had.
var ErrTooLong = fmt.Errorf("the listing is longer than the vendor's paging reaches")

// Page is one page of a listing.
type Page[T any] struct {
	Entries []T
	Next    string // marker of the next page; "" = this was the last
}

// InventoryLister lists what a vendor has, a page at a time, so that a listing
// goes on where it stopped. A marker is what the page before returned as Next, ""
// for the first page; one that the vendor accepts no more is ErrMarkerExpired
// (wrapped), and a page that no marker reaches is ErrTooLong (wrapped). Entries
// may come twice when a listing changes under way.
type InventoryLister interface {
	// ListAccounts lists the accounts of the enterprise, whatever their status.
	ListAccounts(ctx context.Context, marker string) (Page[schema.Account], error)
	ListGroups(ctx context.Context, marker string) (Page[schema.Group], error)
	// ListGroupMembers lists the members of one group, with the permissions of its
	// administrators. NotFound when the group is gone.
	ListGroupMembers(ctx context.Context, group schema.ExternalID, marker string) (Page[schema.GroupMember], error)
	// ListGroupCollaborations lists what all members of a group may reach.
	ListGroupCollaborations(ctx context.Context, group schema.ExternalID, marker string) (Page[schema.GroupCollaboration], error)
}

// EventPage is one page of a feed.
type EventPage struct {
	Events []schema.ActivityEvent
	Next   string // position after the page; the one asked with, when nothing came
	// End tells that there was nothing more when the page was asked for.
	End bool
	// Read is how many records the page held, those without interest included.
	Read int
}

// ActivityFeed reads a vendor's events. Which of them prove use, and whose, is
// the connector's to say (schema.ActivityEvent). Positions are the vendor's own
// texts. Forbidden when the connection may not read events.
type ActivityFeed interface {
	// ActivitySource names the feed.
	ActivitySource() schema.ActivitySource
	// Reach is how far back the past can be read, and how long the live stream
	// keeps what nobody fetched.
	Reach() (past, live time.Duration)
	// LivePosition is the present end of the live stream.
	LivePosition(ctx context.Context) (string, error)
	// LiveEvents reads on in the live stream: in no order, and some of it twice.
	LiveEvents(ctx context.Context, position string) (EventPage, error)
	// PastEvents reads a span of the past, in order; position "" is its beginning.
	PastEvents(ctx context.Context, span schema.Interval, position string) (EventPage, error)
}

// Prober proves what a connection can do, one ability at a time.
type Prober interface {
	// Abilities lists what the connector wants, required ones first.
	Abilities() []schema.Ability
	// Probe asks the vendor for the least that needs the ability. Its error is an
	// *Error; ProbeRefusal says more about one of the token host's.
	Probe(ctx context.Context, ability string) error
	// ClockSkew is how far the vendor's clock is ahead of ours, by its last answer;
	// 0 when it names no time.
	ClockSkew() time.Duration
	// Limits says what an acting role cannot do, whatever its scopes.
	Limits(role schema.AccountRole) []string
}

// Revoker ends a connection's tokens at the vendor.
type Revoker interface {
	// Revoke ends the present token, and the refresh token with it, and proves
	// that by a read that the vendor refuses. It returns whether it was proven.
	Revoke(ctx context.Context) (proven bool, err error)
}

// Grant is what an authorization code was traded for.
type Grant = schema.Grant

// GrantStore keeps the grant of a connection, shared by all processes. Only one
// of them refreshes at a time.
type GrantStore interface {
	// LoadGrant returns the grant as it is stored now.
	LoadGrant(ctx context.Context, c schema.ConnectionID) (Grant, error)
	// ClaimRefresh gives the caller alone the right to use the refresh token of
	// that generation, until it stores the successor or a minute passed. False when
	// another process has it, or the generation is no longer the stored one. Crashed
	// tells that an earlier claim ended without an answer: the refresh token may
	// have been used.
	ClaimRefresh(ctx context.Context, c schema.ConnectionID, generation int64) (claimed, crashed bool, err error)
	// StoreGrant stores the successor of the generation before its own.
	// CodeConflict when that is no longer the stored one, CodeNotFound when the
	// connection was removed.
	StoreGrant(ctx context.Context, c schema.ConnectionID, g Grant) error
	// ReleaseRefresh gives the claim back after a refusal or a request that was
	// not sent; a loss marks the grant as one that no refresh can bring back, "" =
	// it is unharmed.
	ReleaseRefresh(ctx context.Context, c schema.ConnectionID, generation int64, loss schema.GrantLoss) error
}

// Consent is a vendor's sign-in in the browser (RFC 6749 section 4.1).
type Consent interface {
	// AuthorizeURL is where a person consents. Base is the configured authorize
	// URL; scopes narrow what is asked for, none = all that the application has.
	AuthorizeURL(base, clientID, redirectURL, state string, scopes []string) (string, error)
	// Exchange trades a code for a grant.
	Exchange(ctx context.Context, x CodeExchange) (Grant, error)
}

// CodeExchange is what a code is traded with.
type CodeExchange struct {
	TokenURL, ClientID, ClientSecret, RedirectURL, Code string
}
