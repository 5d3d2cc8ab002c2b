package schema

import (
	"strings"
	"time"
)

// RestrictionID names a hold or a protection.
type RestrictionID string

// RestrictionKind tells a hold from a protection. Deny wins: any one that applies
// stops what it forbids, whatever else allows it (promise 6).
type RestrictionKind string

// The kinds of restriction.
const (
	// RestrictHold keeps content where it is: no transfer and no delete. The
	// account may still be suspended.
	RestrictHold RestrictionKind = "hold"
	// RestrictProtection keeps the account as it is: no write at all.
	RestrictProtection RestrictionKind = "protection"
)

// SubjectKind is what a restriction names.
type SubjectKind string

// The subjects of a restriction.
const (
	SubjectAccount SubjectKind = "account" // one account of one connection, by the vendor's id
	SubjectPerson  SubjectKind = "person"  // every account of a person, by address
	SubjectPattern SubjectKind = "pattern" // every login that a pattern of * and ? matches
)

// Restriction is a hold or a protection that an operator put on accounts.
type Restriction struct {
	ID           RestrictionID
	Kind         RestrictionKind
	Subject      SubjectKind
	ConnectionID ConnectionID // of an account; of a pattern, or empty = every connection
	ExternalID   ExternalID   // of an account
	Email        string       // of a person, lower case
	Pattern      string       // lower case; * is any text, ? any one character
	Matter       string       // the legal matter of a hold, free text
	Reason       string
	CreatedBy    string
	CreatedAt    time.Time
	ExpiresAt    time.Time // zero = until it is ended
	EndedBy      string
	EndedAt      time.Time // zero = not ended
	EndReason    string
}

// Live tells whether the restriction holds at the instant.
func (r Restriction) Live(at time.Time) bool {
	return r.EndedAt.IsZero() && (r.ExpiresAt.IsZero() || at.Before(r.ExpiresAt))
}

// LikePattern is the pattern as an operand of SQL's LIKE with backslash escapes.
func (r Restriction) LikePattern() string {
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`, "*", "%", "?", "_").Replace(r.Pattern)
}

// Declaration is an admin's word that a connection's vendor has no legal holds,
// for one whose holds cannot be read. It ends by itself.
type Declaration struct {
	ConnectionID ConnectionID
	Reason       string
	DeclaredBy   string
	DeclaredAt   time.Time
	ExpiresAt    time.Time
	WithdrawnAt  time.Time // zero = not withdrawn
}

// Live tells whether the declaration counts at the instant.
func (d Declaration) Live(at time.Time) bool {
	return !d.DeclaredAt.IsZero() && d.WithdrawnAt.IsZero() && at.Before(d.ExpiresAt)
}

// VendorHolds is what the vendor itself keeps an account for.
type VendorHolds struct {
	Legal     []ExternalID // ids of the legal hold policies that name the account
	Retention bool         // the enterprise has retention policies
}

// ContentSurvey is what a transfer or a delete of an account would meet.
type ContentSurvey struct {
	Items         int // owned, at the root
	SharedItems   int // of these, shared with somebody
	FileShares    int // files shared with somebody: such shares end with the delete
	OpenLinks     int // items anybody with the link can open
	LockedFolders int // folders locked against moving
	LocksRead     int // folders whose locks were looked at, of
	LocksTotal    int
	Trash         int
	TrashBytes    int64
	TrashedLately int // trashed within the last 7 days
}

// Membership is an account's place in a group, with what makes it again.
type Membership struct {
	ID          ExternalID      `json:"id"` // the vendor's id of the membership; it does not come back
	GroupID     ExternalID      `json:"group_id"`
	Role        string          `json:"role"`
	Permissions map[string]bool `json:"permissions,omitempty"`
	Fixed       bool            `json:"fixed,omitempty"` // the vendor keeps it: it cannot be removed
}
