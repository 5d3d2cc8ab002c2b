package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const decisionColumns = `id, case_id, plan_id, kind, hash, reason, step, to_at, receivers, principal, token_id, created_at`

// Decisions returns the decisions about a case, oldest first.
func (s *Store) Decisions(ctx context.Context, id schema.CaseID) ([]schema.Decision, error) {
	list, err := all[schema.Decision](ctx, s.pool, `select id, case_id, plan_id, kind, hash, reason, step, to_at as "to", receivers, principal, token_id, created_at from decision
		where case_id = @id order by created_at, id`, args{"id": id})
	return list, translate("read decisions", err)
}

// Decide writes a decision with its effect and the outbox rows that tell the
// workflows: one for each plan that has begun, one for the case's own workflow
// when some have not.
//
// Approve: the hash must be the case's, the principal neither the requester nor
// one who approved it before; it counts for every plan with the hash it has
// now. Resume: parked plans run again, those parked on their way out go on
// cancelling. Cancel: open plans become cancelling; given again it only tells their
// workflows again. The others are described at schema.DecisionKind. CodeConflict
// when there is no plan for the decision to act on.
func (s *Store) Decide(ctx context.Context, d schema.Decision, by schema.Principal) (schema.Decision, error) {
	if err := checkPrincipal(by); err != nil {
		return d, err
	}
	if !slices.Contains(schema.DecisionKinds(), d.Kind) {
		return d, &schema.Error{Code: schema.CodeInvalid, Message: "a decision " + strconv.Quote(string(d.Kind)) + " is unknown", Fix: fmt.Sprintf("use one of %v", schema.DecisionKinds())}
	}
	d.Principal, d.TokenID, d.Receivers = by.Name, by.TokenID, append([]string{}, d.Receivers...)
	var err error
	if d.ID, err = newID[schema.DecisionID](); err != nil {
		return d, err
	}
	err = s.inTx(ctx, "decide", func(ctx context.Context, t *tx) error { return t.decide(ctx, &d, by) })
	return d, err
}

// decide is Decide within a transaction, of a decision with id and principal.
func (t *tx) decide(ctx context.Context, d *schema.Decision, by schema.Principal) error {
	c, err := t.lockCase(ctx, d.CaseID)
	if err != nil {
		return err
	}
	open, err := t.lockOpenPlans(ctx, *d)
	if err != nil {
		return err
	}
	person, err := t.personOf(ctx, by)
	if err != nil {
		return err
	}
	if isOwn(by, c, open) || person != "" && person == c.PersonID {
		return &schema.Error{Code: schema.CodeForbidden, Message: "nobody decides about their own offboarding", Fix: "let another operator do it"}
	}
	if d.Kind == schema.DecideApprove {
		if err := t.refuseRevoker(ctx, `m.case_id = @case`, args{"case": c.ID}, by); err != nil {
			return err
		}
	}
	d.CreatedAt = t.now
	if err := t.insertDecision(ctx, *d); err != nil {
		return err
	}
	affected, err := t.apply(ctx, *d, c, open)
	if err != nil {
		return err
	}
	t.recordDecision(*d, by, affected)
	return t.announce(ctx, *d, affected)
}

// isOwn tells whether the case offboards the principal: by the address it was
// opened for, or by the login of an account. A token without an address is no
// person's, or nobody said whose.
func isOwn(by schema.Principal, c schema.Case, open []planRow) bool {
	own := func(address string) bool { return by.Email != "" && strings.EqualFold(by.Email, address) }
	return own(c.Email) || slices.ContainsFunc(open, func(p planRow) bool { return own(p.Facts.Login) })
}

// lockOpenPlans locks the plans that a decision may act on, in one order.
func (t *tx) lockOpenPlans(ctx context.Context, d schema.Decision) ([]planRow, error) {
	err := t.run(ctx, `select 1 from (select id from plan where case_id = @case_id order by id for no key update) as locked`,
		args{"case_id": d.CaseID})
	if err != nil {
		return nil, err
	}
	plans, err := loadPlans(ctx, t, `p.case_id = @case_id`, args{"case_id": d.CaseID}, false)
	if err != nil {
		return nil, err
	}
	var open []planRow
	named := d.PlanID == ""
	for _, p := range plans {
		if d.PlanID != "" && p.ID != d.PlanID {
			continue
		}
		named = true
		if !p.State.Ended() {
			open = append(open, p)
		}
	}
	if !named {
		return nil, notFound("plan of the case", string(d.PlanID))
	}
	if len(open) == 0 {
		return nil, conflict("everything in case "+string(d.CaseID)+" has ended", "nothing is left to decide")
	}
	return open, nil
}

