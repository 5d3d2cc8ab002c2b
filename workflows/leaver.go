package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"sendoff/activities"
	"sendoff/schema"
)

// LeaverInput names the leaver to look after.
type LeaverInput struct {
	LeaverID schema.LeaverID `json:"leaver_id"`
}

// lookAgain is how long after a failure a leaver is looked at again: nobody is
// forgotten because a vendor was down for a day.
const lookAgain = 10 * time.Minute

// Leaver brings a leaver's case in line with what HR wants, again and again, until
// the leaver has ended. What HR wants is in the database; a signal tells that it
// changed.
func Leaver(ctx workflow.Context, in LeaverInput) error {
	told := workflow.GetSignalChannel(ctx, SignalLook)
	for {
		drain(told)
		r, err := settleLeaver(ctx, in.LeaverID)
		if err != nil {
			workflow.GetLogger(ctx).Warn("a leaver could not be settled, trying again", "leaver_id", in.LeaverID)
			r = activities.LeaverResult{Wait: lookAgain}
		}
		switch {
		case r.Ended && told.Len() == 0:
			return nil
		case workflow.GetInfo(ctx).GetContinueAsNewSuggested() && told.Len() == 0:
			return workflow.NewContinueAsNewError(ctx, Leaver, in)
		}
		if err := sleepUntilTold(ctx, told, r); err != nil {
			return err
		}
	}
}

// drain takes the signals that have come: one look answers all of them.
func drain(told workflow.ReceiveChannel) {
	for told.ReceiveAsync(nil) {
	}
}

// sleepUntilTold waits for the result's time, or shorter when told; without a time
// until told.
func sleepUntilTold(ctx workflow.Context, told workflow.ReceiveChannel, r activities.LeaverResult) error {
	came := func() bool { return told.Len() > 0 }
	if r.Wait <= 0 {
		return workflow.Await(ctx, came)
	}
	_, err := workflow.AwaitWithTimeout(ctx, r.Wait, came)
	return err
}
