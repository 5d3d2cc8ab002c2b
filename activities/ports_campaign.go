package activities

import (
	"context"
	"time"

	"sendoff/schema"
)

// CampaignStore keeps access reviews and their campaigns. Each method that changes
// state is one transaction that moves it by compare-and-set and appends the audit
// record. CodeStale: the campaign is in another state by now; read it again.
type CampaignStore interface {
	CampaignRuns
	CampaignItems
	CampaignRemovals
}

// CampaignRuns moves campaigns.
type CampaignRuns interface {
	// BeginCampaign makes the campaign of a review and a scheduled time, or returns the
	// one there is. CodeConflict when another whole campaign of it is open, CodeClosed
	// when the review is paused.
	BeginCampaign(ctx context.Context, review schema.AccessReviewID, scheduledAt time.Time, workflowID string) (schema.Campaign, error)
	// Campaign returns a campaign; CodeNotFound.
	Campaign(ctx context.Context, id schema.CampaignID) (schema.Campaign, error)
	// AccessReviewAt returns a review as it was at a version; CodeNotFound.
	AccessReviewAt(ctx context.Context, id schema.AccessReviewID, version int) (schema.AccessReview, error)
	// ConnectionNamed returns the connection of a name that is not removed; CodeNotFound.
	ConnectionNamed(ctx context.Context, name string) (schema.Connection, error)
	PopulationBasis(ctx context.Context, connections []schema.ConnectionID) ([]schema.PopulationBasis, error)
	AskRun(ctx context.Context, connection schema.ConnectionID, kind schema.RunKind) error
	// BeginListing moves gathering to listing and keeps what the launch was warned of.
	BeginListing(ctx context.Context, id schema.CampaignID, warnings []schema.Finding) error
	// ListHoldings takes the snapshot, in one repeatable-read transaction: it hands out
	// holdings in batches (their slice is used again), keeps as items what judge
	// returns, seeds no control items, and moves listing to assigning, or ends a
	// campaign without items as empty. A repeat of one that is listed changes nothing.
	ListHoldings(ctx context.Context, id schema.CampaignID, q schema.HoldingQuery, judge func([]schema.Holding) ([]schema.NewItem, error)) error
	// OpenCampaign moves assigning to open when no item is unassigned: it seeds the
	// control items (of its rule, each reviewer's by a generator seeded with the
	// campaign's id), sets the deadline and queues the notices that ask the reviewers.
	OpenCampaign(ctx context.Context, id schema.CampaignID, due time.Time) error
	// CloseDue moves open to closing when the deadline is over at the instant and nobody
	// has an open item and none needs a reviewer; CodeStale when that is not so (any more).
	CloseDue(ctx context.Context, id schema.CampaignID, now time.Time) error
	// MoveCampaign moves a campaign from one state to the next that needs no more than
	// that: closing to removing, removing to closed, closed to open again.
	MoveCampaign(ctx context.Context, id schema.CampaignID, from, to schema.CampaignState) error
	// EndCampaign ends a campaign: items that are not decided are withdrawn, removals
	// that have not started too, and what it did not use of budgets is given back. One
	// that has ended stays as it is.
	EndCampaign(ctx context.Context, id schema.CampaignID, end schema.CampaignEnd, why string) error
	// RaiseAlarm opens an alarm unless one of that subject and code is open.
	RaiseAlarm(ctx context.Context, a schema.Alarm) error
	// CampaignStumbled raises the alarm of a campaign that cannot go on, unless it has
	// ended.
	CampaignStumbled(ctx context.Context, id schema.CampaignID, why string) error
	// CampaignWentOn ends the alarm of a campaign that could not go on; without one it
	// writes nothing.
	CampaignWentOn(ctx context.Context, id schema.CampaignID) error
	// BeginSmall looks for changes that begin small campaigns of a review (movers,
	// privileged roles) since it was looked at last, and makes these. It returns how
	// many. A paused review is looked at and makes none.
	BeginSmall(ctx context.Context, id schema.AccessReviewID) (int, error)
}

