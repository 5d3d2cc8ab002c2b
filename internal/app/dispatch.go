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

// dispatchBatch is how many rows one round takes.
const dispatchBatch = 50

// dispatchers is how many rows a server dispatches at once: telling a workflow
// without a worker takes its whole time, and others must not wait for it.
const dispatchers = 4

// dispatchEvery is how often the outbox is looked at without a wake-up: the
// notification of a row may be lost with a connection.
const dispatchEvery = time.Second

// outbox is the part of the store the dispatcher needs.
type outbox interface {
	// ClaimOutbox takes due rows, calls fn for each, and marks those dispatched
	// for which it returns nil.
	ClaimOutbox(ctx context.Context, limit int, fn func(context.Context, schema.OutboxRow) error) (int, error)
	// WaitOutbox returns when a row was written, or after the time given.
	WaitOutbox(ctx context.Context, atMost time.Duration) error
	// StillOpen tells whether what a row is about, its plan or else its case, has
	// not ended.
	StillOpen(ctx context.Context, row schema.OutboxRow) (bool, error)
	// UnparkBehind lets a plan go on that was parked for nothing but its row being
	// behind a workflow that was ended.
	UnparkBehind(ctx context.Context, id schema.PlanID) (schema.Plan, error)
}

// dispatcher carries what the database decided to Temporal. Any number may run.
type dispatcher struct {
	rows      outbox
	temporal  client.Client
	policies  policyTeller
	campaigns campaignTeller
	log       *zap.Logger
}

// run dispatches until looking ends, and what it took by then until ctx ends. Errors
// are waited out: the rows stay.
func (d *dispatcher) run(ctx, looking context.Context) error {
	for looking.Err() == nil {
		n, err := d.rows.ClaimOutbox(ctx, dispatchBatch, d.dispatch)
		if err != nil && ctx.Err() == nil {
			d.log.Warn("outbox could not be read", zap.Error(err))
		}
		if n > 0 && err == nil {
			continue
		}
		if err := d.rows.WaitOutbox(looking, dispatchEvery); err != nil && looking.Err() == nil {
			select {
			case <-looking.Done():
			case <-time.After(dispatchEvery):
			}
		}
	}
	return nil
}

func (d *dispatcher) dispatch(ctx context.Context, row schema.OutboxRow) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	switch row.Kind {
	case schema.OutboxStartCase:
		_, err := temporalx.Start(ctx, d.temporal, client.StartWorkflowOptions{
			ID: workflows.OffboardingID(row.CaseID), TaskQueue: workflows.QueueEngine,
		}, workflows.Offboarding, workflows.OffboardingInput{CaseID: row.CaseID})
		if errors.Is(err, temporalx.ErrAlreadyStarted) {
			return nil // a row whose mark was lost with our process
		}
		return err
	case schema.OutboxDecision:
		return d.orRevive(ctx, row, temporalx.Update(ctx, d.temporal, temporalx.UpdateRequest{
			WorkflowID: workflowOf(row), Name: workflows.UpdateDecide, UpdateID: string(row.DecisionID),
			Arg: workflows.DecideInput{DecisionID: row.DecisionID}, Until: temporalx.UntilAccepted,
		}))
	case schema.OutboxLane:
		return d.orRevive(ctx, row, temporalx.Signal(ctx, d.temporal, workflows.DeprovisionID(row.PlanID), workflows.SignalLane, nil))
	case schema.OutboxRestart:
		return d.restart(ctx, row)
	case schema.OutboxStartRun:
		return d.startRun(ctx, row)
	case schema.OutboxLeaver, schema.OutboxPoll, schema.OutboxNotice:
		return d.tellFlow(ctx, row)
	case schema.OutboxPolicy, schema.OutboxReview:
		return d.policies.tell(ctx, row)
	case schema.OutboxAccessReview, schema.OutboxCampaign:
		return d.campaigns.tell(ctx, row)
	default:
		return errors.New("outbox row of a kind this release does not know")
	}
}

// orRevive starts the workflow of an open plan or case anew when there is none
// to tell: it was terminated, or lost with its server. The new run reads in the
// row what was decided and where to go on. What has ended needs no telling.
func (d *dispatcher) orRevive(ctx context.Context, row schema.OutboxRow, err error) error {
	if !errors.Is(err, temporalx.ErrClosed) && !errors.Is(err, temporalx.ErrNotFound) {
		return err
	}
	open, err := d.rows.StillOpen(ctx, row)
	if err != nil || !open {
		return err
	}
	d.log.Warn("a workflow that should run did not, starting it anew", zap.String("workflow_id", workflowOf(row)))
	return d.startAnew(ctx, row)
}

func workflowOf(row schema.OutboxRow) string {
	if row.PlanID != "" {
		return workflows.DeprovisionID(row.PlanID)
	}
	return workflows.OffboardingID(row.CaseID)
}
