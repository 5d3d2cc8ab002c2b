package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sendoff/internal/temporalx"
)

// emptyQueue is the task queue of the empty workflows.
const emptyQueue = "bench-empty"

// shape is how many activities a workflow and then its child run, one after the
// other, and whether the child sleeps once.
type shape struct {
	Parent int           `json:"parent"`
	Child  int           `json:"child"`
	Sleep  time.Duration `json:"sleep"`
}

// emptyCase is a workflow of the shape of a case in which nothing happens.
func emptyCase(ctx workflow.Context, run string, s shape) error {
	if err := nothing(ctx, run, s.Parent); err != nil {
		return err
	}
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: "empty-plan/" + run, TaskQueue: emptyQueue, ParentClosePolicy: enums.PARENT_CLOSE_POLICY_ABANDON,
	})
	return workflow.ExecuteChildWorkflow(child, emptyPlan, run, s).Get(ctx, nil)
}

func emptyPlan(ctx workflow.Context, run string, s shape) error {
	if s.Sleep > 0 {
		if err := workflow.Sleep(ctx, s.Sleep); err != nil {
			return err
		}
	}
	return nothing(ctx, run+"/last", s.Child)
}

func nothing(ctx workflow.Context, run string, times int) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{TaskQueue: emptyQueue, StartToCloseTimeout: time.Minute})
	for range times {
		if err := workflow.ExecuteActivity(ctx, "Nothing", run).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// empties runs empty workflows on the same server, in the same namespace and with
// the same encrypting codec as the product, on a worker of this process with the
// SDK's defaults, which the product's worker uses too.
type empties struct {
	client client.Client
	worker worker.Worker
	mu     sync.Mutex
	last   map[string]time.Time // when a run last did nothing
}

func (in *installation) startEmpties(ctx context.Context) (*empties, error) {
	c, err := temporalx.Dial(ctx, in.temporal())
	if err != nil {
		return nil, err
	}
	e := &empties{client: c, last: map[string]time.Time{}}
	e.worker = worker.New(c, emptyQueue, worker.Options{})
	e.worker.RegisterWorkflow(emptyCase)
	e.worker.RegisterWorkflow(emptyPlan)
	e.worker.RegisterActivity(e)
	if err := e.worker.Start(); err != nil {
		c.Close()
		return nil, err
	}
	in.ends = append(in.ends, func() error { e.worker.Stop(); c.Close(); return nil })
	return e, nil
}

// Nothing is the activity that does nothing, and notes when.
func (e *empties) Nothing(_ context.Context, run string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last[run] = time.Now()
	return nil
}

// run runs one empty workflow and returns the time from the answer to its start to
// its last activity: as a case, it counts from when it was accepted.
func (e *empties) run(ctx context.Context, run string, s shape) (time.Duration, error) {
	w, err := temporalx.Start(ctx, e.client, client.StartWorkflowOptions{ID: "empty-case/" + run, TaskQueue: emptyQueue}, emptyCase, run, s)
	if err != nil {
		return 0, err
	}
	accepted := time.Now()
	if err := w.Get(ctx, nil); err != nil {
		return 0, fmt.Errorf("an empty workflow failed: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last[run+"/last"].Sub(accepted), nil
}
