package schema

import "time"

// RemovalID names a removal.
type RemovalID string

// RemovalState is how far the removal of what was revoked of one account is.
type RemovalState string

// The states of a removal.
const (
	RemovalWanted     RemovalState = "wanted"  // not planned yet
	RemovalPlanned    RemovalState = "planned" // waits for the budget
	RemovalReady      RemovalState = "ready"   // starts when nothing else works on the account
	RemovalStarted    RemovalState = "started" // it has a case
	RemovalDone       RemovalState = "done"    // the vendor says that it is gone
	RemovalRefused    RemovalState = "refused" // pre-flight refuses it
	RemovalImpossible RemovalState = "impossible"
	RemovalWithdrawn  RemovalState = "withdrawn" // the decision was corrected
	RemovalUndone     RemovalState = "undone"    // its case was cancelled, and what it took given back
)

// RemovalStates lists them.
func RemovalStates() []RemovalState {
	return []RemovalState{
		RemovalWanted, RemovalPlanned, RemovalReady, RemovalStarted, RemovalDone, RemovalRefused, RemovalImpossible, RemovalWithdrawn, RemovalUndone,
	}
}

// Ended tells whether nothing more is done about it.
func (s RemovalState) Ended() bool {
	switch s {
	case RemovalDone, RemovalRefused, RemovalImpossible, RemovalWithdrawn, RemovalUndone:
		return true
	}
	return false
}

// Removal is what a campaign takes away from one account.
type Removal struct {
	ID         RemovalID
	CampaignID CampaignID
	AccountID  AccountID
	Account    Account
	Items      []CampaignItem // that it removes
	State      RemovalState
	Facts      *Facts // nil = not planned
	Hash       string
	Bytes      int64
	Findings   []Finding
	Why        string // of one that is refused, impossible, withdrawn or waiting, in words
	Way        string // of an impossible one: how a person can do it
	CaseID     CaseID
	PlanState  PlanState // of its case; empty = none
	WaitsFor   CaseID    // that works on the account now
	ProvenAt   time.Time // the vendor said that it is gone
	CheckedAt  time.Time // the last sync that was looked at since
	WatchUntil time.Time
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Return is access that came back after its removal.
type Return struct {
	CampaignID CampaignID
	ItemID     ItemID
	Facts      ItemFacts // as it is now
	Cause      string    // directory, invitation, role, reactivated, not_known; see docs/reviews.md
	Detail     string
	SeenAt     time.Time
	FollowUp   CampaignID // that was made for it; empty = the item was opened again
}

// RemovalFilter selects removals of a campaign; zero values select all.
type RemovalFilter struct {
	State RemovalState
	After string
	Limit int
}

// PlannedRemoval is the plan of a removal.
type PlannedRemoval struct {
	ID       RemovalID
	Facts    Facts
	Bytes    int64
	Findings []Finding
}

// Refused tells whether pre-flight refuses the plan.
func (p PlannedRemoval) Refused() bool { return Refused(p.Findings) }