// apply changes the state and returns the plans it acted on, as they were.
func (t *tx) apply(ctx context.Context, d schema.Decision, c schema.Case, open []planRow) ([]planRow, error) {
	switch d.Kind {
	case schema.DecideApprove:
		return t.approve(ctx, d, c, open)
	case schema.DecideResume:
		return t.resume(ctx, open)
	case schema.DecideCancel:
		return t.cancel(ctx, open)
	case schema.DecideSendAgain:
		return t.sendAgain(ctx, open)
	case schema.DecideReactivate:
		return t.reactivate(ctx, open)
	case schema.DecideWaive:
		return t.waive(ctx, d, open)
	case schema.DecideComplete:
		return t.complete(ctx, d, open)
	case schema.DecideMoveDate:
		return t.moveDate(ctx, d, open)
	case schema.DecideSetReceiver:
		return t.setReceiver(ctx, d, open)
	case schema.DecideReleaseLane:
		return t.releaseLane(ctx, open)
	default:
		return nil, conflict("a decision "+string(d.Kind)+" changes nothing", "")
	}
}

func (t *tx) approve(ctx context.Context, d schema.Decision, c schema.Case, open []planRow) ([]planRow, error) {
	switch {
	case d.PlanID != "":
		return nil, &schema.Error{Code: schema.CodeInvalid, Message: "an approval is for the whole case", Fix: "approve the case"}
	case d.Hash != c.Hash:
		return nil, &schema.Error{Code: schema.CodeHashDiffers, Message: "the hash given is not the case's: what was looked at is not what would run", Fix: "look at the case again and approve the hash it shows"}
	case c.Approvals == 0:
		return nil, conflict("case "+string(c.ID)+" needs no approval", "it goes on by itself: sendoff cases watch")
	}
	if err := t.requireAnother(ctx, d, c); err != nil {
		return nil, err
	}
	for _, p := range open {
		err := t.run(ctx, `insert into plan_approval (plan_id, hash, principal, decision_id)
			values (@plan_id, @hash, @principal, @decision_id) on conflict (plan_id, hash, principal) do nothing`,
			args{"plan_id": p.ID, "hash": p.Hash, "principal": d.Principal, "decision_id": d.ID})
		if err != nil {
			return nil, err
		}
	}
	return open, nil
}

// requireAnother refuses an approval by who asked for the case, be it by HR's doors,
// and by who approved it before; another token of theirs is theirs, too.
func (t *tx) requireAnother(ctx context.Context, d schema.Decision, c schema.Case) error {
	asked, err := all[tokenHolder](ctx, t, `select asked_by as principal, asked_id as token_id from leaver where case_id = @case and asked_id is not null`,
		args{"case": c.ID})
	if err != nil {
		return err
	}
	own, err := t.among(ctx, d.Principal, d.TokenID, append(asked, tokenHolder{c.RequestedBy, c.RequestedID}))
	if err != nil {
		return err
	}
	if own {
		return &schema.Error{Code: schema.CodeForbidden, Message: "nobody approves their own request", Fix: "ask somebody else to approve"}
	}
	approved, err := all[tokenHolder](ctx, t, `select principal, token_id from decision
		where case_id = @case_id and kind = 'approve' and hash = @hash and id <> @id`, args{"case_id": d.CaseID, "hash": d.Hash, "id": d.ID})
	if err != nil {
		return err
	}
	before, err := t.among(ctx, d.Principal, d.TokenID, approved)
	if err == nil && before {
		err = conflict(d.Principal+" has approved this before", "ask somebody else to approve")
	}
	return err
}

// tokenHolder is a principal who did something.
type tokenHolder struct {
	Principal string
	TokenID   schema.TokenID
}

