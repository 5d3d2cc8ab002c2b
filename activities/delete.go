package activities

import (
	"context"
	"errors"
	"time"

	"sendoff/connectors"
	"sendoff/internal/policy"
	"sendoff/schema"
)

// maxDeleteTries is how many refusals for content end in parking.
const maxDeleteTries = 6

// opDelete is the delete in the journal of writes.
const opDelete = "delete"

// DeleteStatus is what became of a delete.
type DeleteStatus struct {
	Deleted bool `json:"deleted"`
	// Again is how long to wait before the next try, after the vendor said that
	// content remains; the transfer settles again meanwhile.
	Again time.Duration `json:"again"`
}

// Delete removes the account without force, after checking everything afresh:
// the account, its transfer, its trash. Done means that a read by id says it is
// gone while the connection's enterprise still matches (promises 1, 3 and 8).
func (a *Activities) Delete(ctx context.Context, in StepInput) (DeleteStatus, error) {
	w, done, err := a.beginOnce(ctx, in.Ref)
	if err != nil || done {
		return DeleteStatus{Deleted: done}, err
	}
	d, err := connectors.Capability[connectors.Deleter](w.c, "delete")
	if err != nil {
		return DeleteStatus{}, err
	}
	gone, err := a.goneByUs(ctx, &w)
	if err != nil {
		return DeleteStatus{}, err
	}
	if gone {
		return DeleteStatus{Deleted: true}, a.completeDelete(ctx, w)
	}
	if err := a.checkDelete(ctx, &w); err != nil {
		return DeleteStatus{}, err
	}
	if journal, _, err := a.store.LastWrite(ctx, w.plan.ID, opDelete); err != nil {
		return DeleteStatus{}, err
	} else if journal.Outcome == schema.WriteAccepted {
		return DeleteStatus{}, a.notConfirmedYet(ctx, "the delete was accepted and the account can still be read")
	}
	err = a.sendDelete(ctx, w, d)
	if errors.Is(err, connectors.ErrContentRemains) {
		return a.contentRemains(ctx, w)
	}
	if err != nil && connectors.KindOf(err) != connectors.NotFound {
		return DeleteStatus{}, err
	}
	if gone, err = a.goneByUs(ctx, &w); err != nil {
		return DeleteStatus{}, err
	}
	if !gone {
		return DeleteStatus{}, a.notConfirmedYet(ctx, "the account can still be read")
	}
	return DeleteStatus{Deleted: true}, a.completeDelete(ctx, w)
}

// sendDelete journals and sends the delete. Where the connector can, the request
// is prepared first: a hold or a cancel that comes while it waits for its turn is
// seen by the journal's checks, and nothing is sent again behind them. A token
// that expired is fetched anew once, with the checks made again.
func (a *Activities) sendDelete(ctx context.Context, w work, d connectors.Deleter) error {
	op := schema.VendorWrite{Op: opDelete, Details: map[string]string{"account": string(w.source())}}
	p, ok := d.(connectors.PreparedDeleter)
	if !ok {
		return a.write(ctx, w, op, func() error { return d.DeleteAccount(ctx, w.source()) })
	}
	for try := 1; ; try++ {
		prepared, err := p.PrepareDelete(ctx, w.source())
		if err != nil {
			return err
		}
		err = a.write(ctx, w, op, func() error { return prepared.Send(ctx) })
		if try == 2 || connectors.KindOf(err) != connectors.Unauthorized {
			return err
		}
	}
}

// goneByUs tells whether the account is gone and our journal shows the delete:
// one that was accepted, or whose answer was lost, also before a later try that
// met nobody. Gone without that is not for us to call deleted.
func (a *Activities) goneByUs(ctx context.Context, w *work) (bool, error) {
	_, err := a.readSource(ctx, w)
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Code != schema.ParkAccountGone {
		return false, err
	}
	journal, _, lookErr := a.store.LastWrite(ctx, w.plan.ID, opDelete)
	if lookErr != nil {
		return false, lookErr
	}
	if journal.AcceptedAt.IsZero() && !journal.Lost {
		return false, err
	}
	return true, nil
}

// checkDelete is everything that must hold directly before the irreversible call.
func (a *Activities) checkDelete(ctx context.Context, w *work) error {
	if err := a.confirmedInTime(ctx, w, opDelete); err != nil {
		return err
	}
	now, err := a.readSource(ctx, w)
	if err != nil {
		return err
	}
	r, err := a.restrain(ctx, *w, now, policy.Effects{MovesContent: true, Deletes: true})
	if err != nil {
		return err
	}
	if err := a.renewFacts(ctx, w, now, nil, &r); err != nil {
		return err
	}
	if err := stillSuspended(*w, now); err != nil {
		return err
	}
	if err := a.checkTransferred(ctx, *w); err != nil {
		return err
	}
	if now.SpaceUsed != 0 {
		return contentRefusal("the account has content again", "move it at the vendor, then resume; or cancel the case")
	}
	return nil
}

