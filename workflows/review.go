package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sendoff/activities"
	"sendoff/schema"
)

// ReviewInput names the policy whose review is due, or the run that somebody asked
// for or that is going on.
type ReviewInput struct {
	PolicyID schema.PolicyID `json:"policy_id"`
	ReviewID schema.ReviewID `json:"review_id,omitempty"`
}

// Review carries out one review run of an inactivity policy: it gathers fresh
// facts, judges every account, plans what matched, has the plans checked against
// budgets and approved, asks whoever is to be asked, and opens a case for each
// account that is confirmed. The cases go on by themselves. Where it stands is in
// the database; a signal tells that it changed.
func Review(ctx workflow.Context, in ReviewInput) error {
	r := &review{in: in, told: workflow.GetSignalChannel(ctx, SignalLook)}
	return r.run(ctx)
}

type review struct {
	in   ReviewInput
	told workflow.ReceiveChannel
	// waited is the last wait after a look in which nothing could be done; 0 = the last
	// look did something, or the run was told something.
	waited time.Duration
}

func (r *review) run(ctx workflow.Context) error {
	at, err := r.begin(ctx)
	for err == nil && at.State != schema.ReviewEnded {
		switch at.State {
		case schema.ReviewGathering:
			err = r.pause(ctx, gatherFacts)
		case schema.ReviewJudging:
			err = judgeAccounts(ctx, r.in.ReviewID)
		case schema.ReviewPlanning:
			err = r.plan(ctx)
		case schema.ReviewActing:
			err = r.act(ctx)
		default: // held, or waiting for approvals
			err = workflow.Await(ctx, func() bool { return r.told.Len() > 0 })
		}
		if err == nil && workflow.GetInfo(ctx).GetContinueAsNewSuggested() && r.told.Len() == 0 {
			return workflow.NewContinueAsNewError(ctx, Review, r.in)
		}
		if err == nil {
			drain(r.told) // before it reads: what comes while it does is newer than what was read
			at, err = loadReview(ctx, r.in.ReviewID)
		}
	}
	if err != nil && r.in.ReviewID != "" {
		return r.fail(ctx, err)
	}
	return err
}

// begin makes or finds the run's row.
func (r *review) begin(ctx workflow.Context) (activities.ReviewOutline, error) {
	info := workflow.GetInfo(ctx)
	scheduled, ok := workflow.GetTypedSearchAttributes(ctx).GetTime(scheduledAt())
	if !ok {
		scheduled = info.WorkflowStartTime
	}
	at, err := beginReview(ctx, activities.BeginReviewInput{
		PolicyID: r.in.PolicyID, ReviewID: r.in.ReviewID, ScheduledAt: scheduled, WorkflowID: info.WorkflowExecution.ID,
	})
	r.in.ReviewID = at.ReviewID
	return at, err
}

// scheduledAt is the search attribute in which a Temporal Schedule says which time
// it meant: a run may begin late.
func scheduledAt() temporal.SearchAttributeKeyTime {
	return temporal.NewSearchAttributeKeyTime("TemporalScheduledStartTime")
}

// pause does a piece of work and waits as that says.
func (r *review) pause(ctx workflow.Context, piece func(workflow.Context, schema.ReviewID) (activities.Piece, error)) error {
	p, err := piece(ctx, r.in.ReviewID)
	if err != nil || p.More {
		r.waited = 0
		return err
	}
	return r.sleep(ctx, r.patience(ctx, p))
}

// patience is how long to wait after a piece: longer than before where nobody tells
// when to go on.
func (r *review) patience(ctx workflow.Context, p activities.Piece) time.Duration {
	if p.Longest <= 0 || workflow.GetVersion(ctx, "review-patience", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		r.waited = 0
		return p.Wait
	}
	r.waited = max(p.Wait, min(r.waited+r.waited/2, p.Longest))
	return r.waited
}

// sleep waits for a time, or shorter when told.
func (r *review) sleep(ctx workflow.Context, d time.Duration) error {
	told, err := workflow.AwaitWithTimeout(ctx, d, func() bool { return r.told.Len() > 0 })
	if told {
		r.waited = 0
	}
	return err
}

// plan plans piece by piece, and has the whole checked against the budgets.
func (r *review) plan(ctx workflow.Context) error {
	p, err := planItems(ctx, r.in.ReviewID)
	if err != nil || p.More {
		return err
	}
	return endPlanning(ctx, r.in.ReviewID)
}

// act asks about what is planned, and starts what is confirmed.
func (r *review) act(ctx workflow.Context) error {
	p, err := askItems(ctx, r.in.ReviewID)
	if err != nil || p.More {
		return err
	}
	return r.pause(ctx, actOnItems)
}

// fail ends a run that cannot go on, or was cancelled in Temporal, and this
// workflow with it, so that its schedule pauses until somebody has looked. What it
// started goes on.
func (r *review) fail(ctx workflow.Context, cause error) error {
	ctx, release := workflow.NewDisconnectedContext(ctx)
	defer release()
	end, why := schema.ReviewFailed, judge("", cause).cause.Message
	if temporal.IsCanceledError(cause) {
		end, why = schema.ReviewCancelled, "its workflow was cancelled in Temporal"
	}
	if err := endReview(ctx, r.in.ReviewID, end, why); err != nil {
		return err
	}
	return cause
}
