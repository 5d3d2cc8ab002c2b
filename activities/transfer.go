package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"sendoff/connectors"
	"sendoff/internal/policy"
	"sendoff/schema"
)

// TransferStatus is what a workflow needs to know of its plan's transfer.
type TransferStatus struct {
	State schema.TransferState `json:"state"`
	// Again is how long to wait before the next look or send; 0 = at once.
	Again time.Duration `json:"again"`
	// Outcome is the class of the last answer, for the once-only rules.
	Outcome schema.OutcomeClass `json:"outcome"`
	Code    string              `json:"code"`   // the vendor's code of a refusal
	Reason  string              `json:"reason"` // in our words
	Missing int                 `json:"missing"`
	// Cause is what the vendor refused for, where its answer tells.
	Cause schema.RefusalCause `json:"cause,omitempty"`
	// Reactivate lets the source be active for the call; Window tells that it is.
	Reactivate bool `json:"reactivate,omitempty"`
	// MayOpen tells that the template lets the source be active for the call, so
	// that a refusal for its being suspended needs no operator.
	MayOpen bool `json:"may_open,omitempty"`
	Window  bool `json:"window,omitempty"`
}

// EnterTransfer takes the lanes of source and receiver, or a place in the queue
// for them. A source that owns nothing is skipped.
func (a *Activities) EnterTransfer(ctx context.Context, in StepInput) (TransferStatus, error) {
	w, err := a.begin(ctx, in.Ref)
	if err != nil {
		return TransferStatus{}, err
	}
	if w.plan.Snapshot == nil {
		return TransferStatus{}, &Refusal{Code: schema.ParkInternal, Message: "the plan has no snapshot", Fix: "report this as a fault of sendoff"}
	}
	t := schema.Transfer{
		PlanID: w.plan.ID, ConnectionID: w.conn.ID, Source: w.source(), Receiver: w.plan.Facts.Receiver,
		BytesBefore: w.plan.Snapshot.SpaceUsed, BytesLeft: w.plan.Snapshot.SpaceUsed, WitnessTotal: len(w.plan.Snapshot.Witnesses),
	}
	if existing, ok, err := a.store.Transfer(ctx, w.plan.ID); err != nil {
		return TransferStatus{}, err
	} else if ok && existing.State != schema.TransferWaiting && existing.State != schema.TransferIntended {
		return a.status(w.plan, existing), nil
	}
	source, err := a.readSource(ctx, &w)
	if err != nil {
		return TransferStatus{}, err
	}
	if w.plan.Snapshot.OwnsNothing() && source.SpaceUsed == 0 {
		return TransferStatus{State: schema.TransferSkipped}, a.store.SkipTransfer(ctx, w.ref, t)
	}
	if w.plan.Snapshot.OwnsNothing() {
		s := *w.plan.Snapshot
		s.WitnessesOK, s.SpaceUsed, s.WitnessNote = false, source.SpaceUsed, "content appeared after the snapshot"
		if err := a.store.SaveSnapshot(ctx, w.ref, s); err != nil {
			return TransferStatus{}, err
		}
		t.BytesBefore, t.BytesLeft = s.SpaceUsed, s.SpaceUsed
	}
	receiver, err := a.takeReceiver(ctx, &w, source, nil)
	if err != nil {
		return TransferStatus{}, err
	}
	t.Receiver, t.ReceiverID = receiver.ExternalID, receiver.ID
	if t, err = a.store.EnterLane(ctx, w.ref, t); err != nil {
		return TransferStatus{}, err
	}
	return a.status(w.plan, t), nil
}

func (a *Activities) status(plan schema.Plan, t schema.Transfer) TransferStatus {
	s := TransferStatus{
		State: t.State, Outcome: schema.OutcomeClass(t.LastOutcome), Missing: t.WitnessTotal - t.WitnessFound,
		Cause: t.LastCause, Reactivate: plan.Reactivate, Window: !plan.WindowOpen.IsZero(),
	}
	if step, ok := plan.StepOf(schema.StepTransfer); ok && step.Params.Reactivate && !plan.Reactivate {
		s.MayOpen = t.State == schema.TransferRefused && t.LastCause == schema.RefusedInactiveSource
	}
	if t.State == schema.TransferWaiting {
		s.Again = a.clocks.LaneCheck
	}
	return s
}