// stillSuspended refuses to delete an account that somebody activated after this
// plan suspended it: somebody may need it again.
func stillSuspended(w work, now schema.Account) error {
	if _, suspends := w.plan.StepOf(schema.StepSuspend); !suspends || now.Status == schema.AccountSuspended {
		return nil
	}
	return &Refusal{
		Code: schema.ParkReactivated, Message: "the account was activated after this plan had suspended it",
		Fix: "suspend it at the vendor and resume; or cancel the case if it is needed",
	}
}

// checkTransferred refuses to delete what the plan's transfer does not cover. A
// plan without one may delete only what owned nothing.
func (a *Activities) checkTransferred(ctx context.Context, w work) error {
	if _, transfers := w.plan.StepOf(schema.StepTransfer); !transfers {
		if s := w.plan.Snapshot; s == nil || !s.OwnsNothing() {
			return contentRefusal("the account owns, or may own, content and the plan does not transfer it",
				"cancel the case and offboard with the template leaver and a receiver")
		}
		return nil
	}
	t, ok, err := a.store.Transfer(ctx, w.plan.ID)
	if err != nil {
		return err
	}
	if !ok || !t.State.Settled() {
		return contentRefusal("the transfer has no verdict", "resume to settle it again")
	}
	return a.checkTrash(ctx, w, t)
}

func contentRefusal(message, fix string) error {
	return &Refusal{Code: schema.ParkContentRemains, Message: message, Fix: fix}
}

// checkTrash refuses when trash of the snapshot did not arrive at the receiver:
// deleting the account would destroy it.
func (a *Activities) checkTrash(ctx context.Context, w work, t schema.Transfer) error {
	if w.plan.Snapshot == nil || len(w.plan.Snapshot.Trash) == 0 {
		return nil
	}
	tr, err := connectors.Capability[connectors.Transferer](w.c, "transfer")
	if err != nil {
		return err
	}
	var missing []schema.ExternalID
	for _, item := range w.plan.Snapshot.Trash {
		there, err := tr.LocateTrashed(ctx, t.Receiver, item)
		if err != nil {
			return err
		}
		if !there {
			missing = append(missing, item.ID)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if step, ok := w.plan.StepOf(schema.StepDelete); ok && step.Params.Trash == schema.TrashDiscard {
		return a.store.RecordEvidence(ctx, w.ref, schema.Evidence{Kind: "trash_discarded", Details: map[string]string{"missing": joinIDs(missing)}})
	}
	return &Refusal{
		Code: schema.ParkTrashRemains, Message: "trashed items did not arrive at the receiver: " + joinIDs(missing),
		Fix: "restore or purge them at the vendor, then resume; or use a template that discards trash",
	}
}

// contentRemains counts the refusal. A transfer that had a verdict loses it and
// settles again; the delete is not a way to poll.
func (a *Activities) contentRemains(ctx context.Context, w work) (DeleteStatus, error) {
	n, err := a.store.CountDeleteRefusal(ctx, w.ref)
	if err != nil {
		return DeleteStatus{}, err
	}
	t, ok, err := a.store.Transfer(ctx, w.plan.ID)
	if err != nil {
		return DeleteStatus{}, err
	}
	if n >= maxDeleteTries || !ok || t.State == schema.TransferSkipped {
		return DeleteStatus{}, &Refusal{
			Code: schema.ParkContentRemains, Message: "the vendor says that the account still owns content",
			Fix: "find what is left at the vendor and move it, then resume",
		}
	}
	return DeleteStatus{Again: a.clocks.DeleteRetry}, nil
}

func (a *Activities) completeDelete(ctx context.Context, w work) error {
	account, err := a.store.Account(ctx, w.plan.AccountID)
	if err != nil {
		return err
	}
	account.Status, account.ObservedAt = schema.AccountDeleted, a.now().UTC()
	if _, err := a.store.SaveAccount(ctx, account); err != nil {
		return err
	}
	return a.store.CompleteStep(ctx, w.ref, schema.StepDone, map[string]string{
		"read_by_id": "404", "enterprise": w.plan.Facts.EnterpriseID,
	})
}
