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
// delivered, with a link, may silence be an answer, and not before who was asked had
// the whole time for it. One that failed stays failed also when its notice is sent
// again, for its time began before.
func (t *tx) askNoticed(ctx context.Context, n schema.QueuedNotice, o schema.NoticeOutcome) error {
	if n.AskID == "" {
		return nil
	}
	if o.State == schema.NoticeFailed {
		return t.run(ctx, `update review_ask set state = 'failed' where id = @id and state = 'pending'`, args{"id": n.AskID})
	}
	// The item first, as everywhere.
	err := t.run(ctx, `update review_item i set ask_until = greatest(i.ask_until, @now::timestamptz + a.wait_ms * interval '1 millisecond')
		from review_ask a where a.id = @id and a.state = 'pending' and i.review_id = a.review_id and i.account_id = a.account_id and i.state = 'asking'`,
		args{"id": n.AskID, "now": t.now})
	if err != nil {
		return err
	}
	return t.run(ctx, `update review_ask set state = 'delivered', delivered_at = @now, linked = @linked where id = @id and state = 'pending'`,
		args{"id": n.AskID, "now": t.now, "linked": o.Linked})
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
		if row.State == schema.AskPending { // it is about to be delivered: the whole time is yet to come
			if whole := time.Now().Add(row.Wait); whole.After(f.Ask.Until) {
				f.Ask.Until = whole
			}
		}
	}
	if f.Ask.Over {
		f.To = nil
	}
	return nil
}
