package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sendoff/internal/inactivity"
	"sendoff/schema"
)

// Sizes of the pieces that a review run is carried out in. Each piece is one
// activity, so that a worker that dies repeats little.
const (
	planPiece = 50 // accounts that are planned at once
	askPiece  = 200
	actPiece  = 25
	// atOnce is how many cases of one run may be at their steps at the same time;
	// those that wait for a timer do not count.
	atOnce = 100
)

// How long one activity goes on opening cases, and how often it looks meanwhile
// whether those before have left room. What the run is told waits as long.
const (
	actFor    = time.Minute
	roomEvery = time.Second
)

// BeginReviewInput names a policy and the time that its schedule meant; or, for a
// run that somebody asked for, the run.
type BeginReviewInput struct {
	PolicyID    schema.PolicyID `json:"policy_id"`
	ReviewID    schema.ReviewID `json:"review_id,omitempty"`
	ScheduledAt time.Time       `json:"scheduled_at"`
	WorkflowID  string          `json:"workflow_id"`
}

// ReviewInput names a review run.
type ReviewInput struct {
	ReviewID schema.ReviewID `json:"review_id"`
}

// EndReviewInput ends a review run.
type EndReviewInput struct {
	ReviewID schema.ReviewID  `json:"review_id"`
	End      schema.ReviewEnd `json:"end"`
	Why      string           `json:"why"`
}

// ReviewOutline is what a workflow needs to know of a review run.
type ReviewOutline struct {
	ReviewID schema.ReviewID    `json:"review_id"`
	State    schema.ReviewState `json:"state"`
	Failed   bool               `json:"failed,omitempty"`
}

// Piece says how a review run goes on after a piece of work: at once, or after a
// time, or when told.
type Piece struct {
	More bool          `json:"more"`
	Wait time.Duration `json:"wait"`
	// Longest lets the wait grow from one look to the next in which nothing could be
	// done, up to that; 0 = it does not grow.
	Longest time.Duration `json:"longest,omitempty"`
}

// until bounds the wait by something that is due then.
func (p Piece) until(due time.Duration) Piece {
	due = max(due, time.Millisecond)
	if p.Wait <= 0 {
		return Piece{Wait: due}
	}
	p.Wait = min(p.Wait, due)
	if p.Longest > 0 {
		p.Longest = min(p.Longest, due)
	}
	return p
}

// ReviewsConfig is what Reviews is built from.
type ReviewsConfig struct {
	Store interface {
		ReviewStore
		CaseStore
	}
	History HistoryStore
	Planner *Planner
	Clocks  schema.Clocks
	// AskToken is the token of a question's link, and AskTokenHash its hex SHA-256.
	AskToken     func(schema.AskID) string
	AskTokenHash func(token string) string
	Now          func() time.Time // nil = the clock
}

// Reviews carries out the review runs of inactivity policies.
type Reviews struct{ *reviewing }

// NewReviews returns the activities of review runs.
func NewReviews(cfg ReviewsConfig) *Reviews { return &Reviews{newReviewing(cfg)} }

// reviewing is what review runs and previews have in common.
type reviewing struct {
	cfg   ReviewsConfig
	store interface {
		ReviewStore
		CaseStore
	}
	now func() time.Time
}

func newReviewing(cfg ReviewsConfig) *reviewing {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &reviewing{cfg: cfg, store: cfg.Store, now: cfg.Now}
}

// BeginReview makes the run's row, or finds it. A policy that was paused, or that
// has another run open, has none: then the outline is that of an ended one.
func (v *Reviews) BeginReview(ctx context.Context, in BeginReviewInput) (ReviewOutline, error) {
	if in.ReviewID != "" {
		return v.LoadReview(ctx, ReviewInput{ReviewID: in.ReviewID})
	}
	r, err := v.store.BeginReview(ctx, in.PolicyID, in.ScheduledAt, in.WorkflowID)
	switch schema.CodeOf(err) {
	case schema.CodeConflict, schema.CodeClosed:
		return ReviewOutline{State: schema.ReviewEnded}, nil
	}
	return outlineOf(r), err
}

// LoadReview reads where a run stands.
func (v *Reviews) LoadReview(ctx context.Context, in ReviewInput) (ReviewOutline, error) {
	r, err := v.store.Review(ctx, in.ReviewID)
	return outlineOf(r), err
}

func outlineOf(r schema.Review) ReviewOutline {
	return ReviewOutline{ReviewID: r.ID, State: r.State, Failed: r.End == schema.ReviewFailed}
}

// EndReview ends a run.
func (v *Reviews) EndReview(ctx context.Context, in EndReviewInput) error {
	return v.store.EndReview(ctx, in.ReviewID, in.End, in.Why)
}

// EndPlanning takes what the run wants from all budgets, or has it held.
func (v *Reviews) EndPlanning(ctx context.Context, in ReviewInput) error {
	_, err := v.store.EndPlanning(ctx, in.ReviewID)
	return unlessStale(err)
}

// opened is a run with everything its work needs.
type opened struct {
	review schema.Review
	policy schema.Policy
	rule   *inactivity.Rule
	conns  []schema.Connection
}

func (o opened) ids() []schema.ConnectionID {
	ids := make([]schema.ConnectionID, len(o.conns))
	for i, c := range o.conns {
		ids[i] = c.ID
	}
	return ids
}

// enabled tells whether plans may use a connection of the policy.
func (o opened) enabled(id schema.ConnectionID) bool {
	return slices.ContainsFunc(o.conns, func(c schema.Connection) bool { return c.ID == id && c.State == schema.ConnectionEnabled })
}

func (v *reviewing) open(ctx context.Context, id schema.ReviewID) (opened, error) {
	var o opened
	var err error
	if o.review, err = v.store.Review(ctx, id); err != nil {
		return o, err
	}
	if o.policy, err = v.store.PolicyAt(ctx, o.review.PolicyID, o.review.Version); err != nil {
		return o, err
	}
	o.rule, o.conns, err = v.compile(ctx, o.policy.Rule)
	return o, err
}

func (v *reviewing) compile(ctx context.Context, rule schema.PolicyRule) (*inactivity.Rule, []schema.Connection, error) {
	compiled, err := inactivity.Compile(rule)
	if err != nil {
		return nil, nil, err
	}
	var conns []schema.Connection
	var problems []schema.Problem
	for _, name := range rule.Connections {
		c, err := v.store.ConnectionNamed(ctx, name)
		switch {
		case schema.CodeOf(err) == schema.CodeNotFound:
			problems = append(problems, schema.Problem{
				Where: "connections", Code: "unknown_connection", Message: fmt.Sprintf("there is no connection %q", name), Fix: "see: sendoff connections list",
			})
		case err != nil:
			return nil, nil, err
		default:
			conns = append(conns, c)
		}
	}
	if len(problems) > 0 {
		return nil, nil, &schema.Error{Code: schema.CodeInvalid, Message: "the policy names connections that do not exist", Problems: problems, Fix: "correct the policy"}
	}
	return compiled, conns, nil
}

// dark tells until when a run must not act: the end of a blackout that now is in.
func (v *reviewing) dark(rule schema.PolicyRule) time.Duration {
	zone, err := time.LoadLocation(rule.Schedule.Zone)
	if err != nil {
		zone = time.UTC
	}
	now := v.now().In(zone)
	b, dark := rule.Schedule.DarkOn(schema.DateOf(now))
	if !dark {
		return 0
	}
	return b.To.In(zone).AddDate(0, 0, 1).Sub(now)
}
