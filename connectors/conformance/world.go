package conformance

import (
	"net/http"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

// World is a simulated enterprise with nobody else in it, and what opens a
// connection to it. A part may be nil where the connector lacks the capabilities
// that are about it.
type World struct {
	Factory connectors.Factory
	// Handler serves the vendor's API and its token host. It may answer with
	// addresses of its own made from the request's Host.
	Handler http.Handler
	// Config opens a connection that may do everything, to Handler as reached
	// under base. Limiter, Guard and Now are the suite's.
	Config func(base string) connectors.Config
	// IsToken tells a sign-in from the other requests.
	IsToken func(*http.Request) bool
	// ErrorBody is the vendor's error envelope with a message in it, for a
	// refusal with this status.
	ErrorBody func(status int, message string) []byte
	// Nobody is a well-formed id that no account, item or membership has.
	Nobody schema.ExternalID
	// Impersonates tells that the connection acts as users, whose rate is then
	// used too, to read their content.
	Impersonates bool
	// Statuses are words for the status of an account besides those of active
	// and suspended.
	Statuses []string
	// PageParam is the query parameter that bounds a page, TotalField the member
	// of a listing that counts its entries; "" where the vendor has none.
	PageParam, TotalField string
	// MarkerRefusal is the status with which the vendor refuses to go on with its
	// accounts at a marker that it accepts no more; 0 = its markers do not end.
	MarkerRefusal int
	// TellsGranter: the vendor tells who gave a group access to an item.
	TellsGranter bool

	People    People
	Groups    Groups
	Inventory Inventory
	Events    Events
	Holds     Holds
	Content   Content
	Transfers Transfers
}

// Person describes an account to make. An empty Role is a member's, an empty
// Kind a person's, an empty Status the vendor's word for active.
type Person struct {
	Login, Name string
	Role        schema.AccountRole
	Kind        schema.AccountKind
	Status      string
}

// Truth is what is true of an account, whatever the API answers.
type Truth struct {
	Exists        bool
	Status        string
	SessionsEnded int
}

// People makes accounts and knows the truth about them.
type People interface {
	// Add makes an account; errors.ErrUnsupported where the vendor has none of
	// that kind.
	Add(Person) (schema.ExternalID, error)
	Truth(schema.ExternalID) (Truth, error)
}

// Groups makes groups and knows who is in them.
type Groups interface {
	// Add makes a group with the account in it. Privileged is a role above a
	// member's, with permissions that are neither all on nor all off if the
	// vendor has permissions.
	Add(account schema.ExternalID, privileged bool) (group schema.ExternalID, err error)
	// Member is the account's place in the group; false when it has none.
	Member(group, account schema.ExternalID) (schema.Membership, bool, error)
}

// Inventory makes what is listed beside accounts.
type Inventory interface {
	// Join puts an account into a group that Groups made, as a plain member.
	Join(group, account schema.ExternalID) error
	// Share gives a group access to an item, as somebody, and returns the vendor's
	// word for the role. An empty by is somebody whom the vendor does not name any
	// more; errors.ErrUnsupported where it names everybody.
	Share(item schema.Witness, group, by schema.ExternalID) (role string, err error)
	// Track sets an attribute that the vendor keeps for its customer;
	// errors.ErrUnsupported where it keeps none.
	Track(account schema.ExternalID, name, value string) error
}

// EventSort is what happened.
type EventSort string

// The sorts of event. What a vendor has no event for is errors.ErrUnsupported.
const (
	SignIn       EventSort = "sign_in"
	Work         EventSort = "work"           // the account's holder worked with content
	AdminSignIn  EventSort = "admin_sign_in"  // an administrator went into the account
	FailedSignIn EventSort = "failed_sign_in" // nobody got in
	Created      EventSort = "created"        // an administrator made the account
	TokenIssued  EventSort = "token_issued"   // an application may now act as the account
	Ours         EventSort = "ours"           // this connection's own work, acting as the account
	Deleted      EventSort = "deleted"        // an administrator deleted the account
)

// Event describes one to record.
type Event struct {
	Sort    EventSort
	Account schema.ExternalID // whose account it is about
	By      schema.ExternalID // the administrator, of those that one made
	At      time.Time         // in whole seconds
}

// Events records what happened in the enterprise.
type Events interface {
	// Record records it, to be told soon, and returns the vendor's id of it.
	Record(Event) (id string, err error)
	// Position is the present end of the live stream.
	Position() (string, error)
	// Hide takes from the connection the right to read events.
	Hide() error
}

// Holds places what the vendor keeps accounts for.
type Holds interface {
	Place(account schema.ExternalID) (hold schema.ExternalID, err error)
	// Hide takes from the connection the right to read holds.
	Hide() error
}

// Item describes an item to make at its owner's root.
type Item struct {
	Owner   schema.ExternalID
	Folder  bool
	Bytes   int64
	Trashed bool
}

// Content makes items and knows whose they are.
type Content interface {
	Add(Item) (schema.Witness, error)
	// Share gives an account access to an item of another's and returns the
	// vendor's word for the role.
	Share(item schema.Witness, with schema.ExternalID) (role string, err error)
	// Owner is who owns the item now; "" when it was destroyed.
	Owner(schema.Witness) (schema.ExternalID, error)
}

// Mode is how a vendor treats a transfer.
type Mode string

// The modes. What a World cannot do it answers with errors.ErrUnsupported.
const (
	Quick       Mode = "quick"        // done when it answers
	StillRuns   Mode = "still_runs"   // accepted, and it goes on
	GatewayGone Mode = "gateway_gone" // a gateway gives up, and it goes on
	Dropped     Mode = "dropped"      // the connection ends, and it goes on
	Applied503  Mode = "applied_503"  // 503, and it goes on
	Refused     Mode = "refused"      // refused for good
	Full        Mode = "full"         // refused: the receiver has no room
	Suspended   Mode = "suspended"    // refused: the source is suspended
	Busy        Mode = "busy"         // refused: another job runs
)

// Transfers chooses how transfers go.
type Transfers interface {
	// Plan makes the next transfer of the source to the receiver go as in mode.
	Plan(source, receiver schema.ExternalID, mode Mode) error
}
