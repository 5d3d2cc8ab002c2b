package app

import (
	"context"
	"fmt"
	"slices"
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
func (e *Engine) RunWorker(ctx context.Context) error {
	temporal, err := e.dial(ctx, "worker")
	if err != nil {
		return fmt.Errorf("cannot reach Temporal: %w", err)
	}
	defer temporal.Close()
	workers := []worker.Worker{NewEngineWorker(temporal, e.acts, e.log, e.ports.Interceptors...), NewTransferWorker(temporal, e.acts, e.log, e.ports.Interceptors...)}
	for i, w := range workers {
		if err := w.Start(); err != nil {
			for _, started := range workers[:i] {
				started.Stop()
			}
			return fmt.Errorf("cannot start the worker: %w", err)
		}
	}
	e.log.Info("worker is up", zap.String("queue", workflows.QueueEngine))
	<-ctx.Done()
	stopped := make(chan struct{})
	for _, w := range workers {
		go func() { w.Stop(); stopped <- struct{}{} }()
	}
	for range workers {
		<-stopped
	}
	e.log.Info("worker has stopped")
	return nil
}

// NewEngineWorker returns the worker for workflows and short activities.
func NewEngineWorker(c client.Client, acts *activities.Activities, log *zap.Logger, around ...interceptor.WorkerInterceptor) worker.Worker {
	w := worker.New(c, workflows.QueueEngine, worker.Options{
		Interceptors: append(slices.Clone(around), activities.Interceptor(log)), WorkerStopTimeout: stopTimeout,
		MaxConcurrentActivityExecutionSize: 100,
	})
	workflows.Register(w)
	w.RegisterActivity(acts)
	return w
}

// NewTransferWorker returns the worker for the calls that last minutes.
func NewTransferWorker(c client.Client, acts *activities.Activities, log *zap.Logger, around ...interceptor.WorkerInterceptor) worker.Worker {
	w := worker.New(c, workflows.QueueTransfer, worker.Options{
		Interceptors: append(slices.Clone(around), activities.Interceptor(log)), WorkerStopTimeout: stopTimeout,
		MaxConcurrentActivityExecutionSize: concurrentTransfers, DisableWorkflowWorker: true,
	})
	w.RegisterActivityWithOptions(acts.SendTransfer, activity.RegisterOptions{Name: "SendTransfer"})
	return w
}
