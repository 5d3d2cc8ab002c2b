package workflows

import (
	"go.temporal.io/sdk/workflow"

	"sendoff/schema"
)

// PollSourceInput names the source to ask.
type PollSourceInput struct {
	SourceID schema.SourceID `json:"source_id"`
}

// PollSource asks a source's API what changed, and again when told meanwhile. What
// a poll fails for is kept at the source; the next one is due by its interval.
func PollSource(ctx workflow.Context, in PollSourceInput) error {
	told := workflow.GetSignalChannel(ctx, SignalLook)
	for {
		drain(told)
		if err := pollSource(ctx, in.SourceID); err != nil {
			if err := giveUpPoll(ctx, in.SourceID); err != nil {
				return err
			}
		}
		switch {
		case told.Len() > 0 && workflow.GetInfo(ctx).GetContinueAsNewSuggested():
			return workflow.NewContinueAsNewError(ctx, PollSource, in)
		case told.Len() == 0:
			return nil
		}
	}
}
