package activities

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"time"

	"go.temporal.io/sdk/activity"

	"sendoff/connectors"
	"sendoff/schema"
)

// StepInput names the step an activity carries out.
type StepInput struct {
	Ref schema.StepRef `json:"ref"`
}

// Suspend brings the account to the vendor's suspended status.
func (a *Activities) Suspend(ctx context.Context, in StepInput) error {
	return a.setStatus(connectors.WithPriority(ctx, connectors.PrioritySuspend), in, func(s connectors.Suspender) statusWrite {
		return statusWrite{op: "suspend", to: s.SuspendedStatus(), not: "the account is not suspended yet"}
	})
}

// Reactivate brings the account to the vendor's active status; a restricted one,
// too. RestoreStatus gives back the status it had: a cancelled plan leaves no account
// open that was closed before.
func (a *Activities) Reactivate(ctx context.Context, in StepInput) error {
	return a.setStatus(ctx, in, func(s connectors.Suspender) statusWrite {
		return statusWrite{op: "reactivate", to: s.ActiveStatus(), not: "the account is not active yet"}
	})
}

// setStatus reads, keeps the status that the account had, writes if needed, and
// reads again until the vendor agrees (promise 3).
func (a *Activities) setStatus(ctx context.Context, in StepInput, of func(connectors.Suspender) statusWrite) error {
	w, done, err := a.beginOnce(ctx, in.Ref)
	if err != nil || done {
		return err
	}
	s, err := connectors.Capability[connectors.Suspender](w.c, "suspend")
	if err != nil {
		return err
	}
	now, err := a.readSource(ctx, &w)
	if err != nil {
		return err
	}
	if sw := of(s); now.VendorStatus != sw.to {
		if err := a.renewFacts(ctx, &w, now, nil, nil); err != nil {
			return err
		}
		if err := a.store.SavePriorStatus(ctx, w.ref, now.VendorStatus); err != nil {
			return err
		}
		if now, err = a.writeStatus(ctx, &w, s, now, sw); err != nil {
			return err
		}
	}
	return a.store.CompleteStep(ctx, w.ref, schema.StepDone, map[string]string{"status": now.VendorStatus})
}

// statusWrite is a status that a step gives an account: its name in the journal,
// the status in the vendor's word, and what is said while reads do not show it.
type statusWrite struct{ op, to, not string }

// writeStatus journals, sends and reads back a status.
func (a *Activities) writeStatus(ctx context.Context, w *work, s connectors.Suspender, before schema.Account, sw statusWrite) (schema.Account, error) {
	if err := a.confirmedInTime(ctx, w, sw.op); err != nil {
		return before, err
	}
	write := schema.VendorWrite{Op: sw.op, Details: map[string]string{"account": string(w.source()), "from": before.VendorStatus, "to": sw.to}}
	err := a.write(ctx, *w, write, func() error { return s.SetStatus(ctx, w.source(), sw.to) })
	if err != nil {
		return before, err
	}
	after, err := a.readSource(ctx, w)
	if err != nil {
		return before, err
	}
	if after.VendorStatus != sw.to {
		return after, a.notConfirmedYet(ctx, sw.not)
	}
	return after, nil
}

// write journals the intent of a write, sends it, and journals the outcome.
func (a *Activities) write(ctx context.Context, w work, op schema.VendorWrite, send func() error) error {
	if err := a.store.IntendWrite(ctx, w.ref, op); err != nil {
		return err
	}
	return a.recordSent(ctx, w, op, send())
}

// recordSent journals what became of a write that was sent, and returns that. It
// does so even when the activity was cancelled meanwhile.
func (a *Activities) recordSent(ctx context.Context, w work, op schema.VendorWrite, sendErr error) error {
	op.Details = outcomeDetails(op, sendErr)
	if err := a.store.RecordOutcome(context.WithoutCancel(ctx), w.plan.ID, op); err != nil {
		return err
	}
	return sendErr
}

// outcomeDetails adds to a write's details what became of it.
func outcomeDetails(op schema.VendorWrite, err error) map[string]string {
	out := maps.Clone(op.Details)
	switch {
	case err == nil:
		out["outcome"] = schema.WriteAccepted
		return out
	case op.Op == opDelete && connectors.KindOf(err) == connectors.NotFound:
		// It was read just before: a proxy that repeats a delete answers for the second.
		out["outcome"] = schema.WriteUnknown
	case withoutEffect(err):
		out["outcome"] = schema.WriteRefused
	default:
		out["outcome"] = schema.WriteUnknown
	}
	out["kind"] = string(connectors.KindOf(err))
	return out
}

