package activities

import (
	"cmp"
	"context"
	"time"

	"sendoff/schema"
)

// planPolls is for how many waits an account is tried that its connection does not tell
// of while it answers otherwise. Then its plan is refused, and the next run tries again:
// one account must not stop all others.
const planPolls = 6

// PlanItems plans a piece of what matched, one account at a time. An account that
// the policy does not take any more is left alone.
func (v *Reviews) PlanItems(ctx context.Context, in ReviewInput) (Piece, error) {
	o, err := v.open(ctx, in.ReviewID)
	if err != nil || o.review.State != schema.ReviewPlanning {
		return Piece{}, err
	}
	items, err := v.store.Items(ctx, o.review.ID, schema.ItemMatched, planPiece)
	if err != nil {
		return Piece{}, err
	}
	if why := o.unusable(items); why != "" {
		return Piece{More: true}, v.store.EndReview(ctx, o.review.ID, schema.ReviewStale, why)
	}
	readFirst(items)
	requests := make([]schema.Request, 0, len(items))
	planned := make([]schema.ReviewItem, 0, len(items))
	for _, item := range items {
		r, ok, err := v.request(ctx, o, item)
		if err != nil {
			return Piece{}, err
		}
		if ok {
			requests, planned = append(requests, r), append(planned, item)
		}
	}
	drafts, err := v.drafts(ctx, o, v.cfg.Planner.Drafting(), requests, false)
	if err != nil {
		return Piece{}, err
	}
	again := false
	for i, d := range drafts {
		waits, err := v.unread(ctx, planned[i], d, planPolls*v.cfg.Clocks.BusyPoll)
		if err != nil {
			return Piece{}, err
		}
		if waits {
			again = true
			continue
		}
		if err := unlessStale(v.store.PlanItem(ctx, o.review.ID, plannedOf(planned[i].AccountID, d.Draft))); err != nil {
			return Piece{}, err
		}
	}
	if again {
		return Piece{}, &notYet{"a connection does not answer", v.cfg.Clocks.BusyPoll}
	}
	return Piece{More: len(items) == planPiece}, nil
}

// unusable says which connection of items must not be used any more, and what is to
// be done: nobody knows for how long, and the run's judgement grows old.
func (o opened) unusable(items []schema.ReviewItem) string {
	for _, i := range items {
		if o.enabled(i.ConnectionID) {
			continue
		}
		for _, c := range o.conns {
			if c.ID == i.ConnectionID {
				return "CONNECTION_DISABLED: connection " + c.Name + " is " + string(c.State) + " since its accounts were judged, and they cannot be planned; " +
					"enable it with sendoff connections enable " + c.Name + ", then ask for a run: sendoff policy run " + o.policy.Name
			}
		}
	}
	return ""
}

func (v *reviewing) drafts(ctx context.Context, o opened, p *Drafting, requests []schema.Request, again bool) ([]AccountDraft, error) {
	if len(requests) == 0 {
		return nil, nil
	}
	return p.DraftAccounts(ctx, requests, o.policy.Template(), again)
}

func plannedOf(id schema.AccountID, d schema.Draft) schema.PlannedItem {
	p := schema.PlannedItem{AccountID: id, Findings: d.AllFindings()}
	for _, a := range d.Accounts {
		p.Facts = a.Facts
		if movesContent(a.Facts) {
			p.Bytes = a.Account.SpaceUsed
		}
	}
	return p
}

func movesContent(f schema.Facts) bool {
	for _, s := range f.Steps {
		if s.Kind.MovesContent() {
			return true
		}
	}
	return false
}

// request judges an item again and asks for its plan; not ok = it was settled.
func (v *reviewing) request(ctx context.Context, o opened, item schema.ReviewItem) (schema.Request, bool, error) {
	now := v.now().UTC()
	s, verdict, err := v.again(ctx, o, item.AccountID, now)
	if err != nil {
		return schema.Request{}, false, err
	}
	if !verdict.Matched() {
		to, why, drift := unmatched(item, s, verdict)
		return schema.Request{}, false, unlessStale(v.store.SettleItem(ctx, o.review.ID, item.AccountID, to, why, drift))
	}
	return requestOf(o.policy.Rule, s, verdict), true, nil
}

// again judges one account afresh.
func (v *reviewing) again(ctx context.Context, o opened, id schema.AccountID, now time.Time) (schema.Subject, schema.Verdict, error) {
	needs := o.rule.Query(o.ids(), now).Needs
	needs.Person = true // for the request, and for whom to ask
	s, err := v.store.Subject(ctx, id, needs)
	if err != nil {
		return s, schema.Verdict{}, err
	}
	return s, o.rule.Judge(&s, now), nil
}

// unmatched says what becomes of an item that its policy takes no more.
func unmatched(item schema.ReviewItem, s schema.Subject, v schema.Verdict) (schema.ItemState, string, []schema.Difference) {
	switch v.Reason {
	case schema.ReasonKept:
		return schema.ItemKept, "somebody said that it is still needed", nil
	case schema.ReasonGrade:
		return schema.ItemDrifted, "it was used", []schema.Difference{
			{Fact: "last_active_at", Before: formatUse(item.LastActiveAt), Now: formatUse(s.Activity.LastActiveAt)},
			{Fact: "grade", Before: string(item.Grade), Now: string(v.Grade)},
		}
	}
	return schema.ItemDrifted, "the policy takes it no more: " + string(v.Reason), []schema.Difference{
		{Fact: "verdict", Before: string(schema.ReasonMatched), Now: string(v.Reason)},
	}
}

// neverUsed is the last use of an account that was never seen in use.
const neverUsed = "never"

// formatUse is an instant of use as Facts have it.
func formatUse(at time.Time) string {
	if at.IsZero() {
		return neverUsed
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// requestOf asks for the plan of an account that a rule took. Its last use is part
// of what is approved only where not being used is the reason.
func requestOf(rule schema.PolicyRule, s schema.Subject, v schema.Verdict) schema.Request {
	r := schema.Request{
		Door: schema.DoorInactivity, AccountID: s.Account.ID, Email: s.Account.Login, PersonID: s.Account.PersonID,
		Receivers: []string{}, Grace: schema.DefaultGrace, Template: schema.PolicyTemplatePrefix + rule.Name,
		Approvals: rule.Approvals, Source: "policy",
	}
	if s.Person != nil {
		r.Email, r.PersonID = cmp.Or(s.Person.Email, r.Email), cmp.Or(s.Person.ID, r.PersonID)
	}
	if v.Grade != schema.GradeActive {
		r.LastActiveAt, r.Threshold = formatUse(s.Activity.LastActiveAt), v.Threshold
	}
	return r
}
