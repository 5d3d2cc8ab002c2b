package store

import (
	"context"
	"strconv"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// BeginReview makes the run of a policy and a scheduled time, or returns the one
// there is. CodeConflict when another run of the policy is open, CodeClosed when
// the policy is paused.
func (s *Store) BeginReview(ctx context.Context, policy schema.PolicyID, scheduledAt time.Time, workflowID string) (schema.Review, error) {
	var r schema.Review
	err := s.inTx(ctx, "begin a review", func(ctx context.Context, t *tx) error {
		p, err := t.lockPolicy(ctx, string(policy))
		if err != nil {
			return err
		}
		found, err := scalars[schema.ReviewID](ctx, t, `select id from review where policy_id = @policy and scheduled_at = @at`,
			args{"policy": policy, "at": scheduledAt})
		if err != nil {
			return err
		}
		if len(found) > 0 {
			r, err = loadReview(ctx, t, found[0])
			return err
		}
		if p.State != schema.PolicyActive {
			return pausedPolicy(p)
		}
		r = schema.Review{
			ScheduledAt: scheduledAt.UTC(), Trigger: schema.TriggerSchedule, Mode: modeOf(p.Policy), WorkflowID: workflowID,
		}
		return t.insertReview(ctx, &r, p, engine())
	})
	return r, err
}

// RequestReview makes a run of now, in the mode act or report, and lets it start. A
// policy that does not act yet does not act on request either: its mode and its
// cold start count. CodeConflict names the run that is open; CodeClosed for a paused
// policy that would act.
func (s *Store) RequestReview(ctx context.Context, ref string, mode schema.ReviewMode, by schema.Principal) (schema.Review, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Review{}, err
	}
	if mode != schema.ReviewActs && mode != schema.ReviewReports {
		return schema.Review{}, &schema.Error{Code: schema.CodeInvalid, Message: "a review is asked for to act or to report, not to " + strconv.Quote(string(mode))}
	}
	var r schema.Review
	err := s.inTx(ctx, "request a review", func(ctx context.Context, t *tx) error {
		p, err := t.lockPolicy(ctx, ref)
		if err != nil {
			return err
		}
		if mode == schema.ReviewActs {
			if p.State != schema.PolicyActive {
				return pausedPolicy(p)
			}
			mode = modeOf(p.Policy)
		}
		r = schema.Review{
			ScheduledAt: t.now, Trigger: schema.TriggerPerson, RequestedBy: by.Name, RequestedID: by.TokenID, Mode: mode,
		}
		if err := t.insertReview(ctx, &r, p, principal(by)); err != nil {
			return err
		}
		return t.tellRun(ctx, r.ID)
	})
	return r, err
}

// modeOf is whether a run of a policy acts.
func modeOf(p schema.Policy) schema.ReviewMode {
	switch {
	case p.Rule.Mode == schema.PolicyShadow:
		return schema.ReviewShadows
	case p.Rule.ColdStart == schema.ColdReports && p.Acted == 0:
		return schema.ReviewColdStarts
	}
	return schema.ReviewActs
}

func pausedPolicy(p policyRow) error {
	return &schema.Error{
		Code: schema.CodeClosed, Message: "policy " + p.Name + " is paused: " + p.PauseReason,
		Fix: "resume it, or ask for a run that only reports",
	}
}

// insertReview makes a run of a locked policy. With no workflow id, its own.
func (t *tx) insertReview(ctx context.Context, r *schema.Review, p policyRow, actor audit.Actor) (err error) {
	if err := t.requireNoReview(ctx, p); err != nil {
		return err
	}
	if r.ID, err = newID[schema.ReviewID](); err != nil {
		return err
	}
	if r.WorkflowID == "" {
		r.WorkflowID = "review/" + string(p.ID) + "/" + string(r.ID)
	}
	err = t.run(ctx, `insert into review (id, policy_id, version, scheduled_at, trigger, requested_by, requested_id, mode, state, approvals, workflow_id, created_at)
		values (@id, @policy, @version, @scheduled, @trigger, @by, @by_id, @mode, 'gathering', @approvals, @workflow, @now)`,
		args{
			"id": r.ID, "policy": p.ID, "version": p.Version, "scheduled": r.ScheduledAt, "trigger": r.Trigger, "by": r.RequestedBy, "by_id": r.RequestedID,
			"mode": r.Mode, "approvals": p.Rule.Approvals, "workflow": r.WorkflowID, "now": t.now,
		})
	if err != nil {
		return err
	}
	if *r, err = loadReview(ctx, t, r.ID); err != nil {
		return err
	}
	t.recordReview(*r, actor, "review.begun", map[string]string{"trigger": string(r.Trigger), "scheduled_at": schema.FormatInstant(r.ScheduledAt), "hash": p.Hash})
	return nil
}

// requireNoReview is CodeConflict when a run of a locked policy is open.
func (t *tx) requireNoReview(ctx context.Context, p policyRow) error {
	open, err := scalars[string](ctx, t, `select id::text from review where policy_id = @policy and state <> 'ended'`, args{"policy": p.ID})
	if err != nil || len(open) == 0 {
		return err
	}
	return conflict("review "+open[0]+" of policy "+p.Name+" is open: a policy has one at a time", "follow it: sendoff policy reviews show "+open[0]+", or cancel it")
}
