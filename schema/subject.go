package schema

import (
	"slices"
	"time"
)

// Subject is everything that a policy judges an account by.
type Subject struct {
	Account    Account
	Connection string
	Activity   Activity // summed over the connection's sources, as GradeOf does
	Person     *Holder
	Groups     []HeldGroup // set only when the rule asks for groups
	// KeptAt is when somebody last said that the account is still needed; zero =
	// nobody did. The clock starts again there.
	KeptAt time.Time
}

// Holder is who holds an account, by the employment that counts now.
type Holder struct {
	ID         PersonID
	Email      string
	Name       string
	Employment EmploymentKind // empty = no source tells of them
	Status     EmploymentStatus
	Department string
	Site       string
	Manager    string // their address
	HireDate   Date
	LastDay    Date // zero = not said
}

// HeldGroup is a group that an account is in.
type HeldGroup struct {
	ID   string // the vendor's
	Name string
	Role string
}

// VerdictReason says why a policy takes an account or leaves it.
type VerdictReason string

// The reasons, in the order in which they are looked for. An account whose use is
// unknown or not collected is never matched, whatever else is so (promise 4).
const (
	ReasonKind         VerdictReason = "kind"           // not of the kinds
	ReasonStatus       VerdictReason = "status"         // not of the statuses
	ReasonNotCollected VerdictReason = "not_collected"  // its use is not collected
	ReasonUnknown      VerdictReason = "unknown"        // nobody knows whether it is used
	ReasonGrade        VerdictReason = "grade"          // not of the grades: active, mostly
	ReasonYoung        VerdictReason = "young"          // never used, and made within the threshold
	ReasonKept         VerdictReason = "kept"           // somebody said within the threshold that it is needed
	ReasonExcluded     VerdictReason = "excluded"       // by an exclusion
	ReasonNoMatch      VerdictReason = "no_match"       // the match is false
	ReasonMatchFailed  VerdictReason = "match_failed"   // the match could not be computed: never a match
	ReasonMatched      VerdictReason = "matched"        // taken
	ReasonElsewhere    VerdictReason = "not_applicable" // not on a connection of the policy
	// ReasonOther is one that a run did not keep: not matched, kept or excluded. It
	// marks accounts whose verdict changed; explaining one finds its reason anew.
	ReasonOther VerdictReason = "other"
)

// VerdictReasons lists them in order.
func VerdictReasons() []VerdictReason {
	return []VerdictReason{
		ReasonElsewhere, ReasonKind, ReasonStatus, ReasonNotCollected, ReasonUnknown, ReasonGrade, ReasonYoung, ReasonKept, ReasonExcluded,
		ReasonNoMatch, ReasonMatchFailed, ReasonMatched,
	}
}

// Verdict is what a policy says of an account.
type Verdict struct {
	Reason    VerdictReason
	Grade     Grade
	Threshold time.Duration
	Exclusion int    // index of the exclusion that keeps it out; -1 = none
	Detail    string // of a failed match: what could not be computed, without data of the account
}

// Matched tells whether the policy takes the account.
func (v Verdict) Matched() bool { return v.Reason == ReasonMatched }

// BoundField is a fact of an account that the database can filter by.
type BoundField string

// The fields. Times are RFC 3339, truths "true" and "false".
const (
	BoundStatus     BoundField = "account.status"
	BoundKind       BoundField = "account.kind"
	BoundRole       BoundField = "account.role"
	BoundPrivileged BoundField = "account.privileged"
	BoundSpaceUsed  BoundField = "account.space_used"
	BoundKnown      BoundField = "person.known"
	BoundEmployment BoundField = "person.employment"
)

// BoundOp compares a field.
type BoundOp string

// The operators. Those of order have one value.
const (
	BoundIn      BoundOp = "in"
	BoundNotIn   BoundOp = "not_in"
	BoundLess    BoundOp = "<"
	BoundAtMost  BoundOp = "<="
	BoundMore    BoundOp = ">"
	BoundAtLeast BoundOp = ">="
)

// Bound is a condition that every account meets that a match is true for: others
// need not be read.
type Bound struct {
	Field  BoundField
	Op     BoundOp
	Values []string
}

// Needs are the parts of a Subject that cost something to read and that a rule
// asks for.
type Needs struct {
	Person bool
	Groups bool
}

// PopulationQuery selects the accounts that a rule could take.
type PopulationQuery struct {
	Connections []ConnectionID
	Kinds       []AccountKind
	Statuses    []AccountStatus
	Grades      []Grade
	Threshold   Threshold
	Now         time.Time
	Bounds      []Bound
	Needs       Needs
}

// Population counts what a rule looks at.
type Population struct {
	Total int64 // accounts on the connections that are not deleted or missing
	// Reasons counts those that were not handed out: by kind, status, not_collected,
	// unknown, grade and, of those that a bound leaves out, no_match.
	Reasons []ReasonCount
	Basis   []PopulationBasis
}

// Count is how many a reason counts.
func (p Population) Count(r VerdictReason) int64 { return CountOf(p.Reasons, r) }

// ReasonCount is how many accounts a reason is given for.
type ReasonCount struct {
	Reason VerdictReason `json:"reason"`
	Count  int64         `json:"count"`
}

// CountOf is the count of a reason.
func CountOf(list []ReasonCount, r VerdictReason) int64 {
	i := slices.IndexFunc(list, func(c ReasonCount) bool { return c.Reason == r })
	if i < 0 {
		return 0
	}
	return list[i].Count
}

// PopulationBasis is what a connection's grades are proven by.
type PopulationBasis struct {
	ConnectionID ConnectionID `json:"connection_id"`
	Connection   string       `json:"connection"`
	Covered      Interval     `json:"covered"`   // empty = activity is not collected
	SyncedAt     time.Time    `json:"synced_at"` // when its accounts were last listed; zero = never
	// GroupsAsOf is when all groups and their members were last listed; zero = they
	// are not all known.
	GroupsAsOf time.Time `json:"groups_as_of"`
	// Unread: the vendor did not let its events be read when that was last tried,
	// whatever is covered from before.
	Unread bool `json:"unread"`
	// Why is the code of why activity is not collected or the listing is not whole.
	Why string `json:"why,omitempty"`
}
