package schema

import "time"

// PersonKnown selects accounts by whether a person is known to hold them.
type PersonKnown string

// The selections by person; an empty one selects all.
const (
	WithPerson    PersonKnown = "known"
	WithoutPerson PersonKnown = "unknown"
)

// AccountFilter selects accounts. An empty field selects all; several values of
// one field select what has any of them.
type AccountFilter struct {
	ConnectionID ConnectionID
	Statuses     []AccountStatus
	Kinds        []AccountKind
	Role         AccountRole
	Privileged   bool   // only those that administer others
	LoginPrefix  string // without regard to case
	Person       PersonKnown
	After        string // cursor; "" = from the beginning
	Limit        int
}

// AccountRow is an account as lists show it.
type AccountRow struct {
	Account
	Connection   string
	PersonEmail  string // empty = no person is known
	PersonBy     MatchedBy
	FirstSeenAt  time.Time
	MissingSince time.Time // zero = it was in the last listing
	CheckedAt    time.Time // when a missing account was last read by id
	// The latest use that any source knows; zero and empty = none was seen.
	LastActiveAt time.Time
	LastEvent    string
	LastSource   ActivitySource
}

// GradeBasis is what silence on a connection is judged by: the first of its
// sources, in their declared order, that is collected.
type GradeBasis struct {
	Source  ActivitySource // empty = none is collected
	Covered Interval       // the last unbroken span
}

// SourceActivity is an account's use as one source knows it.
type SourceActivity struct {
	Activity
	FirstActiveAt time.Time // zero = no use was ever seen
}

// AccountDetail is everything known of an account, each part with its source.
type AccountDetail struct {
	AccountRow
	Threshold  time.Duration
	Grade      Grade // for the threshold
	Basis      GradeBasis
	Activities []SourceActivity
	Issue      AccountIssue // empty = none
	Groups     int64        // memberships that the vendor lists
	Changes    []Change     // the last ones, newest first
	Datasets   []DatasetFreshness
}

// AccountIssue is why nobody, or not surely somebody, is known to hold an account.
type AccountIssue string

// The issues of accounts. An unmatched account is one that nothing speaks for.
const (
	AccountUnmatched     AccountIssue = "unmatched"
	AccountAmbiguous     AccountIssue = "ambiguous"
	AccountContradiction AccountIssue = "contradiction"
)

// DatasetFreshness is a data set with what its age means.
type DatasetFreshness struct {
	DatasetStatus
	Connection string
	Every      time.Duration // how often it is renewed by schedule; 0 = never
	Stale      bool          // a run of the schedule was missed
}

// GroupRow is a group as lists show it.
type GroupRow struct {
	Group
	Connection  string
	Members     int64 // as listed; of a group of everybody the vendor lists none
	FirstSeenAt time.Time
}

// MembershipRow is one account's membership of one group, with both named.
type MembershipRow struct {
	GroupMember
	GroupName    string
	OurID        AccountID // empty = the account was not listed
	Login        string
	Status       AccountStatus
	Kind         AccountKind
	LastActiveAt time.Time
	FirstSeenAt  time.Time
}

// ChangeFilter selects changes. An empty field selects all.
type ChangeFilter struct {
	ConnectionID ConnectionID
	Kinds        []ChangeKind
	AccountID    AccountID
	Since, Until time.Time // when it was seen; until is not included
	After        string    // cursor; "" = from the newest
	Limit        int
}

// ChangeRow is a change as lists show it.
type ChangeRow struct {
	Change
	Connection string
}

// ChangeKinds are the kinds of change.
func ChangeKinds() []ChangeKind {
	return []ChangeKind{
		ChangeAccountAppeared, ChangeAccountMissing, ChangeAccountReturned, ChangeAccountDeleted, ChangeStatus, ChangeRole, ChangeKindOf, ChangeLogin,
		ChangeGroupAppeared, ChangeGroupGone, ChangeMembershipGained, ChangeMembershipLost, ChangeMembershipRole,
		ChangeAccessGained, ChangeAccessLost, ChangeAccessRole,
	}
}
