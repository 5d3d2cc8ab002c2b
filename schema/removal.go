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

// Why access came back after its removal.
const (
	ReturnByDirectory  = "directory"   // one feeds the group, and put the account into it again
	ReturnByInvitation = "invitation"  // somebody put the account into the group, or shared it, again
	ReturnByRole       = "role"        // somebody gave the account an administrative role again
	ReturnReactivated  = "reactivated" // the vendor lists the account as active
)

// ReturnCauses lists them.
func ReturnCauses() []string {
	return []string{ReturnByDirectory, ReturnByInvitation, ReturnByRole, ReturnReactivated}
}

// Return is access that came back after its removal.
type Return struct {
	CampaignID CampaignID
	ItemID     ItemID
	Facts      ItemFacts // as it is now
	Cause      string    // one of ReturnCauses; see docs/reviews.md
	Detail     string
	SeenAt     time.Time
	FollowUp   CampaignID // that was made for it; empty = the item was opened again
}

// RemovalsLeft counts the removals of a campaign that have not ended, by what they
// wait for. Started ones whose plans wait for a timer or an operator are in none.
type RemovalsLeft struct {
	Working   int // their plans are at their steps
	Approving int // their cases wait for approvals
	Waiting   int // not started: for another case, a connection, room in a budget
}

// RemovalsWatched is what one look at removals that are done found.
type RemovalsWatched struct {
	Looked   int       // removals that were looked at
	Returned int       // items whose access is there again
	Until    time.Time // when nothing is left to watch or to remove; zero = now
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
