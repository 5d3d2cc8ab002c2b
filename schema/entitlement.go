package schema

import "time"

// Group is a group of accounts at a vendor.
type Group struct {
	ConnectionID ConnectionID
	ExternalID   ExternalID
	Name         string
	// Everybody: all accounts are members, and the vendor lists none of them.
	Everybody bool
	// Provenance names the directory that owns the group; empty = the vendor itself.
	Provenance string
	CreatedAt  time.Time
}

// GroupMember is one account's membership of a group.
type GroupMember struct {
	ExternalID  ExternalID // of the membership
	GroupID     ExternalID
	AccountID   ExternalID
	Role        string          // the vendor's word
	Permissions map[string]bool // what a group's administrator may do; nil = nothing said
}

// GroupCollaboration is what all members of a group may reach.
type GroupCollaboration struct {
	ExternalID ExternalID
	GroupID    ExternalID
	ItemType   string
	ItemID     ExternalID
	ItemName   string
	Role       string
	Status     string // the vendor's word: accepted, pending, rejected
	ExpiresAt  time.Time
	// GrantedBy is the login, and GrantedByName the name, of whoever gave the access,
	// as the vendor says now; empty = it does not say.
	GrantedBy     string
	GrantedByName string
}

// ChangeKind is what changed between two looks.
type ChangeKind string

// The kinds of change.
const (
	ChangeAccountAppeared  ChangeKind = "account_appeared"
	ChangeAccountMissing   ChangeKind = "account_missing"
	ChangeAccountReturned  ChangeKind = "account_returned"
	ChangeAccountDeleted   ChangeKind = "account_deleted"
	ChangeStatus           ChangeKind = "status"
	ChangeRole             ChangeKind = "role"
	ChangeKindOf           ChangeKind = "kind"
	ChangeLogin            ChangeKind = "login"
	ChangeGroupAppeared    ChangeKind = "group_appeared"
	ChangeGroupGone        ChangeKind = "group_gone"
	ChangeMembershipGained ChangeKind = "membership_gained"
	ChangeMembershipLost   ChangeKind = "membership_lost"
	ChangeMembershipRole   ChangeKind = "membership_role"
	ChangeAccessGained     ChangeKind = "access_gained" // of a group: a collaboration
	ChangeAccessLost       ChangeKind = "access_lost"
	ChangeAccessRole       ChangeKind = "access_role"
)

// Change is one thing that is other than it was.
type Change struct {
	ID           int64
	ConnectionID ConnectionID
	RunID        RunID // the sync that saw it; empty = a read of one account
	Kind         ChangeKind
	AccountID    AccountID  // empty for what is a group's
	ExternalID   ExternalID // of the account
	Login        string
	GroupID      ExternalID
	GroupName    string
	ItemID       ExternalID // of a collaboration
	Before       string
	After        string
	Since        time.Time // when it was last seen to be as before; zero = never
	SeenAt       time.Time
}

// GroupListing is how far a run's listing of one group's members or
// collaborations is.
type GroupListing struct {
	GroupID    ExternalID
	Generation int
	Marker     string // where the next page begins; "" = at the first
}
