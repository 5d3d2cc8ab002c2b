package workflows

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sendoff/activities"
	"sendoff/schema"
)

// inventory is never set: it only names the activities of runs. This file is the
// one place that does.
var inventory *activities.Inventory

// records is for activities of runs that only touch Postgres.
func records() workflow.ActivityOptions {
	o := database()
	o.TaskQueue = QueueInventory
	return o
}

// look is for activities of runs that ask the vendor a few things. What fails for
// longer than its time is for the next run: a run is no place to wait in.
func look() workflow.ActivityOptions {
	o := vendor()
	o.TaskQueue, o.StartToCloseTimeout, o.ScheduleToCloseTimeout = QueueInventory, 10*time.Minute, time.Hour
	return o
}

// listAll is for listings, which go on at their page after each failure.
func listAll() workflow.ActivityOptions {
	o := look()
	o.StartToCloseTimeout, o.ScheduleToCloseTimeout = 12*time.Hour, 24*time.Hour
	return o
}

// publishing is for the one transaction that applies a sync.
func publishing() workflow.ActivityOptions {
	o := look()
	o.StartToCloseTimeout = 30 * time.Minute
	return o
}

func (r inventoryRun) input() activities.RunInput { return activities.RunInput{RunID: r.id} }

func (r inventoryRun) do(ctx workflow.Context, o workflow.ActivityOptions, fn func(context.Context, activities.RunInput) error) error {
	return run(ctx, o, fn, r.input())
}

func (r inventoryRun) examine(ctx workflow.Context) (activities.Examined, error) {
	return call(ctx, look(), inventory.Examine, r.input())
}

func (r inventoryRun) skip(ctx workflow.Context, d schema.Dataset, reason string) error {
	return run(ctx, records(), inventory.SkipDataset, activities.SkipInput{RunID: r.id, Dataset: d, Reason: reason})
}

func (r inventoryRun) skipActivity(ctx workflow.Context, reason string) error {
	return run(ctx, records(), inventory.SkipActivity, activities.SkipInput{RunID: r.id, Dataset: schema.DataActivity, Reason: reason})
}

func (r inventoryRun) listAccounts(ctx workflow.Context) error {
	return r.do(ctx, listAll(), inventory.ListAccounts)
}

func (r inventoryRun) listGroups(ctx workflow.Context) error {
	return r.do(ctx, listAll(), inventory.ListGroups)
}

func (r inventoryRun) listMemberships(ctx workflow.Context) error {
	return r.do(ctx, listAll(), inventory.ListMemberships)
}

func (r inventoryRun) listCollaborations(ctx workflow.Context) error {
	return r.do(ctx, listAll(), inventory.ListCollaborations)
}

func (r inventoryRun) checkAbsences(ctx workflow.Context) error {
	return r.do(ctx, listAll(), inventory.CheckAbsences)
}

func (r inventoryRun) publish(ctx workflow.Context) error {
	_, err := call(ctx, publishing(), inventory.Publish, r.input())
	return err
}

func (r inventoryRun) beginFeed(ctx workflow.Context) error {
	return r.do(ctx, look(), inventory.BeginFeed)
}

func (r inventoryRun) readPast(ctx workflow.Context) error {
	return r.do(ctx, listAll(), inventory.ReadPast)
}

func (r inventoryRun) readLive(ctx workflow.Context) error {
	return r.do(ctx, listAll(), inventory.ReadLive)
}

func (r inventoryRun) end(ctx workflow.Context, to schema.RunState, cause *schema.RunCause) error {
	return run(ctx, records(), inventory.EndRun, activities.EndRunInput{RunID: r.id, State: to, Cause: cause})
}

// tellOwner tries for an hour. A mail server that is down longer is told of by the
// next run.
func (r inventoryRun) tellOwner(ctx workflow.Context) error {
	err := r.do(ctx, look(), inventory.TellOwner)
	if temporal.IsCanceledError(err) {
		return err
	}
	return nil
}

// refusedByVendor tells whether the vendor refused an activity of a run.
func refusedByVendor(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && (app.Type() == activities.TypeUnauthorized || app.Type() == activities.TypeForbidden)
}

// causeOfRun is why a run failed, from the error of one of its activities.
func causeOfRun(err error) *schema.RunCause {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		return &schema.RunCause{
			Code: string(schema.ProbeBaseURLUnreachable), Message: "the vendor gave no answer within the time allowed",
			Fix: "sendoff connections test; the next run begins by itself",
		}
	}
	cause := &schema.RunCause{Code: schema.CauseListing, Message: app.Message(), Fix: "sendoff connections test; the next run begins by itself"}
	switch app.Type() {
	case activities.TypeUnauthorized, activities.TypeForbidden:
		cause.Code = string(schema.ProbeAccessRefused)
	case activities.TypeUnavailable:
		cause.Code = string(schema.ProbeBaseURLUnreachable)
	case activities.TypeRateLimited:
		cause.Code = string(schema.ProbeRateExhausted)
	case activities.TypeMalformed:
		cause.Code = string(schema.ProbeMalformed)
	case activities.TypeRefusal:
		cause.Code = string(schema.ProbeEnterpriseMismatch)
	case activities.TypeOf(schema.CodeInternal):
		cause.Code, cause.Fix = schema.CauseInternal, "see the worker's log"
	case activities.TypeOf(schema.CodeClosed):
		cause.Fix = "enable the connection"
	}
	return cause
}
