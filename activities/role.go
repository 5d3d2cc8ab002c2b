package activities

import (
	"context"

	"sendoff/connectors"
	"sendoff/schema"
)

// SetRole gives the account the role of the step: it reads, writes if needed, and
// reads again until the vendor agrees (promise 3). RestoreRole gives the one back
// that the plan was made by.
func (a *Activities) SetRole(ctx context.Context, in StepInput) error {
	w, done, err := a.beginOnce(ctx, in.Ref)
	if err != nil || done {
		return err
	}
	r, err := connectors.Capability[connectors.RoleWriter](w.c, "set_role")
	if err != nil {
		return err
	}
	now, err := a.readSource(ctx, &w)
	if err != nil {
		return err
	}
	step, _ := w.plan.Step(w.ref.Index)
	to := step.Params.Role
	if now.Role != to {
		if err := a.renewFacts(ctx, &w, now, nil, nil); err != nil {
			return err
		}
		if err := a.confirmedInTime(ctx, &w, opSetRole); err != nil {
			return err
		}
		if err := a.write(ctx, w, roleWrite(opSetRole, w, now.Role, to), func() error { return r.SetRole(ctx, w.source(), to) }); err != nil {
			return err
		}
		if now, err = a.readSource(ctx, &w); err != nil {
			return err
		}
		if now.Role != to {
			return a.notConfirmedYet(ctx, "the account does not have its new role yet")
		}
	}
	return a.store.CompleteStep(ctx, w.ref, schema.StepDone, map[string]string{"role": string(now.Role)})
}

const opSetRole = "set_role"

func roleWrite(op string, w work, from, to schema.AccountRole) schema.VendorWrite {
	return schema.VendorWrite{Op: op, Details: map[string]string{"account": string(w.source()), "from": string(from), "to": string(to)}}
}

// RestoreRole gives the account the role back that the plan took away. A plan that
// wrote none is left alone, and so is an account that is gone, or whose role
// somebody changed since.
func (a *Activities) RestoreRole(ctx context.Context, in UndoInput) error {
	w, err := a.undoing(ctx, in)
	if err != nil {
		return err
	}
	_, wrote, err := a.store.LastWrite(ctx, w.plan.ID, opSetRole)
	if err != nil || !wrote {
		return err
	}
	r, err := connectors.Capability[connectors.RoleWriter](w.c, "set_role")
	if err != nil {
		return err
	}
	if lost, err := a.beyondRestoring(ctx, &w); err != nil || lost {
		return err
	}
	now, err := a.readSource(ctx, &w)
	if err != nil || now.Role != roleOf(w.plan) {
		return err
	}
	was := w.plan.Facts.Role
	if err := a.writeUndo(ctx, w, roleWrite("restore_role", w, now.Role, was), func() error { return r.SetRole(ctx, w.source(), was) }); err != nil {
		return err
	}
	after, err := a.readSource(ctx, &w)
	if err == nil && after.Role != was {
		err = a.notConfirmedYet(ctx, "the account does not have its role back yet")
	}
	return err
}

// roleOf is the role that a plan gives, "" for one that gives none.
func roleOf(p schema.Plan) schema.AccountRole {
	step, _ := p.StepOf(schema.StepSetRole)
	return step.Params.Role
}

// roleTouched tells whether the plan has begun to give the account a role.
func roleTouched(p schema.Plan) bool {
	step, ok := p.StepOf(schema.StepSetRole)
	return ok && (step.State == schema.StepRunning || step.State == schema.StepDone)
}

// roleBefore is the role that counts for what was approved: the one that the plan
// itself gave is no drift.
func roleBefore(p schema.Plan, now schema.AccountRole) schema.AccountRole {
	if roleTouched(p) && now == roleOf(p) {
		return p.Facts.Role
	}
	return now
}
