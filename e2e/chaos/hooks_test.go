package chaos_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"sync"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/internal/app"
	"sendoff/internal/web"
	"sendoff/schema"
)

// passing is what a child tells the test: somebody's work is at a point. It goes
// on when the test answers.
type passing struct {
	Process string            `json:"process"`
	Point   string            `json:"point"`
	Account schema.ExternalID `json:"account,omitempty"` // of leaver or receiver, or
	Email   string            `json:"email,omitempty"`
}

// hooks stand before the ports and report the points that work passes. It goes
// on when tell returns.
type hooks struct {
	tell  func(context.Context, passing)
	inner activities.Store
	plans sync.Map // plan id -> outline
}

// childHooks report to the test at a URL. A test that cannot be reached has ended.
func childHooks(process, url string) *hooks {
	client := &http.Client{}
	return &hooks{tell: func(ctx context.Context, p passing) {
		p.Process = process
		body, err := json.Marshal(p)
		if err != nil {
			panic(err)
		}
		// Not the call's own context: a hold may outlast the call's deadline, and a
		// real stall in the middle of it would not end with that either.
		req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			panic(err)
		}
		if res, err := client.Do(req); err == nil {
			_ = res.Body.Close()
		}
	}}
}

// outline is what a point needs to know of a plan.
type outline struct {
	account schema.ExternalID
	steps   []schema.Step
}

func (h *hooks) plan(ctx context.Context, id schema.PlanID) (outline, bool) {
	if known, ok := h.plans.Load(id); ok {
		return known.(outline), true
	}
	p, err := h.inner.Plan(ctx, id)
	if err != nil {
		return outline{}, false
	}
	o := outline{p.Facts.AccountID, p.Steps}
	h.plans.Store(id, o)
	return o, true
}

func (h *hooks) atPlan(ctx context.Context, id schema.PlanID, point string) {
	if p, ok := h.plan(ctx, id); ok {
		h.tell(ctx, passing{Point: point, Account: p.account})
	}
}

func (h *hooks) atStep(ctx context.Context, ref schema.StepRef, method, when string) {
	p, ok := h.plan(ctx, ref.PlanID)
	if ok && ref.Index >= 0 && ref.Index < len(p.steps) {
		h.tell(ctx, passing{Point: "store." + method + "." + string(p.steps[ref.Index].Kind) + "." + when, Account: p.account})
	}
}

// store reports the boundaries of steps and of what they record. Methods that
// are not overridden pass.
func (h *hooks) store(s activities.Store) activities.Store {
	h.inner = s
	return &hookedStore{Store: s, h: h}
}

type hookedStore struct {
	activities.Store
	h *hooks
}

func (s *hookedStore) BeginStep(ctx context.Context, ref schema.StepRef) (schema.Plan, error) {
	p, err := s.Store.BeginStep(ctx, ref)
	s.h.atStep(ctx, ref, "BeginStep", "after")
	return p, err
}

func (s *hookedStore) CompleteStep(ctx context.Context, ref schema.StepRef, state schema.StepState, proof map[string]string) error {
	s.h.atStep(ctx, ref, "CompleteStep", "before")
	err := s.Store.CompleteStep(ctx, ref, state, proof)
	s.h.atStep(ctx, ref, "CompleteStep", "after")
	return err
}

func (s *hookedStore) IntendWrite(ctx context.Context, ref schema.StepRef, w schema.VendorWrite) error {
	s.h.atPlan(ctx, ref.PlanID, "store.IntendWrite."+w.Op+".before")
	err := s.Store.IntendWrite(ctx, ref, w)
	s.h.atPlan(ctx, ref.PlanID, "store.IntendWrite."+w.Op+".after")
	return err
}

func (s *hookedStore) RecordOutcome(ctx context.Context, id schema.PlanID, w schema.VendorWrite) error {
	s.h.atPlan(ctx, id, "store.RecordOutcome."+w.Op+".before")
	return s.Store.RecordOutcome(ctx, id, w)
}

func (s *hookedStore) EnterLane(ctx context.Context, ref schema.StepRef, t schema.Transfer) (schema.Transfer, error) {
	after, err := s.Store.EnterLane(ctx, ref, t)
	s.h.atPlan(ctx, ref.PlanID, "store.EnterLane.after")
	return after, err
}

func (s *hookedStore) MarkSent(ctx context.Context, ref schema.StepRef, receiver schema.ExternalID) (schema.Transfer, error) {
	s.h.atPlan(ctx, ref.PlanID, beforeMarkSent)
	after, err := s.Store.MarkSent(ctx, ref, receiver)
	s.h.atPlan(ctx, ref.PlanID, afterMarkSent)
	return after, err
}

