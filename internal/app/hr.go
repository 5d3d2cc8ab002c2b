package app

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

const (
	// applyEvery is how often the inbox is looked at without a wake-up.
	applyEvery = 2 * time.Second
	// applyPatience is how long after a failure.
	applyPatience = 5 * time.Second
	// feedsEvery is how often sources are looked after: polls that are due, feeds
	// that are silent.
	feedsEvery = 5 * time.Second
	// rejudgeEvery is how often the leavers that have not ended are judged again: an
	// employment begins without an event.
	rejudgeEvery = time.Hour
	// pollsAtOnce is how many polls are started at a time.
	pollsAtOnce = 20
	// sweepAfter is how long a leaver may wait without a case before it is told to be
	// looked at: its workflow may have been ended by somebody. Longer than any of its
	// own waits.
	sweepAfter = 26 * time.Hour
	// pruneAtOnce is how many rows of budgets are deleted in one transaction, and
	// pruneTimes how many such in an hour.
	pruneAtOnce = 2000
	pruneTimes  = 20
	// rejudgeAtOnce is how many leavers are judged in one transaction, which the store
	// bounds.
	rejudgeAtOnce = 500
)

// inbox is the part of the store that keeps what sources told.
type inbox interface {
	// ApplyEvents applies what one source told and nobody applied yet, in one
	// transaction; false = there was nothing.
	ApplyEvents(ctx context.Context, judge schema.LeaverJudge) (schema.Applied, bool, error)
	// WaitEvents returns when an event was accepted, or after the time given.
	WaitEvents(ctx context.Context, atMost time.Duration) error
}

// feeds is the part of the store that looks after sources.
type feeds interface {
	// StartDuePolls queues the polls that are due; any number of servers may ask.
	StartDuePolls(ctx context.Context, limit int) (int, error)
	// CheckRhythms raises an alarm for each source that is silent for too long.
	CheckRhythms(ctx context.Context) (int, error)
	// RejudgeLeavers judges the leavers again that have not ended.
	RejudgeLeavers(ctx context.Context, judge schema.LeaverJudge, limit int) (schema.Applied, error)
	// SweepLeavers tells leavers that wait without a working case to be looked at.
	SweepLeavers(ctx context.Context, idle time.Duration) (int, error)
	// PruneBudgets deletes up to limit rows that no budget counts any more.
	PruneBudgets(ctx context.Context, limit int) (int, error)
}

// applyEvents applies events until ctx ends. Errors are waited out: the events stay.
func applyEvents(ctx context.Context, in inbox, judge schema.LeaverJudge, log *zap.Logger) error {
	for ctx.Err() == nil {
		done, more, err := in.ApplyEvents(ctx, judge)
		switch {
		case err != nil && ctx.Err() == nil:
			log.Warn("events could not be applied, trying again", zap.Error(err))
			pause(ctx, applyPatience)
			continue
		case done.Events > 0:
			log.Info("events applied", zap.Int("events", done.Events), zap.Int("leavers", done.Leavers), zap.Int("held", done.Held))
		}
		if more {
			continue
		}
		if err := in.WaitEvents(ctx, applyEvery); err != nil {
			pause(ctx, applyEvery)
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// keepFeeds looks after sources until ctx ends; without schedules nobody is polled
// and nobody is silent.
func keepFeeds(ctx context.Context, f feeds, judge schema.LeaverJudge, schedules bool, log *zap.Logger) error {
	tick := time.NewTicker(feedsEvery)
	defer tick.Stop()
	var judged time.Time
	for {
		var errs []error
		if schedules {
			_, polls := f.StartDuePolls(ctx, pollsAtOnce)
			_, silent := f.CheckRhythms(ctx)
			errs = append(errs, polls, silent)
		}
		if time.Since(judged) > rejudgeEvery {
			judged = time.Now()
			_, err := f.RejudgeLeavers(ctx, judge, rejudgeAtOnce)
			_, swept := f.SweepLeavers(ctx, sweepAfter)
			errs = append(errs, err, swept, pruneBudgets(ctx, f))
		}
		if err := errors.Join(errs...); err != nil && ctx.Err() == nil {
			log.Warn("sources could not be looked after, trying again", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// pruneBudgets deletes what no budget counts any more, in bounded pieces; what is left
// is for the next hour.
func pruneBudgets(ctx context.Context, f feeds) error {
	for range pruneTimes {
		if n, err := f.PruneBudgets(ctx, pruneAtOnce); err != nil || n < pruneAtOnce {
			return err
		}
	}
	return nil
}

// tellFlow starts the workflow of a leaver, a poll or a notice, or tells it to look
// again: it reads where it stands.
func (d *dispatcher) tellFlow(ctx context.Context, row schema.OutboxRow) error {
	tell := func(id string, flow, input any) error {
		return temporalx.Tell(ctx, d.temporal, client.StartWorkflowOptions{ID: id, TaskQueue: workflows.QueueEngine}, workflows.SignalLook, flow, input)
	}
	switch row.Kind {
	case schema.OutboxLeaver:
		return tell(workflows.LeaverFlowID(row.LeaverID), workflows.Leaver, workflows.LeaverInput{LeaverID: row.LeaverID})
	case schema.OutboxPoll:
		return tell(workflows.PollID(row.SourceID), workflows.PollSource, workflows.PollSourceInput{SourceID: row.SourceID})
	default:
		return tell(workflows.NoticeFlowID(row.NoticeID), workflows.DeliverNotice, workflows.DeliverNoticeInput{NoticeID: row.NoticeID})
	}
}
