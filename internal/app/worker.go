package app

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/workflows"
)

// stopTimeout is how long a stopping worker lets activities end; a transfer call
// uses most of it (activities.SendTransfer).
const stopTimeout = 60 * time.Second

// concurrentTransfers bounds transfer calls at once in one worker: each holds a
// connection for minutes and does nothing meanwhile.
const concurrentTransfers = 200

// RunWorker carries out workflows and activities until ctx ends. A stop waits
// for running activities, transfers for up to 45 s.
func (e *Engine) RunWorker(ctx context.Context) error { return e.runWorker(ctx, nil) }

// runWorker is RunWorker with a listener for the process's own pages, or nil.
func (e *Engine) runWorker(ctx context.Context, pages net.Listener) error {
	temporal, err := e.dial(ctx, "worker")
	if err != nil {
		return fmt.Errorf("cannot reach Temporal: %w", err)
	}
	defer temporal.Close()
	ready := &readiness{store: e.store, keys: e.keys, temporal: temporal, polling: &atomic.Bool{}}
	defer e.servePages(pages, ready)()
	fatal := make(chan error, 4) // one each
	workers := e.workers(temporal, fatal)
	for i, w := range workers {
		if err := w.Start(); err != nil {
			stopAll(workers[:i])
			return fmt.Errorf("cannot start the worker: %w", err)
		}
	}
	ready.polling.Store(true)
	e.log.Info("worker is up", zap.String("queue", workflows.QueueEngine))
	select {
	case <-ctx.Done():
	case err = <-fatal:
		// A worker that polls no more is no use: the process ends and is started again.
		e.log.Error("the worker cannot go on", zap.Error(err))
		err = fmt.Errorf("the worker cannot go on: %w", err)
	}
	ready.draining.Store(true)
	e.log.Info("worker drains: no new work, running activities may end", zap.Duration("at_most", stopTimeout))
	stopAll(workers)
	e.log.Info("worker has stopped")
	return err
}

// workers are those of the task queues.
func (e *Engine) workers(temporal client.Client, fatal chan<- error) []worker.Worker {
	around := append(slices.Clone(e.ports.Interceptors), e.telemetry.ActivityInterceptor(), &activityLog{log: e.log, plans: e.store})
	options := func(activitiesAtOnce int) worker.Options {
		return worker.Options{
			Interceptors: around, WorkerStopTimeout: stopTimeout, MaxConcurrentActivityExecutionSize: activitiesAtOnce,
			OnFatalError: func(err error) { fatal <- err },
		}
	}
	return []worker.Worker{
		e.newEngineWorker(temporal, options(100)), newSuspendWorker(temporal, e.acts, options(50)),
		newTransferWorker(temporal, e.acts, options(concurrentTransfers)), e.newInventoryWorker(temporal, options(concurrentRuns)),
	}
}

// stopAll stops workers side by side and waits for them.
func stopAll(workers []worker.Worker) {
	stopped := make(chan struct{})
	for _, w := range workers {
		go func() { w.Stop(); stopped <- struct{}{} }()
	}
	for range workers {
		<-stopped
	}
}

// newEngineWorker returns the worker for workflows and short activities.
func (e *Engine) newEngineWorker(c client.Client, o worker.Options) worker.Worker {
	w := worker.New(c, workflows.QueueEngine, o)
	e.registerEngine(w)
	return w
}

func (e *Engine) registerEngine(w worker.Registry) {
	workflows.Register(w)
	w.RegisterActivity(e.acts)
	w.RegisterActivity(e.hr.leavers)
	w.RegisterActivity(e.hr.deliveries)
	w.RegisterActivity(e.reviews)
	w.RegisterActivity(e.campaigns)
}

// newSuspendWorker returns the worker for what shuts an account.
func newSuspendWorker(c client.Client, acts *activities.Activities, o worker.Options) worker.Worker {
	o.DisableWorkflowWorker = true
	w := worker.New(c, workflows.QueueSuspend, o)
	w.RegisterActivityWithOptions(acts.Snapshot, activity.RegisterOptions{Name: "Snapshot"})
	w.RegisterActivityWithOptions(acts.Suspend, activity.RegisterOptions{Name: "Suspend"})
	w.RegisterActivityWithOptions(acts.RevokeSessions, activity.RegisterOptions{Name: "RevokeSessions"})
	return w
}

// newTransferWorker returns the worker for the calls that last minutes.
func newTransferWorker(c client.Client, acts *activities.Activities, o worker.Options) worker.Worker {
	o.DisableWorkflowWorker = true
	w := worker.New(c, workflows.QueueTransfer, o)
	w.RegisterActivityWithOptions(acts.SendTransfer, activity.RegisterOptions{Name: "SendTransfer"})
	return w
}

var _ interceptor.WorkerInterceptor = (*activityLog)(nil)