// takeReceiver returns the first receiver of the case that is valid now. When
// that is another than the plan's, or a restraint was read and differs, the plan
// is renewed and audited.
func (a *Activities) takeReceiver(ctx context.Context, w *work, source schema.Account, r *policy.Restraint) (schema.Account, error) {
	c, err := a.store.Case(ctx, w.plan.CaseID)
	if err != nil {
		return schema.Account{}, err
	}
	reader, err := connectors.Capability[connectors.AccountReader](w.c, "read_accounts")
	if err != nil {
		return schema.Account{}, err
	}
	var refused []schema.Finding
	leaver := source
	leaver.ID = w.plan.AccountID
	for _, entry := range c.Receivers {
		login, gap, err := loginOf(ctx, a.store, w.conn.ID, leaver, entry)
		if err != nil {
			return schema.Account{}, err
		}
		if gap != schema.GapNone {
			refused = append(refused, policy.RuleUnmet(w.conn, entry, gap))
			continue
		}
		account, findings, err := a.judgeReceiver(ctx, w, reader, source, login)
		if err != nil {
			return schema.Account{}, err
		}
		if len(findings) == 0 {
			return account, a.renewFacts(ctx, w, source, &account, r)
		}
		refused = append(refused, findings...)
	}
	none := &Refusal{
		Code: schema.ParkReceiverMissing, Message: "no receiver is named and the account owns content",
		Fix: "name one: sendoff cases set-receiver",
	}
	if len(refused) > 0 {
		none.Message = "no receiver is valid now: " + string(refused[0].Code)
		none.Fix = "name another (sendoff cases set-receiver), or make one valid (" + refused[0].Fix + ") and resume"
	}
	return schema.Account{}, none
}

// checkedReceiver is takeReceiver after everything that may forbid the send was
// read afresh: holds, protections, and the account itself.
func (a *Activities) checkedReceiver(ctx context.Context, w *work) (schema.Account, error) {
	now, err := a.readSource(ctx, w)
	if err != nil {
		return now, err
	}
	r, err := a.restrain(ctx, *w, now, policy.Effects{MovesContent: true})
	if err != nil {
		return now, err
	}
	return a.takeReceiver(ctx, w, now, &r)
}

func (a *Activities) judgeReceiver(ctx context.Context, w *work, reader connectors.AccountReader, source schema.Account, login string) (schema.Account, []schema.Finding, error) {
	matches, err := reader.FindByLogin(ctx, login)
	if err != nil {
		return schema.Account{}, nil, err
	}
	// The login stays out of findings here: they travel through Temporal.
	facts := policy.ReceiverFacts{Login: "in the list", Matches: matches}
	if len(matches) == 1 {
		full, err := reader.ReadAccount(ctx, matches[0].ExternalID)
		if err != nil {
			return full, nil, err
		}
		if full, err = remember(ctx, a.store, w.conn.ID, full, a.now()); err != nil {
			return full, nil, err
		}
		facts.Matches[0] = full
		open, leaving, err := a.store.OpenPlanOf(ctx, w.conn.ID, full.ExternalID)
		if err != nil {
			return full, nil, err
		}
		facts.Leaving = leaving && open.ID != w.plan.ID
		// This plan's own bytes are in the sum already; the rule adds the source's.
		planned, err := a.store.PlannedBytes(ctx, w.conn.ID, full.ExternalID)
		if err != nil {
			return full, nil, err
		}
		if w.plan.Facts.Receiver == full.ExternalID {
			planned -= source.SpaceUsed
		}
		facts.PlannedBytes = max(0, planned)
	}
	findings := policy.CheckReceiver(w.conn, source, facts)
	if len(findings) > 0 {
		return schema.Account{}, findings, nil
	}
	return facts.Matches[0], nil, nil
}

