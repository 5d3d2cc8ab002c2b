package activities

import (
	"context"
	"slices"
	"strings"

	"sendoff/connectors"
	"sendoff/internal/policy"
	"sendoff/schema"
)

// chooseReceiver sets the draft's receiver, or the findings that say why not.
func (b *batch) chooseReceiver(ctx context.Context, l *lane, r schema.Request, t schema.Template, d *schema.DraftAccount) error {
	transfers, deletes := t.Has(schema.StepTransfer), t.Has(schema.StepDelete)
	if !transfers && !deletes {
		return nil
	}
	if len(r.Receivers) > 0 && transfers {
		before := len(d.Findings)
		if err := b.firstValid(ctx, l, r, d); err != nil || d.Receiver != nil || !slices.ContainsFunc(r.Receivers, schema.IsReceiverRule) {
			return err
		}
		return b.excuseRules(ctx, l, r, d, before)
	}
	owns, err := b.ownsContent(ctx, l, d.Account)
	if err != nil {
		d.Findings = append(d.Findings, b.degraded(l, err))
		return nil
	}
	switch {
	case owns && transfers:
		d.Findings = append(d.Findings, policy.NoReceiver(l.conn))
	case owns:
		d.Findings = append(d.Findings, policy.ContentWithoutTransfer(l.conn))
	}
	return nil
}

// excuseRules makes warnings of rules that name nobody for a source that owns
// nothing: it needs no receiver, and nobody typed one that must be wrong.
func (b *batch) excuseRules(ctx context.Context, l *lane, r schema.Request, d *schema.DraftAccount, from int) error {
	if slices.ContainsFunc(r.Receivers, func(entry string) bool { return !schema.IsReceiverRule(entry) }) {
		return nil
	}
	owns, err := b.ownsContent(ctx, l, d.Account)
	if err != nil {
		b.failed = append(b.failed, err) // the refusals stand: nobody knows that it owns nothing
	}
	if err != nil || owns {
		return nil
	}
	for i := from; i < len(d.Findings); i++ {
		d.Findings[i].Warning = true
	}
	return nil
}

func (b *batch) firstValid(ctx context.Context, l *lane, r schema.Request, d *schema.DraftAccount) error {
	var refused []schema.Finding
	for _, entry := range r.Receivers {
		login, gap, err := loginOf(ctx, b.store, l.conn.ID, d.Account, entry)
		if err != nil {
			return err
		}
		if gap != schema.GapNone {
			refused = append(refused, policy.RuleUnmet(l.conn, entry, gap))
			continue
		}
		account, findings, err := b.judgeReceiver(ctx, l, d.Account, login)
		if err != nil {
			return err
		}
		if len(findings) > 0 {
			refused = append(refused, findings...)
			continue
		}
		for i := range refused {
			refused[i].Warning = true // a later one is valid
		}
		d.Receiver, d.PlannedBytes = &account, d.Account.SpaceUsed
		l.bytes[account.ExternalID] += d.PlannedBytes
		break
	}
	d.Findings = append(d.Findings, refused...)
	return nil
}

func (b *batch) judgeReceiver(ctx context.Context, l *lane, source schema.Account, login string) (schema.Account, []schema.Finding, error) {
	matches, err := l.c.FindByLogin(ctx, login)
	if err != nil {
		return schema.Account{}, []schema.Finding{b.degraded(l, err)}, nil
	}
	facts := policy.ReceiverFacts{Login: login, Matches: matches, Leaving: b.leavers[strings.ToLower(login)]}
	if len(matches) == 1 {
		full, err := l.c.ReadAccount(ctx, matches[0].ExternalID)
		if err != nil {
			return schema.Account{}, []schema.Finding{b.degraded(l, err)}, nil
		}
		if full, err = remember(ctx, b.store, l.conn.ID, full, b.now()); err != nil {
			return full, nil, err
		}
		facts.Matches[0] = full
		if facts.PlannedBytes, err = b.store.PlannedBytes(ctx, l.conn.ID, full.ExternalID); err != nil {
			return full, nil, err
		}
		facts.PlannedBytes += l.bytes[full.ExternalID]
		if !facts.Leaving {
			if _, facts.Leaving, err = b.store.OpenPlanOf(ctx, l.conn.ID, full.ExternalID); err != nil {
				return full, nil, err
			}
		}
	}
	findings := policy.CheckReceiver(l.conn, source, facts)
	if len(findings) > 0 {
		return schema.Account{}, findings, nil
	}
	return facts.Matches[0], nil, nil
}

// CheckReceivers chooses, for each open plan of a case that still has a transfer
// to send, the first of the logins and rules that may receive it. Plans none of them may
// receive are left out and the findings say why; findings about logins passed
// over for a later one are warnings.
func (p *Planner) CheckReceivers(ctx context.Context, id schema.CaseID, logins []string) (map[schema.PlanID]schema.Account, []schema.Finding, error) {
	ctx = connectors.WithPriority(ctx, connectors.PriorityPreflight)
	plans, err := p.store.CasePlans(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	b := &batch{Planner: p, leavers: map[string]bool{}}
	chosen := map[schema.PlanID]schema.Account{}
	var findings []schema.Finding
	for _, plan := range plans {
		step, transfers := plan.StepOf(schema.StepTransfer)
		if plan.State.Ended() || !transfers || step.State.Finished() {
			continue
		}
		if t, begun, err := p.store.Transfer(ctx, plan.ID); err != nil {
			return nil, nil, err
		} else if begun && !t.State.BeforeSend() {
			continue
		}
		d, err := b.receiverFor(ctx, plan, logins)
		if err != nil {
			return nil, nil, err
		}
		findings = append(findings, d.Findings...)
		if d.Receiver != nil {
			chosen[plan.ID] = *d.Receiver
		}
	}
	return chosen, findings, nil
}

func (b *batch) receiverFor(ctx context.Context, plan schema.Plan, logins []string) (schema.DraftAccount, error) {
	conn, err := b.store.Connection(ctx, plan.ConnectionID)
	if err != nil {
		return schema.DraftAccount{}, err
	}
	l := b.openLane(ctx, conn)
	d := schema.DraftAccount{Connection: conn, Findings: l.findings}
	if l.broken {
		return d, nil
	}
	if d.Account, err = l.c.ReadAccount(ctx, plan.Facts.AccountID); err != nil {
		d.Findings = append(d.Findings, policy.Degraded(conn, describe(err)))
		return d, nil
	}
	d.Account.ID = plan.AccountID
	return d, b.firstValid(ctx, l, schema.Request{Receivers: logins}, &d)
}
