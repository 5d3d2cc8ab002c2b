package schema

import "time"

// NoticeCampaignFacts is what a notice of a campaign tells the reviewer or the owner
// that it is to. It has no member for whose access it is: a mail names no account.
type NoticeCampaignFacts struct {
	ID    CampaignID
	Title string    // of the review, or its name
	Owner string    // of the campaign: an address
	DueAt time.Time // the deadline; zero = there is none now
	Open  int       // items that the reviewer has to decide
	High  int       // of these, of high risk
	// Needs is what the owner is needed for, in fixed words; empty = nothing stands
	// against the signature.
	Needs []NoticeNeed
	// Over tells that nobody is awaited any more: nothing is sent then.
	Over bool
}

// NoticeNeed is something that a campaign needs its owner for.
type NoticeNeed struct {
	Code FindingCode
	What string
	Fix  string
}
