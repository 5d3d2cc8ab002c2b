package schema

import "time"

// BatchScope is whose batch is held.
type BatchScope string

// The scopes.
const (
	BatchOfSource BatchScope = "hr_source"
	BatchOfPolicy BatchScope = "policy"
	// BatchOfAccessReview holds the removals of a campaign.
	BatchOfAccessReview BatchScope = "access_review"
)

// BatchState is what became of a held batch.
type BatchState string

// The states.
const (
	BatchHeld      BatchState = "held"
	BatchReleased  BatchState = "released"
	BatchDiscarded BatchState = "discarded"
)

// ReleasesNeeded is how many different principals must release a held batch.
const ReleasesNeeded = 2

// Batch is what would have started more than its limit allows. Nothing of it
// starts until two principals release it. A scope has at most one that is held:
// what comes meanwhile joins it.
type Batch struct {
	ID        BatchID
	Scope     BatchScope
	ScopeID   string
	ScopeName string
	State     BatchState
	Size      int // how many it would start
	Started   int // within the window, before it
	Allowed   int
	Limit     StartLimit
	Releases  []BatchDecision // so far, oldest first; of a discarded one its discard
	CreatedAt time.Time
	EndedAt   time.Time // zero = held
}

// BatchDecision is a principal's word on a held batch.
type BatchDecision struct {
	Kind      BatchState // released or discarded
	Reason    string
	Principal string
	TokenID   TokenID
	CreatedAt time.Time
	// Size is how large the batch was that the principal saw.
	Size int
}

// BatchFilter selects batches; zero values select all.
type BatchFilter struct {
	State BatchState
	After string
	Limit int
}
