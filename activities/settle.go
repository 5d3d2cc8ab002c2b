package activities

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"go.temporal.io/sdk/activity"

	"sendoff/connectors"
	"sendoff/internal/policy"
	"sendoff/schema"
)

// SettleTransfer looks at the evidence of a transfer once per try: until there
// is a verdict it asks to be tried again later, which costs no history events.
func (a *Activities) SettleTransfer(ctx context.Context, in StepInput) (TransferStatus, error) {
	w, t, err := a.settling(ctx, in.Ref)
	if err != nil || t.State != schema.TransferSettling {
		return a.status(w.plan, t), err
	}
	read, err := a.readTransfer(ctx, &w, t)
	switch why := beyondEvidence(w, err); {
	case why == schema.ParkAccountGone, why == schema.ParkReceiverInactive && read.BytesLeft == 0:
		t, err = a.store.ConcludeTransfer(ctx, w.ref, schema.TransferStalled, map[string]string{"why": string(why)})
		return a.status(w.plan, t), err
	case why == schema.ParkReceiverInactive:
		// The source still tells whether it moves; what arrives cannot be seen.
	case err != nil:
		return TransferStatus{}, err
	}
	if t, err = a.store.RecordTransferRead(ctx, w.ref, read); err != nil {
		return TransferStatus{}, err
	}
	verdict := policy.Judge(a.clocks, *w.plan.Snapshot, t, read.At)
	if verdict.State == "" {
		delay := a.clocks.PollDelay(activity.GetInfo(ctx).Attempt)
		switch {
		case !t.ClearSince.IsZero(): // one more look, at the end of the quiet time
			delay = min(verdict.Next, a.clocks.PollMax)
		case verdict.Next > 0:
			delay = min(delay, verdict.Next)
		}
		return TransferStatus{}, &notYet{what: "the transfer is still being proven", after: delay}
	}
	t, err = a.store.ConcludeTransfer(ctx, w.ref, verdict.State, map[string]string{
		"bytes_left": strconv.FormatInt(read.BytesLeft, 10), "witnesses": strconv.Itoa(read.WitnessTotal),
		"found": strconv.Itoa(read.WitnessFound), "missing": joinIDs(read.MissingIDs), "folders": joinIDs(t.FolderIDs),
	})
	return a.status(w.plan, t), err
}

// beyondEvidence tells why a plan that is cancelling cannot get all evidence: its
// source is gone, or its receiver cannot be looked at. Parking would keep it from
// giving back what it can. Other plans park and wait for an operator.
func beyondEvidence(w work, err error) schema.ParkCode {
	var refusal *Refusal
	if w.plan.State != schema.PlanCancelling || !errors.As(err, &refusal) {
		return ""
	}
	switch refusal.Code {
	case schema.ParkAccountGone, schema.ParkReceiverInactive:
		return refusal.Code
	}
	return ""
}

// settling loads what a settle read needs. It does not begin the step again: a
// plan that is cancelling still has to learn what became of its transfer.
func (a *Activities) settling(ctx context.Context, ref schema.StepRef) (work, schema.Transfer, error) {
	plan, err := a.store.Plan(ctx, ref.PlanID)
	if err != nil {
		return work{}, schema.Transfer{}, err
	}
	t, _, err := a.store.Transfer(ctx, ref.PlanID)
	if err != nil {
		return work{}, t, err
	}
	w, err := a.open(ctx, ref, plan)
	return w, t, err
}

// readTransfer reads the source's space and, once that is clear, looks for every
// witness as the receiver. Reads of the source need no access to its content.
func (a *Activities) readTransfer(ctx context.Context, w *work, t schema.Transfer) (schema.TransferRead, error) {
	ctx = connectors.WithPriority(ctx, connectors.PriorityWrite)
	source, err := a.readSource(ctx, w)
	if err != nil {
		return schema.TransferRead{}, err
	}
	s := *w.plan.Snapshot
	read := schema.TransferRead{BytesLeft: source.SpaceUsed, WitnessTotal: len(s.Witnesses), FolderIDs: t.FolderIDs, At: a.now().UTC()}
	if err := a.checkReceiver(ctx, *w, t.Receiver); err != nil {
		return read, err
	}
	if policy.Clear(s, source.SpaceUsed, len(s.Witnesses)) {
		if err := a.locateWitnesses(ctx, w, t, s, &read); err != nil {
			return read, err
		}
	}
	read.Clear = policy.Clear(s, source.SpaceUsed, read.WitnessFound)
	read.At = a.now().UTC()
	return read, nil
}

// checkReceiver refuses to look for what arrived while the receiver cannot be
// acted as: its silence would be taken for something missing.
func (a *Activities) checkReceiver(ctx context.Context, w work, id schema.ExternalID) error {
	gone, err := a.receiverGone(ctx, w, id)
	if gone {
		return receiverInactive(id)
	}
	return err
}

// receiverGone tells whether the receiver's account is no more. It refuses for
// one that is suspended.
func (a *Activities) receiverGone(ctx context.Context, w work, id schema.ExternalID) (bool, error) {
	reader, err := connectors.Capability[connectors.AccountReader](w.c, "read_accounts")
	if err != nil {
		return false, err
	}
	receiver, err := reader.ReadAccount(ctx, id)
	if connectors.KindOf(err) == connectors.NotFound {
		return true, nil
	}
	if err == nil && receiver.Status == schema.AccountSuspended {
		err = receiverInactive(id)
	}
	return false, err
}

func receiverInactive(id schema.ExternalID) error {
	return &Refusal{
		Code: schema.ParkReceiverInactive, Message: "receiver " + string(id) + " is suspended or gone, so what arrived there cannot be looked at",
		Fix: "activate it at the vendor and resume; or cancel the case",
	}
}

// locateWitnesses looks for each witness: it has arrived when the receiver owns
// it and it lies under a folder of the receiver's root.
func (a *Activities) locateWitnesses(ctx context.Context, w *work, t schema.Transfer, s schema.Snapshot, read *schema.TransferRead) error {
	tr, err := connectors.Capability[connectors.Transferer](w.c, "transfer")
	if err != nil {
		return err
	}
	for _, item := range s.Witnesses {
		place, err := tr.LocateWitness(ctx, t.Receiver, item)
		if err != nil {
			return err
		}
		if !place.Found || place.Owner != t.Receiver || place.FolderID == "" {
			read.MissingIDs = append(read.MissingIDs, item.ID)
			continue
		}
		read.WitnessFound++
		if !slices.Contains(read.FolderIDs, place.FolderID) {
			read.FolderIDs = append(read.FolderIDs, place.FolderID)
		}
	}
	return nil
}

// joinIDs lists ids for an audit detail, the first hundred of them.
func joinIDs(ids []schema.ExternalID) string {
	const most = 100
	parts := make([]string, 0, min(len(ids), most))
	for _, id := range ids[:min(len(ids), most)] {
		parts = append(parts, string(id))
	}
	return strings.Join(parts, " ")
}