// withoutEffect tells whether a write surely changed nothing: the vendor, or our
// own guard, refused it, or no byte of it left us.
func withoutEffect(err error) bool {
	var e *connectors.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Kind {
	case connectors.RateLimited, connectors.Unauthorized, connectors.Forbidden, connectors.Invalid,
		connectors.NotFound, connectors.Conflict, connectors.Blocked, connectors.Unsupported:
		return true
	case connectors.Unavailable:
		return !e.Sent
	default:
		return false
	}
}

// confirmedInTime refuses to write again when the vendor accepted this write
// longer than the read-back time ago (counted anew from a resume) and its reads
// still do not show it.
func (a *Activities) confirmedInTime(ctx context.Context, w *work, op string) error {
	last, ok, err := a.store.LastWrite(ctx, w.plan.ID, op)
	if err != nil || !ok || last.AcceptedAt.IsZero() {
		return err
	}
	since := last.AcceptedAt
	if w.plan.UpdatedAt.After(since) {
		since = w.plan.UpdatedAt
	}
	if a.now().Sub(since) < a.clocks.ReadBack {
		return nil
	}
	return &Refusal{
		Code: schema.ParkNotConfirmed, Message: "the vendor accepted the " + op + " and its reads do not show it",
		Fix: "look at the account at the vendor, then resume",
	}
}

func (a *Activities) notConfirmedYet(ctx context.Context, what string) error {
	return &notYet{what: what, after: a.clocks.ReadBackDelay(activity.GetInfo(ctx).Attempt)}
}

// readSource reads the account of the plan by id, and remembers and records what
// it saw. Absent means ParkAccountGone, and is believed only while the
// connection still belongs to the plan's enterprise (promise 8).
func (a *Activities) readSource(ctx context.Context, w *work) (schema.Account, error) {
	reader, err := connectors.Capability[connectors.AccountReader](w.c, "read_accounts")
	if err != nil {
		return schema.Account{}, err
	}
	now, err := reader.ReadAccount(ctx, w.source())
	if connectors.KindOf(err) == connectors.NotFound {
		if _, err := a.actor(ctx, w); err != nil {
			return now, err
		}
		return now, &Refusal{
			Code:    schema.ParkAccountGone,
			Message: "the vendor no longer knows account " + string(w.source()) + ", and this plan did not delete it",
			Fix:     "find out who deleted it; cancel the case if nothing is left to do",
		}
	}
	if err != nil {
		return now, err
	}
	if now.EnterpriseID != w.plan.Facts.EnterpriseID {
		return now, enterpriseRefusal()
	}
	if now, err = remember(ctx, a.store, w.conn.ID, now, a.now()); err != nil {
		return now, err
	}
	return now, a.store.RecordEvidence(ctx, w.ref, schema.Evidence{Kind: "account", Details: map[string]string{
		"account": string(now.ExternalID), "status": now.VendorStatus, "role": string(now.Role),
		"space_used_bytes": strconv.FormatInt(now.SpaceUsed, 10),
	}})
}

// remember keeps what was read of an account and returns it with our id. It is
// judged as it was read: the row may show another observation, made by a process
// whose clock is ahead of ours.
func remember(ctx context.Context, s Store, c schema.ConnectionID, read schema.Account, at time.Time) (schema.Account, error) {
	read.ConnectionID, read.ObservedAt = c, at.UTC()
	row, err := s.SaveAccount(ctx, read)
	read.ID, read.PersonID = row.ID, row.PersonID
	return read, err
}

// RevokeSessions ends the account's sessions. The vendor's acceptance is the
// proof: it works in the background and reports nowhere (promise 3's exception).
func (a *Activities) RevokeSessions(ctx context.Context, in StepInput) error {
	ctx = connectors.WithPriority(ctx, connectors.PrioritySuspend)
	w, done, err := a.beginOnce(ctx, in.Ref)
	if err != nil || done {
		return err
	}
	r, err := connectors.Capability[connectors.SessionRevoker](w.c, "revoke_sessions")
	if err != nil {
		return err
	}
	now, err := a.readSource(ctx, &w)
	if err != nil {
		return err
	}
	if err := a.renewFacts(ctx, &w, now, nil, nil); err != nil { // protections go by the login it has now
		return err
	}
	op := schema.VendorWrite{Op: "revoke_sessions", Details: map[string]string{"account": string(w.source())}}
	if err := a.write(ctx, w, op, func() error { return r.RevokeSessions(ctx, w.source()) }); err != nil {
		return err
	}
	return a.store.CompleteStep(ctx, w.ref, schema.StepDone, map[string]string{"accepted": "true"})
}