// RearmTransfer makes a busy or refused transfer ready to be sent again: the
// vendor definitely did not take the request. After busy it looks first: when
// somebody else's job has emptied the source, there is nothing to send any more,
// and evidence tells where the content went.
func (a *Activities) RearmTransfer(ctx context.Context, in StepInput) (TransferStatus, error) {
	w, err := a.begin(ctx, in.Ref)
	if err != nil {
		return TransferStatus{}, err
	}
	t, _, err := a.store.Transfer(ctx, w.plan.ID)
	if err != nil {
		return TransferStatus{}, err
	}
	if err := a.allowWindow(ctx, &w, t); err != nil {
		return TransferStatus{}, err
	}
	moved := false
	if t.State == schema.TransferBusy {
		source, err := a.readSource(ctx, &w)
		if err != nil {
			return TransferStatus{}, err
		}
		moved = t.BytesBefore > 0 && source.SpaceUsed == 0
	}
	t, err = a.store.RearmTransfer(ctx, in.Ref, moved)
	return a.status(w.plan, t), err
}

// ReopenTransfer watches a stalled transfer on, for an operator who resumed it.
// One that the operator sends again, or gave up, is left as they made it.
func (a *Activities) ReopenTransfer(ctx context.Context, in StepInput) (TransferStatus, error) {
	plan, err := a.store.Plan(ctx, in.Ref.PlanID)
	if err != nil {
		return TransferStatus{}, err
	}
	t, ok, err := a.store.Transfer(ctx, in.Ref.PlanID)
	if err == nil && ok && t.State == schema.TransferStalled {
		t, err = a.store.ReopenTransfer(ctx, in.Ref)
	}
	return a.status(plan, t), err
}

// InspectTransfer settles the question after a send whose activity ended without
// an answer: intended means that nothing was sent, sent that something may have
// been, and then only evidence tells (DESIGN section 6). No state means that the
// plan has no transfer.
func (a *Activities) InspectTransfer(ctx context.Context, in StepInput) (TransferStatus, error) {
	plan, err := a.store.Plan(ctx, in.Ref.PlanID)
	if err != nil {
		return TransferStatus{}, err
	}
	t, ok, err := a.store.Transfer(ctx, in.Ref.PlanID)
	if err != nil {
		return TransferStatus{}, err
	}
	if !ok {
		return TransferStatus{}, nil
	}
	if t.State == schema.TransferSent {
		t, err = a.store.RecordTransferOutcome(ctx, in.Ref, schema.TransferOutcome{
			Class: schema.OutcomeUnknown, Reason: "the worker ended during the call", EndedAt: a.now().UTC(), Attempt: t.Attempts,
		})
	}
	return a.status(plan, t), err
}

// StopTransfer leaves the lane of a transfer in which nothing was sent, and
// tells where one stands in which something was.
func (a *Activities) StopTransfer(ctx context.Context, in StepInput) (TransferStatus, error) {
	if err := a.store.LeaveLane(ctx, in.Ref.PlanID); err != nil {
		return TransferStatus{}, err
	}
	return a.InspectTransfer(ctx, in)
}

// CompleteTransfer ends the transfer step with its verdict as proof.
func (a *Activities) CompleteTransfer(ctx context.Context, in StepInput) error {
	t, ok, err := a.store.Transfer(ctx, in.Ref.PlanID)
	if err != nil {
		return err
	}
	if !ok || !t.State.Settled() {
		return &Refusal{Code: schema.ParkInternal, Message: "the transfer has not settled", Fix: "report this as a fault of sendoff"}
	}
	state := schema.StepDone
	if t.State == schema.TransferSkipped {
		state = schema.StepSkipped
	}
	return a.store.CompleteStep(ctx, in.Ref, state, map[string]string{"verdict": string(t.State)})
}

// drainFor is how long a stopping worker waits for the answer before it leaves
// the call to evidence; the worker's stop timeout is longer.
const drainFor = 45 * time.Second

