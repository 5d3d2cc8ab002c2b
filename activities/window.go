package activities

import (
	"cmp"
	"context"
	"errors"

	"sendoff/connectors"
	"sendoff/schema"
)

// A vendor may transfer from active accounts alone. A plan that an operator, or
// its template, lets do so makes its suspended source active for the time of the
// call: the window. Its row says so before the write that opens it and until the
// account was read as suspended again, so that no crash leaves it open unseen.

// allowWindow notes that a refused transfer may be sent with its source active,
// when the plan's template says so and the vendor refused for that reason.
func (a *Activities) allowWindow(ctx context.Context, w *work, t schema.Transfer) error {
	step, ok := w.plan.Step(w.ref.Index)
	if !ok || !step.Params.Reactivate || w.plan.Reactivate || t.State != schema.TransferRefused || t.LastCause != schema.RefusedInactiveSource {
		return nil
	}
	w.plan.Reactivate = true
	return a.store.AllowWindow(ctx, w.ref)
}

// OpenWindow makes the suspended source active for the transfer's call.
func (a *Activities) OpenWindow(ctx context.Context, in StepInput) error {
	w, err := a.begin(ctx, in.Ref)
	if err != nil {
		return err
	}
	s, err := connectors.Capability[connectors.Suspender](w.c, "suspend")
	if err != nil {
		return err
	}
	now, err := a.readSource(ctx, &w)
	if err != nil || now.VendorStatus != s.SuspendedStatus() {
		return err
	}
	if err := a.recheck(ctx, &w, now); err != nil {
		return err
	}
	if err := a.store.OpenWindow(ctx, w.ref); err != nil {
		return err
	}
	if !w.plan.WindowOpen.IsZero() { // a window before this one was confirmed and closed
		if err := a.confirmedInTime(ctx, &w, schema.OpOpenWindow); err != nil {
			return err
		}
	}
	to := cmp.Or(w.plan.PriorStatus, s.ActiveStatus())
	op := schema.VendorWrite{Op: schema.OpOpenWindow, Details: map[string]string{"account": string(w.source()), "from": now.VendorStatus, "to": to}}
	if err := a.write(ctx, w, op, func() error { return s.SetStatus(ctx, w.source(), to) }); err != nil {
		return err
	}
	if now, err = a.readSource(ctx, &w); err == nil && now.VendorStatus == s.SuspendedStatus() {
		err = a.notConfirmedYet(ctx, "the source is not active yet")
	}
	return err
}

// CloseWindow suspends the source again and ends the sessions that the window let
// begin. It works in every state of the plan: an open window is worse than a late
// write. An account that is gone needs none.
func (a *Activities) CloseWindow(ctx context.Context, in UndoInput) error {
	ctx = connectors.WithPriority(ctx, connectors.PrioritySuspend)
	w, err := a.undoing(ctx, in)
	if err != nil || w.plan.WindowOpen.IsZero() {
		return err
	}
	s, err := connectors.Capability[connectors.Suspender](w.c, "suspend")
	if err != nil {
		return err
	}
	now, err := a.readSource(ctx, &w)
	var refusal *Refusal
	if errors.As(err, &refusal) && refusal.Code == schema.ParkAccountGone {
		return a.store.CloseWindow(ctx, w.plan.ID)
	}
	if err != nil {
		return err
	}
	if now.VendorStatus != s.SuspendedStatus() {
		op := schema.VendorWrite{Op: "close_window", Details: map[string]string{"account": string(w.source()), "from": now.VendorStatus, "to": s.SuspendedStatus()}}
		if err := a.writeClosing(ctx, w, op, func() error { return s.SetStatus(ctx, w.source(), s.SuspendedStatus()) }); err != nil {
			return err
		}
		if now, err = a.readSource(ctx, &w); err != nil {
			return err
		}
		if now.VendorStatus != s.SuspendedStatus() {
			return a.notConfirmedYet(ctx, "the source is not suspended again yet")
		}
	}
	if err := a.endSessions(ctx, w); err != nil {
		return err
	}
	return a.store.CloseWindow(ctx, w.plan.ID)
}

// endSessions ends the sessions of a window, where the vendor can and will: by now
// the account is suspended, so that a vendor which refuses keeps no window open.
// Its refusal is journalled.
func (a *Activities) endSessions(ctx context.Context, w work) error {
	r, err := connectors.Capability[connectors.SessionRevoker](w.c, "revoke_sessions")
	if err != nil {
		return nil // a suspended account cannot use them
	}
	op := schema.VendorWrite{Op: "close_window_sessions", Details: map[string]string{"account": string(w.source())}}
	err = a.writeClosing(ctx, w, op, func() error { return r.RevokeSessions(ctx, w.source()) })
	switch connectors.KindOf(err) {
	case connectors.Forbidden, connectors.NotFound, connectors.Invalid, connectors.Unsupported:
		return nil
	}
	return err
}

// writeClosing is write for the closing of a window.
func (a *Activities) writeClosing(ctx context.Context, w work, op schema.VendorWrite, send func() error) error {
	if err := a.store.IntendClosing(ctx, w.plan.ID, op); err != nil {
		return err
	}
	return a.recordSent(ctx, w, op, send())
}
