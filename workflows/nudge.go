package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"sendoff/schema"
)

// nudges counts the messages a workflow got. Handlers only count; the main line
// waits on the count and reads the database to learn what was decided.
type nudges struct {
	decided int // decisions told
	woken   int // lane signals
	seen    int // decisions the main line has looked at
	seenUp  int // lane signals it has looked at
}

// listen installs the handlers. A decision told twice has one update id and is
// answered once by Temporal.
func (n *nudges) listen(ctx workflow.Context) error {
	workflow.Go(ctx, func(ctx workflow.Context) {
		ch := workflow.GetSignalChannel(ctx, SignalLane)
		for ch.Receive(ctx, nil) {
			n.woken++
		}
	})
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateDecide,
		func(ctx workflow.Context, in DecideInput) error {
			n.decided++
			return nil
		},
		workflow.UpdateHandlerOptions{Validator: func(in DecideInput) error {
			if in.DecisionID == "" {
				return &schema.Error{Code: schema.CodeInvalid, Message: "the decision has no id"}
			}
			return nil
		}})
}

// awaitDecision waits until a decision is told that was not looked at yet.
func (n *nudges) awaitDecision(ctx workflow.Context) error {
	err := workflow.Await(ctx, func() bool { return n.decided > n.seen })
	n.seen = n.decided
	return err
}

// sleep waits for the duration, or shorter when a decision is told.
func (n *nudges) sleep(ctx workflow.Context, d time.Duration) error {
	_, err := workflow.AwaitWithTimeout(ctx, d, func() bool { return n.decided > n.seen })
	n.seen = n.decided
	return err
}

// sleepInLane waits for the duration, or shorter when the lane may be free or a
// decision is told.
func (n *nudges) sleepInLane(ctx workflow.Context, d time.Duration) error {
	_, err := workflow.AwaitWithTimeout(ctx, d, func() bool { return n.decided > n.seen || n.woken > n.seenUp })
	n.seen, n.seenUp = n.decided, n.woken
	return err
}
