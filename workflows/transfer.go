package workflows

import (
	"cmp"
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sendoff/activities"
	"sendoff/schema"
)

// transfer carries a transfer from its lane to a verdict (DESIGN section 6):
//
//	waiting -> intended -> sent -> refused | busy | intended | settling
//	settling -> proven | presumed | stalled
//	refused, busy, stalled -> given up, by an operator who waived the step
func (d *deprovision) transfer(ctx workflow.Context, ref schema.StepRef) error {
	t, err := enterTransfer(ctx, ref)
	if err == nil && d.rerun {
		t, err = d.takeUp(ctx, ref, t)
	}
	if err == nil {
		t, err = d.toVerdict(ctx, ref, t)
	}
	if err != nil || t.State == schema.TransferGivenUp {
		return err
	}
	return completeTransfer(ctx, ref)
}

// toVerdict carries a transfer on until it is proven, presumed, skipped or given up.
func (d *deprovision) toVerdict(ctx workflow.Context, ref schema.StepRef, t activities.TransferStatus) (activities.TransferStatus, error) {
	var err error
	refused401, busy := 0, 0
	for err == nil {
		if tooLong(ctx) {
			return t, again(ctx, d.id)
		}
		if t.Window { // left open by a run that was lost
			if err = d.closeWindow(ctx); err != nil {
				break
			}
			t.Window = false
		}
		switch t.State {
		case schema.TransferProven, schema.TransferPresumed, schema.TransferSkipped, schema.TransferGivenUp:
			return t, nil
		case schema.TransferWaiting:
			if err = d.sleepInLane(ctx, max(t.Again, atLeast)); err == nil {
				t, err = enterTransfer(ctx, ref)
			}
		case schema.TransferIntended:
			t, err = d.send(ctx, ref, t.Reactivate)
			if t.Outcome != schema.OutcomeUnauthorized {
				refused401 = 0
			} else if refused401++; refused401 == unauthorizedTwice {
				return t, refusal(schema.ParkUnauthorized, "the vendor does not accept a fresh token", "renew the connection's credentials, then resume")
			}
		case schema.TransferBusy:
			busy++
			t, err = d.busy(ctx, ref, t, busy)
		case schema.TransferRefused:
			t, err = d.refused(ctx, ref, t)
		case schema.TransferSent:
			t, err = inspectTransfer(ctx, ref)
		case schema.TransferSettling:
			t, err = settleTransfer(ctx, ref)
		case schema.TransferStalled:
			t, err = d.stalled(ctx, ref, t)
		default:
			return t, refusal(schema.ParkInternal, "the transfer is in a state this release does not know", "upgrade sendoff, then resume")
		}
	}
	return t, err
}

// busy waits for somebody else's job, longer the more often it was met, and gives
// up to an operator after about a day.
func (d *deprovision) busy(ctx workflow.Context, ref schema.StepRef, t activities.TransferStatus, n int) (activities.TransferStatus, error) {
	if n > mostBusy {
		return t, refusal(schema.ParkTransferBusy, "another job has held the account at the vendor for about a day",
			"look at the vendor what runs there; resume to wait on")
	}
	if err := d.sleep(ctx, busyDelay(t.Again, n)); err != nil {
		return t, err
	}
	return rearmTransfer(ctx, ref)
}

// takeUp goes on with a transfer that an earlier run parked for and an operator
// resumed: parking again would make them say it twice.
func (d *deprovision) takeUp(ctx workflow.Context, ref schema.StepRef, t activities.TransferStatus) (activities.TransferStatus, error) {
	d.rerun = false
	var err error
	switch t.State {
	case schema.TransferRefused:
		t, err = d.sendAnew(ctx, ref)
	case schema.TransferStalled:
		t, err = reopenTransfer(ctx, ref)
	}
	return t, err
}

// send sends once and waits as the answer asks, longer the more often it went
// wrong. When the activity ends without an answer the row tells: still intended
// means that nothing was sent, anything else that evidence decides.
func (d *deprovision) send(ctx workflow.Context, ref schema.StepRef, reactivate bool) (activities.TransferStatus, error) {
	t, closeErr, err := d.sendOnce(ctx, ref, reactivate)
	if closeErr != nil {
		return t, closeErr // nothing else matters before the account is suspended again
	}
	if err != nil {
		seen, inspectErr := inspectTransfer(ctx, ref)
		if inspectErr != nil || seen.State != schema.TransferIntended {
			return seen, inspectErr
		}
		if !worthAnotherTry(err) {
			return seen, err
		}
		t = seen
	}
	if t.State != schema.TransferIntended {
		d.unsent = 0
		return t, nil
	}
	if d.unsent++; d.unsent > mostUnsent {
		d.unsent = 0 // a resume gets the whole time again
		return t, cmp.Or(err, refusal(schema.ParkVendorFailing, "the vendor did not take the transfer for about a day", "wait until the vendor works again, then resume"))
	}
	return t, d.sleep(ctx, max(t.Again, unsentDelay(d.unsent)))
}

