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
	Reviewers  []ReviewerStats
	Items      []EvidenceItem
	Removals   []Removal // without items
	Returns    []Return
}

// EvidenceItem is an item with everything that was said and done about it.
type EvidenceItem struct {
	CampaignItem
	// Shown are the versions that decisions were taken by.
	Shown       []ShownFacts
	Decisions   []CampaignDecision // oldest first
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
// does not tell what was shown beside the facts of earlier versions.
const (
	EvidenceFormat      = "sendoff.evidence/2"
	EvidenceFormatFirst = "sendoff.evidence/1"
)
