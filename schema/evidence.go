package schema

import "time"

// CampaignEvidence is everything a campaign comes to, for an auditor. Its JSON is the same
// bytes for the same campaign, but for ExportedAt.
type CampaignEvidence struct {
	Format     string // EvidenceFormat, or the one before that it was signed in
	ExportedAt time.Time
	Signed     bool
	Campaign   Campaign
	Review     AccessReview // the version the campaign was made by
	Counts     CampaignCounts
	// Exceptions are what stood open when it was signed, or stands open now.
	Exceptions []Finding
	// Batches held removals that were over budget; Events are what was done with the
	// campaign as a whole. Neither stands in the first format.
	Batches   []EvidenceBatch
	Events    []EvidenceEvent
	Reviewers []ReviewerStats
	Items     []EvidenceItem
	Removals  []Removal // without items
	Returns   []Return
}

// EvidenceBatch is a batch of removals that were over budget, with every word on it.
type EvidenceBatch struct {
	ID        BatchID
	State     BatchState
	Size      int       // how many accounts it held in the end
	Overruns  []Overrun // the limits it exceeded; empty = not kept
	HeldAt    time.Time
	EndedAt   time.Time // zero = held
	Decisions []EvidenceRelease
}

// EvidenceRelease is a principal's word on a batch, a release or a discard.
type EvidenceRelease struct {
	BatchDecision
	// Counts tells whether the batch ended by it. No release counts that the batch grew
	// after, or whose giver's own word it carries out.
	Counts bool
}

// EvidenceEvent is an audit record of the campaign's own stream.
type EvidenceEvent struct {
	Seq     int64 // in that stream
	At      time.Time
	Action  string
	By      string  // the principal's name; empty = the engine
	TokenID TokenID // of the principal
	Details []EvidenceDetail
	Hash    string // hex, of the record
}

// EvidenceDetail is one fact of an event.
type EvidenceDetail struct{ Name, Value string }

// EvidenceItem is an item with everything that was said and done about it.
type EvidenceItem struct {
	CampaignItem
	// Shown are the versions that decisions were taken by.
	Shown       []ShownFacts
	Decisions   []CampaignDecision // in the order they were taken in
	Assignments []AssignmentRow    // oldest first
}

// ShownFacts are one version of an item as it was shown.
type ShownFacts struct {
	Version int
	Facts   ItemFacts
	At      time.Time
	// Weighed is what was shown beside the facts of a version before the present one,
	// which the item itself tells of. Nil = that, or it was not kept yet.
	Weighed *ShownWeighed
}

// ShownWeighed is what helped to decide, and what the facts spoke for.
type ShownWeighed struct {
	Context        ItemContext
	Recommendation Recommendation
	Risk           Risk
}

// AssignmentRow is who had an item, when and why.
type AssignmentRow struct {
	Stage      int
	ReviewerID PersonID
	Reviewer   string // their name or address
	Via        []Via
	Why        string
	At         time.Time
	EndedAt    time.Time // zero = they have it
	EndWhy     string
}

// The versions of CampaignEvidence. What was signed in the first one stays in it: that
// does not tell what was shown beside the facts of earlier versions, of batches, events
// and earlier second looks, and in which order two decisions of one instant were taken.
const (
	EvidenceFormat      = "sendoff.evidence/2"
	EvidenceFormatFirst = "sendoff.evidence/1"
)
