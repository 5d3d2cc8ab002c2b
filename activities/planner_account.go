package activities

import (
	"context"
	"slices"

	"sendoff/connectors"
	"sendoff/schema"
)

// DraftAccounts plans one account for each request, by its AccountID, and looks
// for no other account of its person. Again says that the requests were planned
// before: then nothing is gathered but what the hash covers. Refusals are findings
// of the drafts. CodeNotFound names an account that there is none of.
func (p *Planner) DraftAccounts(ctx context.Context, requests []schema.Request, t schema.Template, again bool) ([]schema.Draft, error) {
	ctx = connectors.WithPriority(ctx, connectors.PriorityPreflight)
	b, err := p.newBatch(ctx, requests)
	if err != nil {
		return nil, err
	}
	b.again = again
	drafts := make([]schema.Draft, len(requests))
	for i, r := range requests {
		if drafts[i], err = b.draftOne(ctx, withTemplate(r, t), t); err != nil {
			return nil, err
		}
	}
	return drafts, nil
}

func (b *batch) draftOne(ctx context.Context, r schema.Request, t schema.Template) (schema.Draft, error) {
	d := schema.Draft{Request: r}
	account, err := b.store.Account(ctx, r.AccountID)
	if err != nil {
		return d, err
	}
	i := slices.IndexFunc(b.conns, func(l *lane) bool { return l.conn.ID == account.ConnectionID })
	if i < 0 {
		d.Findings = []schema.Finding{{
			Code: schema.PlanImpossible, Message: "the account's connection is not enabled, or a connection that may write stands beside it",
			Fix: "enable the connection, or name the one that may write in the policy",
		}}
		return d, nil
	}
	l := b.conns[i]
	if l.broken {
		d.Findings = l.findings
		return d, nil
	}
	one, err := b.draftAccount(ctx, l, r, t, account)
	if err != nil {
		return d, err
	}
	d.Accounts = []schema.DraftAccount{one}
	d.Hash = schema.CaseHash([]string{one.Facts.Hash()})
	return d, nil
}
