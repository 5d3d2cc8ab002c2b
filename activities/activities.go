package activities

import (
	"context"
	"time"

	"sendoff/connectors"
	"sendoff/internal/policy"
	"sendoff/schema"
)

// Activities carries what activities need; its exported methods are the
// activities of the engine's task queues.
type Activities struct {
	store      Store
	connectors Connectors
	planner    *Planner
	notifier   Notifier
	rechecker  Rechecker
	clocks     schema.Clocks
	now        func() time.Time
}

// Config is what New needs.
type Config struct {
	Store      Store
	Connectors Connectors
	Notifier   Notifier  // nil = notify steps park
	Rechecker  Rechecker // nil = plans of inactivity reviews park
	Clocks     schema.Clocks
	Now        func() time.Time // nil = time.Now
}

// New returns the activities over the ports given.
func New(cfg Config) *Activities {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Activities{
		store: cfg.Store, connectors: cfg.Connectors, notifier: cfg.Notifier, rechecker: cfg.Rechecker, clocks: cfg.Clocks, now: cfg.Now,
		planner: NewPlanner(cfg.Store, cfg.Connectors, cfg.Now),
	}
}

// work is a plan with the connection it acts on, opened.
type work struct {
	ref  schema.StepRef
	plan schema.Plan
	conn schema.Connection
	c    connectors.Connector
	// actor is who the connection acts as; nil until somebody asks.
	actor *policy.Actor
	// lastActive is the account's last use as the recheck found it; nil = not asked.
	lastActive *time.Time
}

// source is the vendor's id of the account the plan is for.
func (w work) source() schema.ExternalID { return w.plan.Facts.AccountID }

// begin makes the step current and opens the connection. It is the first thing
// every step's activity does, at every try, so that a stop or a pause is seen
// before the vendor is.
func (a *Activities) begin(ctx context.Context, ref schema.StepRef) (work, error) {
	plan, err := a.store.BeginStep(ctx, ref)
	if err != nil {
		return work{}, err
	}
	return a.open(ctx, ref, plan)
}

// beginOnce is begin for a step that one activity does whole. Done tells that an earlier
// try did it and its answer was lost on the way to Temporal: what has become of the
// vendor and of the connection since is nothing of the step's.
func (a *Activities) beginOnce(ctx context.Context, ref schema.StepRef) (w work, done bool, err error) {
	plan, err := a.store.BeginStep(ctx, ref)
	if err != nil {
		return work{}, false, err
	}
	if step, ok := plan.Step(ref.Index); ok && step.State.Finished() {
		return work{ref: ref, plan: plan}, true, nil
	}
	w, err = a.open(ctx, ref, plan)
	return w, false, err
}

func (a *Activities) open(ctx context.Context, ref schema.StepRef, plan schema.Plan) (work, error) {
	conn, err := a.store.Connection(ctx, plan.ConnectionID)
	if err != nil {
		return work{}, err
	}
	c, err := a.connectors.Open(ctx, conn)
	if err != nil {
		return work{}, err
	}
	return work{ref: ref, plan: plan, conn: conn, c: c}, nil
}

// actor reads who the connection acts as, once per activity, and compares its
// enterprise: a connection that was pointed elsewhere must judge nothing.
func (a *Activities) actor(ctx context.Context, w *work) (policy.Actor, error) {
	if w.actor != nil {
		return *w.actor, nil
	}
	id, err := w.c.Check(ctx)
	if err != nil {
		return policy.Actor{}, err
	}
	if id.EnterpriseID != w.plan.Facts.EnterpriseID {
		return policy.Actor{}, enterpriseRefusal()
	}
	w.actor = &policy.Actor{ExternalID: id.ExternalID, Role: id.Role, EnterpriseID: id.EnterpriseID, Service: id.Service}
	return *w.actor, nil
}

func enterpriseRefusal() error {
	return &Refusal{
		Code:    schema.ParkEnterprise,
		Message: "the connection's enterprise is not the one the plan was made for",
		Fix:     "restore the connection's credentials, then resume",
	}
}