// CampaignItems moves the items of campaigns.
type CampaignItems interface {
	// Directory returns everybody who could be a reviewer of the campaign.
	Directory(ctx context.Context, id schema.CampaignID, r schema.AccessReviewRule) (schema.Directory, error)
	// Unassigned returns up to limit items that need a reviewer, in the order of their
	// ids, so that loads come out the same when it is done again.
	Unassigned(ctx context.Context, id schema.CampaignID, limit int) ([]schema.Unassigned, error)
	// Assign gives items to their reviewers, with when each escalates (by reviewer and the
	// deadline as it is then, zero before the opening), or leaves them undecided where
	// nobody may decide. Of those that changed meanwhile nothing is changed.
	Assign(ctx context.Context, id schema.CampaignID, list []schema.Assignment, escalate func(to schema.PersonID, due time.Time) time.Time) error
	// RefreshItems compares up to limit undecided items (after the id) with the
	// inventory as it is now: what differs gets its new facts and version; access that
	// ended is gone, and open again when it is back. What is with a reviewer who holds
	// the account by now, or decided about it in another stage, is taken back. It
	// returns the last id looked at, empty at the end. Of a campaign that is neither open
	// nor finding reviewers nothing is changed.
	RefreshItems(ctx context.Context, id schema.CampaignID, after schema.ItemID, limit int) (schema.ItemID, error)
	// UnseatReviewers takes open items back from reviewers who left or are absent, so
	// that others are found. It returns how many.
	UnseatReviewers(ctx context.Context, id schema.CampaignID, now time.Time) (int, error)
	// EscalateDue takes up to limit open items back whose time with their reviewer is
	// over, for the next in the chain.
	EscalateDue(ctx context.Context, id schema.CampaignID, now time.Time, limit int) (int, error)
	// NextDue is when the first open item escalates; zero = none does.
	NextDue(ctx context.Context, id schema.CampaignID) (time.Time, error)
	// OpenReviewers lists reviewers with open items.
	OpenReviewers(ctx context.Context, id schema.CampaignID) ([]schema.OpenReviewer, error)
	// Remind queues the reminder of a reviewer, unless one was queued since the instant.
	Remind(ctx context.Context, id schema.CampaignID, reviewer schema.PersonID, since time.Time) error
	// SilenceDue gives up to limit open items of an open campaign whose deadline is over,
	// and whose time with their reviewer is (escalate_at), their meaning by the rule: keep,
	// revoke or, for escalate, undecided. It returns how many. CodeStale before the
	// deadline.
	SilenceDue(ctx context.Context, id schema.CampaignID, s schema.CampaignSilence, now time.Time, limit int) (int, error)
	// ApplySilence gives up to limit items that nobody decided of a campaign that is being
	// closed their meaning, whoever has them, or nobody. It returns how many.
	ApplySilence(ctx context.Context, id schema.CampaignID, s schema.CampaignSilence, limit int) (int, error)
}

// CampaignRemovals removes what was revoked.
type CampaignRemovals interface {
	// GatherRemovals makes a removal for each account with revoked items that have
	// none, or adds them to one that has not started; withdraws those whose items are
	// kept by now; and ends those whose account is deleted. It returns how many it
	// touched.
	GatherRemovals(ctx context.Context, id schema.CampaignID) (int, error)
	// RemovalsIn returns up to limit removals in a state, with the items of their
	// accounts, but those that were seen and those that wait for a case that still works
	// on their account: those looked at longest ago first.
	RemovalsIn(ctx context.Context, id schema.CampaignID, state schema.RemovalState, seen []schema.RemovalID, limit int) ([]schema.Removal, error)
	// PartRemoval takes items that cannot be removed from here out of a wanted removal,
	// into one of their own that is impossible, with the way how people remove them.
	PartRemoval(ctx context.Context, id schema.RemovalID, items []schema.ItemID, way string) error
	// PlanRemoval stores the plan of a wanted removal: planned, or refused.
	PlanRemoval(ctx context.Context, p schema.PlannedRemoval) error
	// SettleRemoval ends a removal that has not started, or lets it wait for a case.
	SettleRemoval(ctx context.Context, id schema.RemovalID, to schema.RemovalState, why, way string, waitsFor schema.CaseID) error
	// RecountHeld lets a held campaign count again what it would remove when that is
	// less by now, and tells whether it is.
	RecountHeld(ctx context.Context, id schema.CampaignID) (bool, error)
	// TakeBudget moves all planned removals of a campaign to ready if its budget and
	// the engine's allow them together with what it used before, in one transaction;
	// or it is held, with one alarm and one notice, and nothing is taken.
	TakeBudget(ctx context.Context, id schema.CampaignID) (schema.Campaign, error)
	// StartRemoval opens the case of a ready removal by the draft's facts. CodeConflict
	// when something else works on the account, CodeHashDiffers for another draft.
	StartRemoval(ctx context.Context, id schema.RemovalID, d schema.Draft) (schema.Case, error)
	// FollowRemovals moves started removals whose cases have ended: done with the
	// instant of the proof, or undone. It returns how many are left.
	FollowRemovals(ctx context.Context, id schema.CampaignID) (schema.RemovalsLeft, error)
	// WatchRemovals looks at up to limit removals that are done, of connections that
	// were synced since: access that is there again is kept as a return with its cause.
	// Before the sign-off its item is opened again; after it, a follow-up campaign is
	// made. A repeat looks at the next.
	WatchRemovals(ctx context.Context, id schema.CampaignID, limit int) (schema.RemovalsWatched, error)
}