func (s *hookedStore) RecordTransferOutcome(ctx context.Context, ref schema.StepRef, o schema.TransferOutcome) (schema.Transfer, error) {
	s.h.atPlan(ctx, ref.PlanID, beforeOutcome)
	after, err := s.Store.RecordTransferOutcome(ctx, ref, o)
	s.h.atPlan(ctx, ref.PlanID, "store.RecordTransferOutcome.after")
	return after, err
}

func (s *hookedStore) RecordTransferRead(ctx context.Context, ref schema.StepRef, r schema.TransferRead) (schema.Transfer, error) {
	s.h.atPlan(ctx, ref.PlanID, "store.RecordTransferRead.before")
	return s.Store.RecordTransferRead(ctx, ref, r)
}

func (s *hookedStore) ConcludeTransfer(ctx context.Context, ref schema.StepRef, to schema.TransferState, proof map[string]string) (schema.Transfer, error) {
	s.h.atPlan(ctx, ref.PlanID, "store.ConcludeTransfer.before")
	after, err := s.Store.ConcludeTransfer(ctx, ref, to, proof)
	s.h.atPlan(ctx, ref.PlanID, "store.ConcludeTransfer.after")
	return after, err
}

func (s *hookedStore) EndPlan(ctx context.Context, id schema.PlanID, to schema.PlanState) error {
	s.h.atPlan(ctx, id, "store.EndPlan.before")
	err := s.Store.EndPlan(ctx, id, to)
	s.h.atPlan(ctx, id, "store.EndPlan.after")
	return err
}

// connectors reports points between calls of the vendor; those inside them are
// the gate's.
func (h *hooks) connectors(c activities.Connectors) activities.Connectors {
	return hookedConnectors{c, h}
}

type hookedConnectors struct {
	activities.Connectors
	h *hooks
}

func (c hookedConnectors) Open(ctx context.Context, conn schema.Connection) (connectors.Connector, error) {
	open, err := c.Connectors.Open(ctx, conn)
	if b, ok := open.(*box.Connector); ok && err == nil {
		return &hookedBox{b, c.h}, nil
	}
	return open, err
}

// hookedBox has every capability of the connector in it.
type hookedBox struct {
	*box.Connector
	h *hooks
}

func (b *hookedBox) RootItems(ctx context.Context, owner schema.ExternalID) ([]schema.Witness, int, error) {
	items, foreign, err := b.Connector.RootItems(ctx, owner)
	b.h.tell(ctx, passing{Point: "box.RootItems.after", Account: owner})
	return items, foreign, err
}

func (b *hookedBox) LocateWitness(ctx context.Context, receiver schema.ExternalID, item schema.Witness) (schema.WitnessPlace, error) {
	b.h.tell(ctx, passing{Point: "box.LocateWitness.before", Account: receiver})
	return b.Connector.LocateWitness(ctx, receiver, item)
}

// api reports when a case is written.
func (h *hooks) api(s web.Store) web.Store { return &hookedAPI{s, h} }

type hookedAPI struct {
	web.Store
	h *hooks
}

func (a *hookedAPI) CreateCases(ctx context.Context, drafts []schema.Draft, by schema.Principal) ([]schema.Case, error) {
	at := func(point string) {
		for _, d := range drafts {
			a.h.tell(ctx, passing{Point: point, Email: d.Request.Email})
		}
	}
	at(beforeCreate)
	cases, err := a.Store.CreateCases(ctx, drafts, by)
	at(afterCreate)
	return cases, err
}

// outbox reports when Temporal is about to be told of a case, and when it has
// been and the row does not say so yet.
func (h *hooks) outbox(o app.Outbox) app.Outbox { return &hookedOutbox{o, h} }

type hookedOutbox struct {
	app.Outbox
	h *hooks
}

func (o *hookedOutbox) ClaimOutbox(ctx context.Context, limit int, fn func(context.Context, schema.OutboxRow) error) (int, error) {
	return o.Outbox.ClaimOutbox(ctx, limit, func(ctx context.Context, row schema.OutboxRow) error {
		if row.Kind != schema.OutboxStartCase {
			return fn(ctx, row)
		}
		o.at(ctx, row, beforeDispatch)
		err := fn(ctx, row)
		o.at(ctx, row, afterDispatch)
		return err
	})
}

func (o *hookedOutbox) at(ctx context.Context, row schema.OutboxRow, point string) {
	plans, err := o.h.inner.CasePlans(ctx, row.CaseID)
	if err != nil {
		return
	}
	for _, p := range plans {
		o.h.tell(ctx, passing{Point: point, Account: p.Facts.AccountID})
	}
}
