package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

const (
	// dueEvery is how often a server looks for runs that are due.
	dueEvery = 5 * time.Second
	// dueAtOnce is how many it starts at a time.
	dueAtOnce = 50
	// idleRun is how long a run may be open before its workflow is looked for: one
	// that was lost with its server is started anew, and goes on at its page.
	idleRun = 15 * time.Minute
	// concurrentRuns bounds the activities of runs in one worker.
	concurrentRuns = 20
)

// newInventoryWorker returns the worker for the activities of runs.
func (e *Engine) newInventoryWorker(c client.Client, o worker.Options) worker.Worker {
	o.DisableWorkflowWorker = true
	w := worker.New(c, workflows.QueueInventory, o)
	e.registerInventory(w)
	return w
}

func (e *Engine) registerInventory(w worker.Registry) {
	w.RegisterActivity(e.inventory)
	w.RegisterActivity(e.hr.polls)
}

// dueRuns is the part of the store that says which runs are due.
type dueRuns interface {
	// StartDueRuns makes the runs that are due by their connections' schedules,
	// with their outbox rows; any number of servers may ask.
	StartDueRuns(ctx context.Context, limit int) ([]schema.Run, error)
	// RequeueRuns writes the outbox rows of open runs anew that were not looked at
	// for a while.
	RequeueRuns(ctx context.Context, idle time.Duration) (int, error)
	// PruneRuns forgets what ended runs leave behind.
	PruneRuns(ctx context.Context) error
}

// runDue looks after runs until ctx ends: it starts those that are due, if
// schedules are kept here, and those that were lost.
func runDue(ctx context.Context, runs dueRuns, schedules bool, log *zap.Logger) error {
	tick := time.NewTicker(dueEvery)
	defer tick.Stop()
	var pruned time.Time
	for {
		var errs []error
		if schedules {
			_, err := runs.StartDueRuns(ctx, dueAtOnce)
			errs = append(errs, err)
		}
		_, err := runs.RequeueRuns(ctx, idleRun)
		errs = append(errs, err)
		if time.Since(pruned) > time.Hour {
			pruned = time.Now()
			errs = append(errs, runs.PruneRuns(ctx))
		}
		if err := errors.Join(errs...); err != nil && ctx.Err() == nil {
			log.Warn("runs could not be looked after, trying again", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// startRun starts the workflow of a run, anew if it was lost: it reads where it
// stands.
func (d *dispatcher) startRun(ctx context.Context, row schema.OutboxRow) error {
	flows := map[schema.RunKind]any{
		schema.RunSync: workflows.Sync, schema.RunActivity: workflows.CollectActivity, schema.RunProbe: workflows.Probe,
	}
	flow, known := flows[row.RunKind]
	if !known {
		return fmt.Errorf("outbox row of a kind of run this release does not know")
	}
	_, err := temporalx.Restart(ctx, d.temporal, client.StartWorkflowOptions{
		ID: workflows.RunID(row.RunKind, row.RunID), TaskQueue: workflows.QueueEngine,
	}, flow, workflows.RunInput{RunID: row.RunID})
	if errors.Is(err, temporalx.ErrAlreadyStarted) {
		return nil
	}
	return err
}
