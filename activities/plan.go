package activities

import (
	"context"
	"errors"
	"time"

	"sendoff/internal/policy"
	"sendoff/schema"
)

// PlanInput names a plan.
type PlanInput struct {
	PlanID schema.PlanID `json:"plan_id"`
}

// StepOutline is what a workflow needs to know of a step.
type StepOutline struct {
	Kind  schema.StepKind `json:"kind"`
	Begun bool            `json:"begun"` // and not done
	Done  bool            `json:"done"`
}

// PlanOutline is what a workflow needs to know of a plan.
type PlanOutline struct {
	State       schema.PlanState `json:"state"`
	Steps       []StepOutline    `json:"steps"`
	Fence       int64            `json:"fence"`
	CurrentStep int              `json:"current_step"`
	// Window tells that the source is active for a transfer's call and has to be
	// suspended again.
	Window bool `json:"window,omitempty"`
	// LeftGroups tells that memberships were taken away.
	LeftGroups bool `json:"left_groups,omitempty"`
	// RoleChanged tells that the account may have another role by this plan.
	RoleChanged bool `json:"role_changed,omitempty"`
	// Resumed tells whether an operator resumed the plan since its transfer last
	// changed; nil = there is no transfer.
	Resumed *bool `json:"resumed,omitempty"`
}

// LoadPlan reads where a plan stands.
func (a *Activities) LoadPlan(ctx context.Context, in PlanInput) (PlanOutline, error) {
	plan, err := a.store.Plan(ctx, in.PlanID)
	if err != nil {
		return PlanOutline{}, err
	}
	out := PlanOutline{
		State: plan.State, Fence: plan.Fence, CurrentStep: plan.CurrentStep, Window: !plan.WindowOpen.IsZero(),
		LeftGroups: len(plan.Memberships) > 0, RoleChanged: roleTouched(plan),
	}
	if out.Resumed, err = a.resumed(ctx, in.PlanID); err != nil {
		return PlanOutline{}, err
	}
	for _, s := range plan.Steps {
		out.Steps = append(out.Steps, StepOutline{
			Kind: s.Kind, Begun: s.State == schema.StepRunning, Done: s.State.Finished(),
		})
	}
	return out, nil
}

func (a *Activities) resumed(ctx context.Context, id schema.PlanID) (*bool, error) {
	t, ok, err := a.store.Transfer(ctx, id)
	if err != nil || !ok {
		return nil, err
	}
	resumed, err := a.store.ResumedSince(ctx, id, t.UpdatedAt)
	return &resumed, err
}

// ParkInput parks a plan.
type ParkInput struct {
	PlanID schema.PlanID `json:"plan_id"`
	Cause  schema.Cause  `json:"cause"`
	Undo   bool          `json:"undo,omitempty"` // its undo needs an operator
}

// Park records why a plan needs an operator. A plan that was stopped meanwhile
// stays stopped. A lane that nothing was sent in is given to the next in line.
func (a *Activities) Park(ctx context.Context, in ParkInput) error {
	in.Cause.At = a.now().UTC()
	park := a.store.ParkPlan
	if in.Undo {
		park = a.store.ParkUndo
	}
	if err := park(ctx, in.PlanID, in.Cause); err != nil {
		return err
	}
	return a.store.LeaveLane(ctx, in.PlanID)
}

// FinishInput ends a plan.
type FinishInput struct {
	PlanID schema.PlanID    `json:"plan_id"`
	State  schema.PlanState `json:"state"`
}

// Finish ends a plan as done or cancelled, and with the last plan its case: the
// case's own workflow may be gone.
func (a *Activities) Finish(ctx context.Context, in FinishInput) error {
	if err := a.store.EndPlan(ctx, in.PlanID, in.State); err != nil {
		return err
	}
	plan, err := a.store.Plan(ctx, in.PlanID)
	if err != nil {
		return err
	}
	return a.closeCase(ctx, plan.CaseID)
}

// WaitInput names a wait step.
type WaitInput struct {
	Ref schema.StepRef `json:"ref"`
}

// WaitResult says how long is left.
type WaitResult struct {
	Left time.Duration `json:"left"`
}

// Wait begins or continues a wait step: it lasts from the step's first start,
// so that a plan that was parked and resumed does not wait again from nothing, or
// until the instant that its parameters name.
func (a *Activities) Wait(ctx context.Context, in WaitInput) (WaitResult, error) {
	plan, err := a.store.BeginStep(ctx, in.Ref)
	if err != nil {
		return WaitResult{}, err
	}
	step, ok := plan.Step(in.Ref.Index)
	if !ok {
		return WaitResult{}, errors.New("the plan has no such step")
	}
	until := step.StartedAt.Add(a.clocks.PlanWait(step.Wait()))
	if step.Params.Until != "" {
		if until, err = time.Parse(time.RFC3339, step.Params.Until); err != nil {
			return WaitResult{}, errors.New("the step's instant is not RFC 3339")
		}
	}
	left := until.Sub(a.now())
	if left <= 0 {
		return WaitResult{}, a.store.CompleteStep(ctx, in.Ref, schema.StepDone,
			map[string]string{"waited_until": schema.FormatInstant(until)})
	}
	return WaitResult{Left: left}, a.store.WaitStep(ctx, in.Ref, until)
}

// renewFacts compares the account as it is now with what the plan was made for.
// Privileged, service and foreign accounts are refused to a plan that writes. Other drift renews the
// plan; where approvals are required the old ones lapse, and the gate before the
// next write refuses until the new hash is approved (promise 5).
func (a *Activities) renewFacts(ctx context.Context, w *work, now schema.Account, receiver *schema.Account, r *policy.Restraint) error {
	actor, err := a.actor(ctx, w)
	if err != nil {
		return err
	}
	for _, f := range policy.CheckSource(w.conn, actor, now, policy.EffectsOf(w.plan.Facts.Steps)) {
		if !f.Warning {
			return &Refusal{Code: schema.ParkSourceProtected, Message: f.Message, Fix: f.Fix + ", then resume"}
		}
	}
	if err := a.recheck(ctx, w, now); err != nil {
		return err
	}
	now.Role = roleBefore(w.plan, now.Role)
	facts := policy.Renew(w.plan.Facts, actor.EnterpriseID, now, receiver, r)
	if w.lastActive != nil && facts.LastActiveAt != "" {
		facts.LastActiveAt = formatUse(*w.lastActive)
	}
	drift := w.plan.Facts.Drift(facts)
	if len(drift) == 0 {
		return nil
	}
	plan, err := a.store.ReplacePlan(ctx, w.plan.ID, facts, drift)
	if err != nil {
		return err
	}
	w.plan = plan
	return nil
}
