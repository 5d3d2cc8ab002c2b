package schema

import "time"

// CampaignEvidence is everything a campaign comes to, for an auditor. Its JSON is the same
// bytes for the same campaign, but for ExportedAt.
type CampaignEvidence struct {
	Format     string // "sendoff.evidence/1"
	ExportedAt time.Time
	Signed     bool
	Campaign   Campaign
	Review     AccessReview // the version the campaign was made by
	Counts     CampaignCounts
	// Exceptions are what stood open when it was signed, or stands open now.
	Exceptions []Finding
	Reviewers  []ReviewerStats
	Items      []EvidenceItem
	Removals   []Removal // without items
	Returns    []Return
}

// EvidenceItem is an item with everything that was said and done about it.
type EvidenceItem struct {
	CampaignItem
	// Shown are the facts of each version that a decision was taken by.
	Shown       []ShownFacts
	Decisions   []CampaignDecision // oldest first
	Assignments []AssignmentRow    // oldest first
}

// ShownFacts are the facts of one version of an item.
type ShownFacts struct {
	Version int
	Facts   ItemFacts
	At      time.Time
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

// EvidenceFormat is the version of CampaignEvidence.
const EvidenceFormat = "sendoff.evidence/1"
