package activities

import (
	"context"
	"time"

	"sendoff/schema"
)

// ReviewStore keeps policies and their review runs. Each method that changes
// state is one transaction that moves it by compare-and-set and appends the audit
// record. CodeStale: the run is in another state by now; read it again.
type ReviewStore interface {
	ReviewRuns
	ReviewItems
	ReviewPopulation
}

// ReviewRuns moves runs.
type ReviewRuns interface {
	// BeginReview makes the run of a policy and a scheduled time, or returns the one
	// there is. CodeConflict when another run of the policy is open, CodeClosed when
	// the policy is paused.
	BeginReview(ctx context.Context, policy schema.PolicyID, scheduledAt time.Time, workflowID string) (schema.Review, error)
	// Review returns a run; CodeNotFound.
	Review(ctx context.Context, id schema.ReviewID) (schema.Review, error)
	// PolicyAt returns a policy as it was at a version; CodeNotFound.
	PolicyAt(ctx context.Context, id schema.PolicyID, version int) (schema.Policy, error)
	// ConnectionNamed returns the connection of a name that is not removed; CodeNotFound.
	ConnectionNamed(ctx context.Context, name string) (schema.Connection, error)
	// BeginJudging moves gathering to judging; BeginPlanning says that all items are
	// there and moves judging to planning, or ends the run when its mode is not to
	// act or nothing matched. It counts what changed since the run before.
	BeginJudging(ctx context.Context, id schema.ReviewID) error
	BeginPlanning(ctx context.Context, id schema.ReviewID, j schema.Judgement) (schema.Review, error)
	// EndPlanning computes the run's hash and takes what it wants from all budgets,
	// in one transaction: the run is approving or acting then, or, over budget, held
	// with one alarm and one notice, and nothing is taken.
	EndPlanning(ctx context.Context, id schema.ReviewID) (schema.Review, error)
	// EndReview ends a run and its items, gives back what it did not use of budgets,
	// and ends its questions. A run that has ended stays as it is. CodeStale for one
	// that is to be done and has items to go on with.
	EndReview(ctx context.Context, id schema.ReviewID, end schema.ReviewEnd, why string) error
}

// ReviewItems moves the items of runs.
type ReviewItems interface {
	// Items returns up to limit items of a run in a state, by account id.
	Items(ctx context.Context, id schema.ReviewID, state schema.ItemState, limit int) ([]schema.ReviewItem, error)
	// PlanItem stores the plan of a matched item: planned, or refused.
	PlanItem(ctx context.Context, id schema.ReviewID, p schema.PlannedItem) error
	// AskAbout moves a planned item to asking until the instant, or with no one to
	// ask to ready, and queues the notices of its questions.
	AskAbout(ctx context.Context, id schema.ReviewID, account schema.AccountID, asks []schema.AskRow, until time.Time) error
	// AnswersOf returns the questions about an item.
	AnswersOf(ctx context.Context, id schema.ReviewID, account schema.AccountID) ([]schema.AskRow, error)
	// DueItems returns up to limit asking items whose time to be answered is over at
	// the instant, the first that was due first.
	DueItems(ctx context.Context, id schema.ReviewID, at time.Time, limit int) ([]schema.ReviewItem, error)
	// NextAnswer returns when the first of the asking items is due: zero = none asks.
	NextAnswer(ctx context.Context, id schema.ReviewID) (time.Time, error)
	// SettleItem moves an asking item to ready, or any that has not ended to an end
	// other than started.
	SettleItem(ctx context.Context, id schema.ReviewID, account schema.AccountID, to schema.ItemState, why string, drift []schema.Difference) error
	// StartItem opens the case of a ready item: by draft's facts, with the run's
	// approvals as its own. CodeConflict when something else works on the account, or,
	// with the problem OVER_BUDGET, when it has to wait for a budget.
	StartItem(ctx context.Context, id schema.ReviewID, account schema.AccountID, d schema.Draft) (schema.Case, error)
	// WaitForBudget keeps with an acting run what of it waits for room in a budget of
	// 24 hours, and returns that.
	WaitForBudget(ctx context.Context, id schema.ReviewID) (schema.BudgetWait, error)
	// ReadyItems returns up to limit confirmed items, without those of connections and
	// those that were seen; those that could not be read come last.
	ReadyItems(ctx context.Context, id schema.ReviewID, but []schema.ConnectionID, seen []schema.AccountID, limit int) ([]schema.ReviewItem, error)
	// MarkUnread keeps why an item could not be judged that is to be planned or
	// started, and since when; empty = it could be.
	MarkUnread(ctx context.Context, id schema.ReviewID, account schema.AccountID, why string) error
	// Running counts the run's cases with a plan that is planned, running or settling.
	Running(ctx context.Context, id schema.ReviewID) (int, error)
	// ReviewItemOf returns the item that a plan was made for, with the version of its
	// policy; CodeNotFound for plans of other causes.
	ReviewItemOf(ctx context.Context, plan schema.PlanID) (schema.ReviewItem, schema.Review, error)
	// CancelReviewCase cancels the case of a plan that the review has no reason for
	// any more, in the engine's name.
	CancelReviewCase(ctx context.Context, plan schema.PlanID, reason string) error
}

// ReviewPopulation reads what rules judge.
type ReviewPopulation interface {
	// PopulationBasis returns what is known of the connections, in their order.
	PopulationBasis(ctx context.Context, connections []schema.ConnectionID) ([]schema.PopulationBasis, error)
	// Population counts, and hands out the accounts that a rule could take, in
	// batches: their slice is used again.
	Population(ctx context.Context, q schema.PopulationQuery, each func([]schema.Subject) error) (schema.Population, error)
	// Subject returns one account as Population would.
	Subject(ctx context.Context, id schema.AccountID, needs schema.Needs) (schema.Subject, error)
	// AddJudged keeps accounts whose verdict is matched, kept or excluded; those
	// matched become items. A repeat changes nothing.
	AddJudged(ctx context.Context, id schema.ReviewID, list []schema.Judged) error
	// AskRun makes sure that a run of the kind goes on or is queued for the connection.
	AskRun(ctx context.Context, connection schema.ConnectionID, kind schema.RunKind) error
}
