package schema

import "time"

// ReviewID names a review run of a policy.
type ReviewID string

// ReviewState is how far a review run is.
type ReviewState string

// The states of a review run.
const (
	ReviewGathering ReviewState = "gathering" // waits for fresh facts
	ReviewJudging   ReviewState = "judging"
	ReviewPlanning  ReviewState = "planning"  // plans what matched
	ReviewHeld      ReviewState = "held"      // over budget: two must release it
	ReviewApproving ReviewState = "approving" // waits for approvals of its hash
	ReviewActing    ReviewState = "acting"    // asks, and starts what is confirmed
	ReviewEnded     ReviewState = "ended"
)

// reviewMoves are the legal moves between the states.
var reviewMoves = map[ReviewState][]ReviewState{
	ReviewGathering: {ReviewJudging, ReviewEnded},
	ReviewJudging:   {ReviewPlanning, ReviewEnded},
	ReviewPlanning:  {ReviewHeld, ReviewApproving, ReviewActing, ReviewEnded},
	ReviewHeld:      {ReviewApproving, ReviewActing, ReviewEnded},
	ReviewApproving: {ReviewActing, ReviewEnded},
	ReviewActing:    {ReviewEnded},
}

// CanMove tells whether a review run may go from one state to the other.
func (s ReviewState) CanMove(to ReviewState) bool {
	for _, m := range reviewMoves[s] {
		if m == to {
			return true
		}
	}
	return false
}

// ReviewEnd is how a review run ended.
type ReviewEnd string

// The ends.
const (
	ReviewDone      ReviewEnd = "done"      // everything was started, kept or refused
	ReviewReported  ReviewEnd = "reported"  // cold start, shadow, or asked only to report
	ReviewStale     ReviewEnd = "stale"     // the facts were too old, or not collected
	ReviewTooMany   ReviewEnd = "too_many"  // it would take more than half the population
	ReviewDiscarded ReviewEnd = "discarded" // held, and a principal discarded it
	ReviewCancelled ReviewEnd = "cancelled"
	ReviewFailed    ReviewEnd = "failed"
	ReviewDark      ReviewEnd = "blackout"
)

// ReviewMode is why a run acts or does not.
type ReviewMode string

// The modes.
const (
	ReviewActs       ReviewMode = "act"
	ReviewShadows    ReviewMode = "shadow"
	ReviewColdStarts ReviewMode = "cold_start"
	ReviewReports    ReviewMode = "report" // an operator asked for a report alone
)

// Review is one review run of a policy.
type Review struct {
	ID          ReviewID
	PolicyID    PolicyID
	Policy      string // its name
	Version     int    // of the policy
	ScheduledAt time.Time
	Trigger     RunTrigger
	RequestedBy string // principal's name; empty for a schedule
	RequestedID TokenID
	Mode        ReviewMode
	State       ReviewState
	End         ReviewEnd // of an ended one
	Why         string    // in words, of an end that is not done or reported
	// Looked and Reasons count what was judged.
	Looked  int64
	Reasons []ReasonCount
	Basis   []PopulationBasis
	Changed int64  // accounts whose verdict is another than in the run before
	Hash    string // of its plans; empty = not planned
	// Wanted is what its plans would use, and Overruns what that exceeds.
	Wanted   Spending
	Overruns []Overrun
	// BudgetWait tells what waits for room in a budget; nil = nothing.
	BudgetWait *BudgetWait
	BatchID    BatchID // that holds it; empty = never held
	Approvals  int     // needed
	Approved   []ReviewApproval
	CreatedAt  time.Time
	JudgedAt   time.Time // the instant that grades are of; zero = not yet
	EndedAt    time.Time
	WorkflowID string
}

// ReviewApproval is a principal's approval of a run's plans.
type ReviewApproval struct {
	Principal string
	TokenID   TokenID
	Email     string // of the principal; empty = not said
	Reason    string
	Hash      string
	CreatedAt time.Time
}

// ItemState is what became of an account that a review run matched.
type ItemState string

