package workflows

import (
	"go.temporal.io/sdk/workflow"

	"sendoff/activities"
	"sendoff/schema"
)

// PollSourceInput names the source to ask.
type PollSourceInput struct {
	SourceID schema.SourceID `json:"source_id"`
}

// PollSource asks a source's API what changed, and again when told meanwhile. A
// poll that fails is told of by the database; the next one is due by the source's
// interval.
func PollSource(ctx workflow.Context, in PollSourceInput) error {
	told := workflow.GetSignalChannel(ctx, SignalLook)
	for {
		drain(told)
		err := pollSource(ctx, in.SourceID)
		switch {
		case told.Len() > 0 && workflow.GetInfo(ctx).GetContinueAsNewSuggested():
			return workflow.NewContinueAsNewError(ctx, PollSource, in)
		case told.Len() == 0:
			return err
		}
	}
}

// polls names the activities of polls, as acts does those of the engine.
var polls *activities.Polls

func pollSource(ctx workflow.Context, id schema.SourceID) error {
	_, err := call(ctx, poll(), polls.PollSource, activities.PollInput{SourceID: id})
	return err
}