// among tells whether a principal is one of others: by name or token, or because
// both tokens are of one person.
func (t *tx) among(ctx context.Context, name string, token schema.TokenID, others []tokenHolder) (bool, error) {
	ids := []schema.TokenID{}
	for _, o := range others {
		if o.Principal == name || o.TokenID == token {
			return true, nil
		}
		ids = append(ids, o.TokenID)
	}
	if len(ids) == 0 {
		return false, nil
	}
	return scalar[bool](ctx, t, `with k as (
			select t.id, t.email, coalesce(p.merged_into, p.id) as person_id from api_token t left join person_email pe on pe.email = t.email
			left join person p on p.id = pe.person_id where t.email is not null)
		select exists (select 1 from k own join k other on other.email = own.email or other.person_id = own.person_id
			where own.id = @token and other.id = any(@ids))`, args{"token": token, "ids": ids})
}

func (t *tx) resume(ctx context.Context, open []planRow) ([]planRow, error) {
	var parked []planRow
	for _, p := range open {
		if p.State != schema.PlanParked {
			continue
		}
		parked = append(parked, p)
		to := schema.PlanRunning
		if p.Stopping {
			to = schema.PlanCancelling
		}
		if err := t.move(ctx, &p, to); err != nil {
			return nil, err
		}
	}
	if len(parked) == 0 {
		return nil, conflict("nothing in the case is parked", "resume is for parked plans; watch the case to see what it does")
	}
	return parked, nil
}

func (t *tx) cancel(ctx context.Context, open []planRow) ([]planRow, error) {
	var cancelled []planRow
	for _, p := range open {
		if p.State == schema.PlanCancelling {
			continue
		}
		cancelled = append(cancelled, p)
		if err := t.move(ctx, &p, schema.PlanCancelling); err != nil {
			return nil, err
		}
		if err := t.changeOne(ctx, `update plan set stopping = true where id = @id`, args{"id": p.ID}); err != nil {
			return nil, err
		}
	}
	if len(cancelled) == 0 {
		return open, nil // told again: the workflow that should hear of it may be gone
	}
	return cancelled, nil
}

func (t *tx) insertDecision(ctx context.Context, d schema.Decision) error {
	return t.run(ctx, `insert into decision (`+decisionColumns+`)
		values (@id, @case_id, @plan_id, @kind, @hash, @reason, @step, @to, @receivers, @principal, @token_id, @now)`,
		args{
			"id": d.ID, "case_id": d.CaseID, "plan_id": d.PlanID, "kind": d.Kind, "hash": d.Hash, "reason": d.Reason,
			"step": d.Step, "to": d.To.UTC(), "receivers": append([]string{}, d.Receivers...),
			"principal": d.Principal, "token_id": d.TokenID, "now": t.now,
		})
}

func (t *tx) recordDecision(d schema.Decision, by schema.Principal, affected []planRow) {
	details := map[string]string{"reason": d.Reason, "hash": d.Hash, "plans": strconv.Itoa(len(affected))}
	if d.Step != "" {
		details["step"] = string(d.Step)
	}
	if !d.To.IsZero() {
		details["to"] = schema.FormatInstant(d.To)
	}
	if d.Kind == schema.DecideSetReceiver {
		details["receivers"] = strconv.Itoa(len(d.Receivers))
	}
	subject := audit.Subject{CaseID: string(d.CaseID), PlanID: string(d.PlanID), DecisionID: string(d.ID)}
	t.record(audit.CaseStream(string(d.CaseID)), principal(by), "decision."+string(d.Kind), subject, details)
	if d.Kind == schema.DecideApprove {
		return
	}
	for _, p := range affected {
		t.recordPlan(p, principal(by), "plan."+string(d.Kind), map[string]string{"from": string(p.State)})
	}
}

// announce tells the workflows of the plans that have begun, and the case's own
// for those that have not.
func (t *tx) announce(ctx context.Context, d schema.Decision, affected []planRow) error {
	tellCase := false
	for _, p := range affected {
		if p.State == schema.PlanPlanned {
			tellCase = true
			continue
		}
		row := schema.OutboxRow{Kind: schema.OutboxDecision, CaseID: d.CaseID, PlanID: p.ID, DecisionID: d.ID}
		if err := t.enqueue(ctx, row); err != nil {
			return err
		}
	}
	if !tellCase {
		return nil
	}
	return t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxDecision, CaseID: d.CaseID, DecisionID: d.ID})
}
