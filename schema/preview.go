package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// PolicyFile is a policy as a file gives it.
type PolicyFile struct {
	Rule   PolicyRule
	Source string
}

// ApplyPolicies is what is applied at once. With a Set, policies of that set that
// are not among the files are paused; without, the others stay as they are.
type ApplyPolicies struct {
	Set    string
	Files  []PolicyFile
	DryRun bool // only say what would change
	// Confirm is the ConfirmOf of what was looked at: nothing is applied when something
	// else would change. Empty = whatever changes.
	Confirm string
}

// ConfirmOf names what an apply would change: another change, or the same one to
// other versions, has another name.
func ConfirmOf(set string, planned []AppliedPolicy) string {
	type change struct {
		Name    string
		Change  PolicyChange
		Version int
		Hash    string
		Before  string
	}
	list := make([]change, len(planned))
	for i, p := range planned {
		list[i] = change{p.Name, p.Change, p.Policy.Version, p.Policy.Rule.Hash(), ""}
		if p.Before != nil {
			list[i].Before = p.Before.Hash()
		}
	}
	b, _ := json.Marshal(struct { // strings and integers alone: Marshal cannot fail
		Set  string
		List []change
	}{set, list})
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// PolicyFilter selects policies; zero values select all.
type PolicyFilter struct {
	State PolicyState
	Set   string
	After string
	Limit int
}

// Preview is what a rule would do now. Nothing was written but accounts that were
// seen.
type Preview struct {
	Policy   string
	At       time.Time
	Looked   int64
	Reasons  []ReasonCount
	Basis    []PopulationBasis
	Matched  int64
	Rows     []PreviewRow // the first of those that matched
	Wanted   Spending     // by all that matched
	Overruns []Overrun
	// TooMany: it takes more than half the population, and the rule does not allow it.
	TooMany bool
}

// PreviewRow is one account that a rule would act on.
type PreviewRow struct {
	Judged
	Connection string
	Facts      *Facts // nil = its plan was not made: too many rows, or no connection
	Hash       string
	Findings   []Finding
}

// Explanation says why a policy takes an account or leaves it.
type Explanation struct {
	Policy     string
	Version    int
	AccountID  AccountID
	Connection string
	Login      string
	At         time.Time
	Verdict    Verdict
	// Facts are what was judged, as "name = value" in the words of the match.
	Facts []ExplainedFact
	// Parts are the conditions of the match that are joined by "and", each with what
	// it came to.
	Parts    []ExplainedPart
	Excluded string   // the reason of the exclusion that keeps it out
	Recorded *Verdict // of the newest review that keeps one; nil = none
}

// ExplainedFact is a fact that a match can ask for.
type ExplainedFact struct{ Name, Value string }

// ExplainedPart is a part of a match.
type ExplainedPart struct{ Expression, Result string }

// Replay is what a rule would have done in the past.
type Replay struct {
	Policy   string
	From, To time.Time
	Accounts int64 // looked at
	Hits     []ReplayHit
	// Returned counts the hits that were used again later: false positives.
	Returned int64
	// Unproven counts silences as long as the threshold that no coverage proves: the
	// rule would not have taken those.
	Unproven int64
	// Limits says in words what the record cannot tell, so that nobody takes the
	// replay for more than it is.
	Limits []string
	Next   string // cursor of the next page of hits
}

// ReplayHit is an account that a rule would have taken.
type ReplayHit struct {
	AccountID    AccountID
	Connection   string
	Login        string
	HitOn        Date
	LastUsedOn   Date // zero = no use was seen before
	ReturnedOn   Date // zero = never
	SilentForDay int  // days, until HitOn
}

// ReplayQuery selects the history that a rule is replayed over.
type ReplayQuery struct {
	Connections []ConnectionID
	Kinds       []AccountKind
	From, To    time.Time
	Needs       Needs
}

// UsedAccount is an account with what is recorded of its use.
type UsedAccount struct {
	Subject              // as it is now, or was when it was last seen
	Days    []Date       // UTC days within the span on which it was used, oldest first
	Before  Date         // the last day of use before the span; zero = none is recorded
	Changes []StatusMove // of its status within the span, oldest first
	// GoneAt is when it was deleted or went missing; zero = it is there.
	GoneAt time.Time
}

// StatusMove is a change of an account's status.
type StatusMove struct {
	At            time.Time
	Before, After AccountStatus
}

// UseCoverage is what is known of the use of a connection's accounts.
type UseCoverage struct {
	ConnectionID ConnectionID
	Connection   string
	// Sources are those that count, in their declared order: use that any of them saw
	// counts, silence is judged by the first that is collected.
	Sources []SourceCoverage
}
