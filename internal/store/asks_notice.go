package store

import (
	"cmp"
	"context"
	"time"

	"sendoff/schema"
)

// noticeAsk queues the notice of a question. It goes to whom the policy names,
// whatever the rules of notices say, in the built-in words or the policy's own.
func (t *tx) noticeAsk(ctx context.Context, r itemRun, a schema.AskRow) error {
	about := noticeAbout{askID: a.ID, reviewID: r.ID, policyID: r.PolicyID}
	return t.queueNotice(ctx, 0, schema.NoticeAsk, about, schema.NoticeRoute{Audience: schema.AudienceAsked, Channel: a.Channel}, []string{a.Recipient})
}

// askNoticed keeps what became of a question's notice: only of one that was
// delivered may silence be an answer. One that failed stays failed also when its
// notice is sent again, for its time began before.
func (t *tx) askNoticed(ctx context.Context, n schema.QueuedNotice, to schema.NoticeState) error {
	if n.AskID == "" {
		return nil
	}
	state := schema.AskDelivered
	if to == schema.NoticeFailed {
		state = schema.AskFailed
	}
	return t.run(ctx, `update review_ask set state = @to where id = @id and state = 'pending'`, args{"id": n.AskID, "to": state})
}

// askFacts reads what a question tells. Whom it asks may be the account's holder.
func askFacts(ctx context.Context, q querier, n schema.QueuedNotice, f *schema.NoticeFacts) error {
	row, err := one[askRow](ctx, q, selectAsk+`where a.id = @id`, args{"id": n.AskID})
	if err != nil {
		return err
	}
	f.TimeZone = row.Rule.Schedule.Zone
	f.Ask = &schema.NoticeAskFacts{
		ID: row.ID, TokenHash: row.TokenHash, Policy: cmp.Or(row.Rule.Title, row.Policy), Owner: row.Rule.Owner, Connection: row.Connection,
		Login: row.Login, LastActiveAt: row.LastActiveAt, Steps: row.Rule.Steps, Until: row.ExpiresAt, Over: row.closed(time.Now()) != "",
	}
	if row.Index < len(row.Rule.Ask) {
		f.Ask.Text, f.Ask.Silence = row.Rule.Ask[row.Index].Text, row.Rule.Ask[row.Index].Silence
	}
	if !row.AskUntil.IsZero() {
		f.Ask.Until = row.AskUntil
	}
	if f.Ask.Over {
		f.To = nil
	}
	return nil
}