// The states of an item.
const (
	ItemMatched   ItemState = "matched"   // not planned yet
	ItemPlanned   ItemState = "planned"   // waits for the run's release
	ItemRefused   ItemState = "refused"   // pre-flight refuses its plan, or nobody could be asked
	ItemAsking    ItemState = "asking"    // waits for an answer
	ItemReady     ItemState = "ready"     // confirmed: it starts when there is room
	ItemStarted   ItemState = "started"   // it has a case
	ItemKept      ItemState = "kept"      // somebody said that it is still needed
	ItemSilent    ItemState = "silent"    // nobody answered, and silence means nothing
	ItemDrifted   ItemState = "drifted"   // not what was approved any more
	ItemCancelled ItemState = "cancelled" // with its run
)

// ItemStates lists them.
func ItemStates() []ItemState {
	return []ItemState{
		ItemMatched, ItemPlanned, ItemRefused, ItemAsking, ItemReady, ItemStarted, ItemKept, ItemSilent, ItemDrifted, ItemCancelled,
	}
}

// Ended tells whether the run does nothing more about the item.
func (s ItemState) Ended() bool {
	switch s {
	case ItemRefused, ItemStarted, ItemKept, ItemSilent, ItemDrifted, ItemCancelled:
		return true
	}
	return false
}

// ReviewItem is one account that a review run matched.
type ReviewItem struct {
	ReviewID     ReviewID
	AccountID    AccountID
	ConnectionID ConnectionID
	ExternalID   ExternalID
	Login        string // as it was
	Privileged   bool
	State        ItemState
	Grade        Grade
	Threshold    time.Duration
	LastActiveAt time.Time // zero = no use was ever seen
	Facts        *Facts    // nil = not planned
	Hash         string
	Bytes        int64 // that its plan would move or destroy
	Findings     []Finding
	Drift        []Difference // of a drifted one
	Why          string       // of a refused, kept, drifted or waiting one, in words
	CaseID       CaseID
	AskUntil     time.Time // of an asking one: when silence counts
	UpdatedAt    time.Time
}

// Unread begins the words for why something waits: something about its account could
// not be read. A review's item that has them waits since it was updated.
const Unread = "it cannot be judged now: "

// Difference is one fact that is not as it was approved.
type Difference struct {
	Fact   string `json:"fact"`
	Before string `json:"before"`
	Now    string `json:"now"`
}

// Judged is an account that a rule took, or that an exclusion kept out.
type Judged struct {
	AccountID    AccountID
	ConnectionID ConnectionID
	ExternalID   ExternalID
	Login        string
	Privileged   bool
	Bytes        int64
	Verdict      Verdict
	LastActiveAt time.Time
}

// Judgement is what a run's rule came to, without the candidates.
type Judgement struct {
	At      time.Time
	Looked  int64
	Reasons []ReasonCount
	Basis   []PopulationBasis
}

// PlannedItem is the plan of an item.
type PlannedItem struct {
	AccountID AccountID
	Facts     Facts
	Bytes     int64
	Findings  []Finding
}

// Refused tells whether pre-flight refuses the plan.
func (p PlannedItem) Refused() bool { return Refused(p.Findings) }

// ReviewFilter selects review runs; zero values select all.
type ReviewFilter struct {
	Policy string // name or id
	State  ReviewState
	After  string
	Limit  int
}

// ItemFilter selects items of a run; zero values select all.
type ItemFilter struct {
	State ItemState
	After string
	Limit int
}

// VerdictRow is an account whose verdict a run keeps: matched, excluded, kept, or
// other than in the run before.
type VerdictRow struct {
	AccountID  AccountID
	Connection string
	ExternalID ExternalID
	Login      string
	Reason     VerdictReason
	Before     VerdictReason // of a changed one; empty = the same, or there was no run before
	Exclusion  int           // -1 = none
}

// ReviewReport sums a run for people.
type ReviewReport struct {
	Review Review
	Items  []ItemCount
	// Of the items that were started, by the state of their plans.
	Plans []PlanCount
	Asked, Answered, Needed, NotNeeded,
	Undeliverable int // asks
	SeatsFreed int64   // by proven deletes
	SeatsAhead int64   // that open plans of the run will free
	AtRenewal  []Money // saved per year from the renewal on by SeatsFreed, one for each currency
	Excluded   []ExcludedCount
}

// ItemCount counts items in a state.
type ItemCount struct {
	State ItemState
	Count int64
}

// PlanCount counts plans in a state.
type PlanCount struct {
	State PlanState
	Count int64
}

// ExcludedCount counts accounts that an exclusion keeps out.
type ExcludedCount struct {
	Exclusion int
	Reason    string // the exclusion's
	Count     int64
}