// SendTransfer sends the transfer request once. The row moves from intended to
// sent, durably, directly before the request; whatever the vendor answers is an
// outcome and never an error, so that nothing can send it again unseen.
func (a *Activities) SendTransfer(ctx context.Context, in StepInput) (TransferStatus, error) {
	w, err := a.begin(ctx, in.Ref)
	if err != nil {
		return TransferStatus{}, err
	}
	if t, ok, err := a.store.Transfer(ctx, w.plan.ID); err != nil || !ok || t.State != schema.TransferIntended {
		return a.status(w.plan, t), err
	}
	tr, err := connectors.Capability[connectors.Transferer](w.c, "transfer")
	if err != nil {
		return TransferStatus{}, err
	}
	receiver, err := a.checkedReceiver(ctx, &w)
	if err != nil {
		return TransferStatus{}, err
	}
	t, _, err := a.store.Transfer(ctx, w.plan.ID)
	if err != nil {
		return TransferStatus{}, err
	}
	if receiver.ExternalID != t.Receiver {
		// Another receiver has another lane: give this one back and queue anew.
		return TransferStatus{State: schema.TransferWaiting}, a.store.LeaveLane(ctx, w.plan.ID)
	}
	prepared, err := tr.PrepareTransfer(ctx, w.source(), t.Receiver)
	if err != nil {
		return TransferStatus{}, err
	}
	sent, err := a.store.MarkSent(ctx, w.ref, t.Receiver)
	if schema.CodeOf(err) == schema.CodeConflict {
		return a.overtaken(ctx, w.plan.ID)
	}
	if err != nil {
		return TransferStatus{}, err
	}
	outcome := a.sendAndWait(ctx, prepared)
	outcome.Attempt = sent.Attempts
	if t, err = a.recordOutcome(ctx, w.ref, outcome); err != nil {
		return TransferStatus{}, err
	}
	return a.afterSend(w.plan, t, outcome), nil
}

// overtaken tells where a transfer stands that changed between the last look and
// its send: somebody chose another receiver, or another run of this activity sent.
func (a *Activities) overtaken(ctx context.Context, id schema.PlanID) (TransferStatus, error) {
	plan, err := a.store.Plan(ctx, id)
	if err != nil {
		return TransferStatus{}, err
	}
	t, _, err := a.store.Transfer(ctx, id)
	if err == nil && t.State == schema.TransferIntended && t.Receiver != plan.Facts.Receiver {
		return TransferStatus{State: schema.TransferWaiting}, a.store.LeaveLane(ctx, id)
	}
	return a.status(plan, t), err
}

// recordFor is how long an answer is kept for a database that is away: longer
// than a failover, shorter than the activity's own time.
const recordFor = 5 * time.Minute

// recordOutcome records the answer, again and again while the database is away.
// No retry of the activity could: it would only find that something was sent, and
// the vendor's clear word would be lost to evidence.
func (a *Activities) recordOutcome(ctx context.Context, ref schema.StepRef, o schema.TransferOutcome) (schema.Transfer, error) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), recordFor)
	defer stop()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		t, err := a.store.RecordTransferOutcome(ctx, ref, o)
		if code := schema.CodeOf(err); code != schema.CodeUnavailable && code != schema.CodeInternal {
			return t, err
		}
		select {
		case <-ctx.Done():
			return t, err
		case <-time.After(pause):
		}
	}
}

// sendAndWait sends and waits until the answer comes, or until the worker has
// been stopping for drainFor: the vendor goes on either way.
func (a *Activities) sendAndWait(ctx context.Context, p connectors.PreparedTransfer) schema.TransferOutcome {
	// The call has its own deadline; a cancelled activity must not cut it short,
	// for the vendor would go on without us.
	callCtx, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	answer := make(chan schema.TransferOutcome, 1)
	go func() { answer <- p.Send(callCtx) }()
	stopping := activity.GetWorkerStopChannel(ctx)
	var drained <-chan time.Time
	for {
		select {
		case o := <-answer:
			return o
		case <-stopping:
			stopping = nil
			timer := time.NewTimer(drainFor)
			defer timer.Stop()
			drained = timer.C
		case <-drained:
			hangUp()
			return <-answer
		}
	}
}

func (a *Activities) afterSend(plan schema.Plan, t schema.Transfer, o schema.TransferOutcome) TransferStatus {
	s := a.status(plan, t)
	s.Outcome, s.Code, s.Reason = o.Class, o.VendorCode, o.Reason
	switch t.State {
	case schema.TransferIntended:
		s.Again = o.RetryAfter // the workflow waits longer when this goes on
	case schema.TransferBusy:
		s.Again = max(o.RetryAfter, a.clocks.BusyPoll)
	}
	return s
}
