package activities

import (
	"context"
	"errors"

	"sendoff/connectors"
	"sendoff/schema"
)

// UndoInput names the plan to undo.
type UndoInput struct {
	PlanID schema.PlanID `json:"plan_id"`
}

// RestoreStatus gives the account the status back that it had before our
// suspend or reactivate. A plan that changed none is left alone, and so is an account that
// is gone, or whose delete the vendor accepted: there is nothing to give back to.
func (a *Activities) RestoreStatus(ctx context.Context, in UndoInput) error {
	ctx = connectors.WithPriority(ctx, connectors.PrioritySuspend)
	w, err := a.undoing(ctx, in)
	if err != nil || w.plan.PriorStatus == "" {
		return err
	}
	s, err := connectors.Capability[connectors.Suspender](w.c, "suspend")
	if err != nil {
		return err
	}
	if lost, err := a.beyondRestoring(ctx, &w); err != nil || lost {
		return err
	}
	now, err := a.readSource(ctx, &w)
	if err != nil || now.VendorStatus == w.plan.PriorStatus {
		return err
	}
	op := schema.VendorWrite{Op: "restore_status", Details: map[string]string{"account": string(w.source()), "from": now.VendorStatus, "to": w.plan.PriorStatus}}
	err = a.writeUndo(ctx, w, op, func() error { return s.SetStatus(ctx, w.source(), w.plan.PriorStatus) })
	if err != nil {
		return err
	}
	after, err := a.readSource(ctx, &w)
	if err != nil {
		return err
	}
	if after.VendorStatus != w.plan.PriorStatus {
		return a.notConfirmedYet(ctx, "the account does not have its status back yet")
	}
	return nil
}

// beyondRestoring tells whether the account is gone, or about to be by a delete
// of this plan that the vendor accepted before the cancel came.
func (a *Activities) beyondRestoring(ctx context.Context, w *work) (bool, error) {
	journal, _, err := a.store.LastWrite(ctx, w.plan.ID, opDelete)
	if err != nil || !journal.AcceptedAt.IsZero() {
		return true, err
	}
	_, err = a.readSource(ctx, w)
	var refusal *Refusal
	if errors.As(err, &refusal) && refusal.Code == schema.ParkAccountGone {
		return true, a.cannotGiveBack(ctx, *w, "account_gone", w.source())
	}
	return false, err
}

// cannotGiveBack records why an undo leaves something as it is.
func (a *Activities) cannotGiveBack(ctx context.Context, w work, why string, id schema.ExternalID) error {
	return a.store.RecordEvidence(ctx, w.ref, schema.Evidence{Kind: why, Details: map[string]string{"id": string(id)}})
}

// RestoreAccess gives the account access to the content that its transfer took
// away: it becomes co-owner of every destination folder. Ownership and the
// folders' place do not come back (promise 7). The account has its status back
// by then, for vendors refuse to share with suspended ones.
func (a *Activities) RestoreAccess(ctx context.Context, in UndoInput) error {
	w, err := a.undoing(ctx, in)
	if err != nil {
		return err
	}
	t, ok, err := a.store.Transfer(ctx, w.plan.ID)
	if err != nil || !ok || len(t.FolderIDs) == 0 {
		return err
	}
	if lost, err := a.beyondRestoring(ctx, &w); err != nil || lost {
		return err
	}
	g, err := connectors.Capability[connectors.AccessGranter](w.c, "grant_access")
	if err != nil {
		return err
	}
	// Access to content whose owner is gone or suspended cannot be given from
	// here. A cancel ends all the same, and says so.
	gone, err := a.receiverGone(ctx, w, t.Receiver)
	var refusal *Refusal
	switch {
	case gone:
		return a.cannotGiveBack(ctx, w, "receiver_gone", t.Receiver)
	case errors.As(err, &refusal):
		return a.cannotGiveBack(ctx, w, "receiver_inactive", t.Receiver)
	case err != nil:
		return err
	}
	for _, folder := range t.FolderIDs {
		if err := a.restoreFolder(ctx, w, g, t.Receiver, folder); err != nil {
			return err
		}
	}
	return nil
}

func (a *Activities) restoreFolder(ctx context.Context, w work, g connectors.AccessGranter, owner, folder schema.ExternalID) error {
	has, err := g.HasFolderAccess(ctx, owner, folder, w.source())
	if connectors.KindOf(err) == connectors.NotFound {
		// Moved or deleted by its new owner: nothing is left to give access to.
		return a.cannotGiveBack(ctx, w, "folder_gone", folder)
	}
	if err != nil || has {
		return err
	}
	op := schema.VendorWrite{Op: "restore_access", Details: map[string]string{"account": string(w.source()), "folder": string(folder)}}
	err = a.writeUndo(ctx, w, op, func() error { return g.GrantFolderAccess(ctx, owner, folder, w.source()) })
	if err != nil {
		return err
	}
	if has, err = g.HasFolderAccess(ctx, owner, folder, w.source()); err == nil && !has {
		err = a.notConfirmedYet(ctx, "the account does not have access back yet")
	}
	return err
}

// undoing opens a plan's connection for its undo. The fence is the plan's own:
// an undo belongs to no step.
func (a *Activities) undoing(ctx context.Context, in UndoInput) (work, error) {
	plan, err := a.store.Plan(ctx, in.PlanID)
	if err != nil {
		return work{}, err
	}
	return a.open(ctx, schema.StepRef{PlanID: plan.ID, Index: plan.CurrentStep, Fence: plan.Fence}, plan)
}

// writeUndo is write for a plan that is cancelling.
func (a *Activities) writeUndo(ctx context.Context, w work, op schema.VendorWrite, send func() error) error {
	if err := a.store.IntendUndo(ctx, w.plan.ID, op); err != nil {
		return err
	}
	return a.recordSent(ctx, w, op, send())
}