// sendOnce sends, and where the plan was allowed to, makes the suspended source
// active for the time of the call. The window is closed whatever became of the
// send: also on a context that a cancelled workflow does not take away.
func (d *deprovision) sendOnce(ctx workflow.Context, ref schema.StepRef, reactivate bool) (t activities.TransferStatus, closeErr, err error) {
	if !reactivate {
		t, err = sendTransfer(ctx, ref)
		return t, nil, err
	}
	if err = openWindow(ctx, ref); err == nil {
		t, err = sendInWindow(ctx, ref)
	}
	closeErr = d.closeWindow(ctx)
	t.Window = closeErr != nil
	return t, closeErr, err
}

// closeWindow suspends the source again. When that fails for good the plan parks
// with a cause of its own: an account that left can sign in.
func (d *deprovision) closeWindow(ctx workflow.Context) error {
	ctx, release := workflow.NewDisconnectedContext(ctx)
	defer release()
	err := closeWindow(ctx, d.id)
	if err == nil {
		return nil
	}
	cause := judge(schema.StepTransfer, err).cause
	return refusal(schema.ParkWindowOpen, "the source was made active for the transfer's call and could not be suspended again: "+cause.Message,
		"suspend it at the vendor at once, then resume")
}

const (
	// mostUnsent is about a day of tries that the vendor definitely did not take.
	mostUnsent = 150
	// mostBusy is about a day of tries that met another job.
	mostBusy = 54
	// unauthorizedTwice is how many 401s in a row end in parking.
	unauthorizedTwice = 2
	// atLeast keeps a loop from turning without a pause.
	atLeast = 100 * time.Millisecond
)

// unsentDelay doubles from 2 s to 10 minutes.
func unsentDelay(n int) time.Duration {
	return min(2*time.Second<<min(n-1, 10), 10*time.Minute)
}

// busyDelay is half as long again each time, fifteen times the first at most.
func busyDelay(first time.Duration, n int) time.Duration {
	d := max(first, atLeast)
	longest := 15 * d
	for i := 1; i < n && d < longest; i++ {
		d += d / 2
	}
	return min(d, longest)
}

// worthAnotherTry tells whether an error that left the transfer intended may
// pass by itself: timeouts, and whatever classify.go calls retryable.
func worthAnotherTry(err error) bool {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return !app.NonRetryable()
	}
	return temporal.IsTimeoutError(err)
}

// refused parks with the vendor's reason; an operator who resumes sends again.
func (d *deprovision) refused(ctx workflow.Context, ref schema.StepRef, t activities.TransferStatus) (activities.TransferStatus, error) {
	message := "the vendor refused the transfer"
	if t.Reason != "" {
		message += ": " + t.Reason
	}
	if t.Code != "" {
		message += " (" + t.Code + ")"
	}
	cause := schema.Cause{
		Code: schema.ParkTransferRefused, Step: schema.StepTransfer, Message: message,
		Fix: "mend what the vendor names, then resume: the request was refused, so sending it again is safe",
	}
	if t.Cause == schema.RefusedInactiveSource {
		cause.Code = schema.ParkInactiveRefused
		cause.Fix = "let the account be active for the time of the call: sendoff cases resume --reactivate; or activate it at the vendor, then resume"
	}
	if !t.MayOpen {
		stopped, err := d.park(ctx, cause)
		if err != nil || stopped {
			return t, stoppedError(err)
		}
	}
	return d.sendAnew(ctx, ref)
}

// sendAnew brings a refused transfer back into its lane.
func (d *deprovision) sendAnew(ctx workflow.Context, ref schema.StepRef) (activities.TransferStatus, error) {
	if t, err := rearmTransfer(ctx, ref); err != nil {
		return t, err
	}
	return enterTransfer(ctx, ref)
}

// stalled parks with how much is missing; an operator who resumes watches on, or
// lets it be sent again.
func (d *deprovision) stalled(ctx workflow.Context, ref schema.StepRef, t activities.TransferStatus) (activities.TransferStatus, error) {
	stopped, err := d.park(ctx, schema.Cause{
		Code: schema.ParkTransferStalled, Step: schema.StepTransfer,
		Message: "nothing moved any more and the transfer is not proven; the case's report lists what is missing",
		Fix:     "look at the vendor whether the transfer still runs; resume to watch on, resume --send-again when it surely does not, or waive the transfer",
	})
	if err != nil || stopped {
		return t, stoppedError(err)
	}
	if t, err = reopenTransfer(ctx, ref); err == nil && t.State == schema.TransferWaiting {
		t, err = enterTransfer(ctx, ref) // sent again, and its lane is somebody else's now
	}
	return t, err
}
