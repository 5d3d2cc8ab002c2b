package activities

import (
	"context"
	"time"

	"sendoff/schema"
)

// CaseInput names a case.
type CaseInput struct {
	CaseID schema.CaseID `json:"case_id"`
}

// CaseOutline is what the case's workflow needs to know.
type CaseOutline struct {
	Open     []schema.PlanID `json:"open"`     // plans not ended
	Approved bool            `json:"approved"` // every open plan has its approvals
	Left     time.Duration   `json:"left"`     // until the effective time; 0 = due
	Stopped  bool            `json:"stopped"`  // every open plan is being cancelled before anything was done for it
}

// LoadCase reads where a case stands.
func (a *Activities) LoadCase(ctx context.Context, in CaseInput) (CaseOutline, error) {
	c, err := a.store.Case(ctx, in.CaseID)
	if err != nil {
		return CaseOutline{}, err
	}
	plans, err := a.store.CasePlans(ctx, in.CaseID)
	if err != nil {
		return CaseOutline{}, err
	}
	out := CaseOutline{Approved: true, Stopped: true}
	if left := c.EffectiveAt.Sub(a.now()); !c.EffectiveAt.IsZero() && left > 0 {
		out.Left = left
	}
	cancelling := true
	for _, p := range plans {
		if p.State.Ended() {
			continue
		}
		out.Open = append(out.Open, p.ID)
		out.Approved = out.Approved && p.Approved >= p.Approvals
		cancelling = cancelling && p.State == schema.PlanCancelling
		untouched, err := a.untouched(ctx, p)
		if err != nil {
			return CaseOutline{}, err
		}
		out.Stopped = out.Stopped && cancelling && untouched
	}
	if cancelling && !out.Stopped {
		out.Approved, out.Left = true, 0 // its plans have something to undo, now
	}
	return out, nil
}

// untouched tells whether nothing was done for a plan that an undo could give
// back, by itself or by a plan that it took over from.
func (a *Activities) untouched(ctx context.Context, p schema.Plan) (bool, error) {
	for _, s := range p.Steps {
		if s.State == schema.StepRunning || s.State == schema.StepDone {
			return false, nil
		}
	}
	if p.PriorStatus != "" || len(p.Memberships) > 0 || !p.WindowOpen.IsZero() {
		return false, nil
	}
	_, begun, err := a.store.Transfer(ctx, p.ID)
	return !begun, err
}

// CloseCase ends a case whose plans have all ended, and leaves any other open.
func (a *Activities) CloseCase(ctx context.Context, in CaseInput) error {
	return a.closeCase(ctx, in.CaseID)
}

func (a *Activities) closeCase(ctx context.Context, id schema.CaseID) error {
	err := a.store.CloseCase(ctx, id)
	if schema.CodeOf(err) == schema.CodeConflict {
		return nil // other plans are open; the last to end closes it
	}
	return err
}

// EndCancelled ends the plans of a case that was cancelled before it was due:
// nothing was sent for them, so there is nothing to undo.
func (a *Activities) EndCancelled(ctx context.Context, in CaseInput) error {
	plans, err := a.store.CasePlans(ctx, in.CaseID)
	if err != nil {
		return err
	}
	for _, p := range plans {
		untouched, err := a.untouched(ctx, p)
		if err != nil {
			return err
		}
		if p.State == schema.PlanCancelling && untouched {
			if err := a.store.EndPlan(ctx, p.ID, schema.PlanCancelled); err != nil {
				return err
			}
		}
	}
	return nil
}
