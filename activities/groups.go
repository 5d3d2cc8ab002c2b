package activities

import (
	"context"
	"slices"
	"strconv"

	"sendoff/connectors"
	"sendoff/schema"
)

// RemoveFromGroups takes the account out of the groups of the step, or of all that
// the vendor lets it leave. What it takes away is kept first, so that undo can make it again; the
// listing afterwards is the proof (promise 3).
func (a *Activities) RemoveFromGroups(ctx context.Context, in StepInput) error {
	w, done, err := a.beginOnce(ctx, in.Ref)
	if err != nil || done {
		return err
	}
	g, err := connectors.Capability[connectors.MembershipWriter](w.c, "write_groups")
	if err != nil {
		return err
	}
	now, err := a.readSource(ctx, &w)
	if err != nil {
		return err
	}
	removable, fixed, err := a.memberships(ctx, w, g)
	if err != nil {
		return err
	}
	if fixed > 0 && len(w.groups()) > 0 {
		return &Refusal{
			Code: schema.ParkUnsupported, Message: "the vendor lets the account leave " + strconv.Itoa(fixed) + " of the groups by no request of ours",
			Fix: "take the person out of the group in the directory that feeds it, then resume or waive",
		}
	}
	w.plan.Memberships = append(slices.Clone(w.plan.Memberships), removable...) // an account is judged by the groups it is in now
	if err := a.renewFacts(ctx, &w, now, nil, nil); err != nil {
		return err
	}
	if err := a.store.SaveMemberships(ctx, w.ref, removable); err != nil {
		return err
	}
	for _, m := range removable {
		// The journal is kept by group: one that was accepted long ago and is still
		// listed is not confirmed, whatever became of the others.
		op := schema.VendorWrite{Op: "remove_from_group/" + string(m.GroupID), Details: map[string]string{
			"account": string(w.source()), "group": string(m.GroupID), "membership": string(m.ID),
		}}
		if err := a.confirmedInTime(ctx, &w, op.Op); err != nil {
			return err
		}
		err := a.write(ctx, w, op, func() error { return g.RemoveMembership(ctx, m) })
		if err != nil && connectors.KindOf(err) != connectors.NotFound {
			return err
		}
	}
	left, _, err := a.memberships(ctx, w, g)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return a.notConfirmedYet(ctx, "the account is still listed in "+strconv.Itoa(len(left))+" groups")
	}
	plan, err := a.store.Plan(ctx, w.plan.ID)
	if err != nil {
		return err
	}
	return a.store.CompleteStep(ctx, w.ref, schema.StepDone, map[string]string{
		"removed": strconv.Itoa(len(plan.Memberships)), "left_by_vendor": strconv.Itoa(fixed),
	})
}

// groups are those that the step takes the account out of; none = all.
func (w work) groups() []schema.ExternalID {
	s, _ := w.plan.Step(w.ref.Index)
	return s.Params.Groups
}

// memberships lists those of the step's groups that the account can be taken out
// of, and counts those that the vendor keeps.
func (a *Activities) memberships(ctx context.Context, w work, g connectors.GroupReader) (removable []schema.Membership, fixed int, err error) {
	all, err := g.Memberships(ctx, w.source())
	only := w.groups()
	for _, m := range all {
		if len(only) > 0 && !slices.Contains(only, m.GroupID) {
			continue
		}
		if m.Fixed {
			fixed++
			continue
		}
		removable = append(removable, m)
	}
	return removable, fixed, err
}

// RestoreGroups makes the memberships again that the plan took away, with their
// roles and permissions. A group that is gone is left out and said so.
func (a *Activities) RestoreGroups(ctx context.Context, in UndoInput) error {
	w, err := a.undoing(ctx, in)
	if err != nil || len(w.plan.Memberships) == 0 {
		return err
	}
	if lost, err := a.beyondRestoring(ctx, &w); err != nil || lost {
		return err
	}
	g, err := connectors.Capability[connectors.MembershipWriter](w.c, "write_groups")
	if err != nil {
		return err
	}
	missing, err := a.missingGroups(ctx, w, g)
	if err != nil {
		return err
	}
	gone := 0
	for _, m := range missing {
		op := schema.VendorWrite{Op: "restore_membership", Details: map[string]string{
			"account": string(w.source()), "group": string(m.GroupID), "role": m.Role,
		}}
		err := a.writeUndo(ctx, w, op, func() error { return g.AddMembership(ctx, w.source(), m) })
		switch connectors.KindOf(err) {
		case connectors.Conflict: // made by somebody else, or by a try whose answer was lost
		case connectors.NotFound:
			gone++
			if err := a.cannotGiveBack(ctx, w, "group_gone", m.GroupID); err != nil {
				return err
			}
		default:
			if err != nil {
				return err
			}
		}
	}
	if missing, err = a.missingGroups(ctx, w, g); err == nil && len(missing) > gone {
		err = a.notConfirmedYet(ctx, "the account is not back in all its groups yet")
	}
	return err
}

// missingGroups are the memberships taken away that the account does not have.
func (a *Activities) missingGroups(ctx context.Context, w work, g connectors.GroupReader) ([]schema.Membership, error) {
	now, err := g.Memberships(ctx, w.source())
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(w.plan.Memberships), func(m schema.Membership) bool {
		return slices.ContainsFunc(now, func(have schema.Membership) bool { return have.GroupID == m.GroupID })
	}), nil
}
