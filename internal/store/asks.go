package store

import (
	"cmp"
	"context"
	"time"

	"sendoff/schema"
)

// AskAbout moves a planned item to asking until the instant, or with no one to ask
// to ready, and queues the notices of its questions. A repeat, which may bring
// questions of other ids, changes nothing.
func (s *Store) AskAbout(ctx context.Context, id schema.ReviewID, account schema.AccountID, asks []schema.AskRow, until time.Time) error {
	return s.withItem(ctx, "ask about a review's item", id, account, func(ctx context.Context, t *tx, r itemRun, i schema.ReviewItem) error {
		if err := r.require(schema.ReviewActing); err != nil {
			return err
		}
		to := schema.ItemAsking
		if len(asks) == 0 {
			to, until = schema.ItemReady, time.Time{}
		}
		switch {
		case i.State == schema.ItemAsking, i.State == to:
			return nil
		case i.State != schema.ItemPlanned:
			return staleItem("the item is " + string(i.State) + " by now")
		}
		for _, a := range asks {
			if err := t.insertAsk(ctx, r, i, a, until); err != nil {
				return err
			}
		}
		t.recordItem(r, i, engine(), "review.item_"+string(to), map[string]string{"from": string(i.State), "until": schema.FormatInstant(until)})
		return t.moveItem(ctx, i, to, `, ask_until = @until`, args{"until": until})
	})
}

func (t *tx) insertAsk(ctx context.Context, r itemRun, i schema.ReviewItem, a schema.AskRow, until time.Time) error {
	if a.ID == "" || a.TokenHash == "" || a.Recipient == "" {
		return &schema.Error{Code: schema.CodeInternal, Message: "a question has no id, no link or nobody to ask"}
	}
	if a.ExpiresAt.IsZero() {
		a.ExpiresAt = until
	}
	err := t.run(ctx, `insert into review_ask (id, review_id, account_id, ask_index, whom, channel, recipient, state, token_hash, wait_ms, expires_at, created_at)
		values (@id, @review, @account, @index, @whom, @channel, @recipient, 'pending', @hash, @wait, @expires, @now)`, args{
		"id": a.ID, "review": i.ReviewID, "account": i.AccountID, "index": a.Index, "whom": a.Whom, "channel": a.Channel, "recipient": a.Recipient,
		"hash": a.TokenHash, "wait": a.Wait.Milliseconds(), "expires": a.ExpiresAt, "now": t.now,
	})
	if err != nil {
		return err
	}
	// Whom, and never by which address: the log is for ever.
	t.recordItem(r, i, engine(), "review.asked", map[string]string{"ask": string(a.ID), "whom": string(a.Whom), "channel": string(a.Channel)})
	return t.noticeAsk(ctx, r, a)
}

// AnswersOf returns the questions about an item.
func (s *Store) AnswersOf(ctx context.Context, id schema.ReviewID, account schema.AccountID) ([]schema.AskRow, error) {
	list, err := all[schema.AskRow](ctx, s.pool, `select `+askColumns+` from review_ask a
		where a.review_id = @review and a.account_id = @account order by a.ask_index, a.recipient`, args{"review": id, "account": account})
	return list, translate("read a review's questions", err)
}

// DueItems returns up to limit asking items of a run whose time to be answered is
// over at the instant, the first that was due first.
func (s *Store) DueItems(ctx context.Context, id schema.ReviewID, at time.Time, limit int) ([]schema.ReviewItem, error) {
	list, err := all[schema.ReviewItem](ctx, s.pool, `select `+itemColumns+` from review_item i
		where i.review_id = @id and i.state = 'asking' and i.ask_until <= @at order by i.ask_until limit @limit`, args{"id": id, "at": at, "limit": limit})
	return list, translate("read what a review's answers are due for", err)
}

// NextAnswer returns when the first of the asking items is due: zero = none asks.
func (s *Store) NextAnswer(ctx context.Context, id schema.ReviewID) (time.Time, error) {
	at, err := scalar[time.Time](ctx, s.pool, `select min(ask_until) from review_item where review_id = @id and state = 'asking'`, args{"id": id})
	return at, translate("find when a review's answers are due", err)
}

const askColumns = `a.id, a.review_id, a.account_id, a.ask_index as index, a.whom, a.channel, a.recipient, a.state, a.token_hash, a.answer, a.reason,
	a.wait_ms * 1000000 as wait, a.delivered_at, a.linked, a.expires_at, a.created_at, a.answered_at`

// askRow is a question with what is known around it.
type askRow struct {
	schema.AskRow
	Policy       string // its name
	Rule         schema.PolicyRule
	Connection   string
	Login        string
	LastActiveAt time.Time
	ItemState    schema.ItemState
	AskUntil     time.Time
	ReviewState  schema.ReviewState
	CaseOver     bool // the item had a case, and that has ended
}

const selectAsk = `select ` + askColumns + `, p.name as policy, v.rule, c.name as connection, i.login, i.last_active_at, i.state as item_state, i.ask_until,
		r.state as review_state, i.case_id is not null and not exists (select 1 from plan l
			where l.case_id = i.case_id and l.state not in ('done', 'cancelled', 'superseded')) as case_over
	from review_ask a join review_item i on i.review_id = a.review_id and i.account_id = a.account_id
	join review r on r.id = a.review_id join policy p on p.id = r.policy_id
	join policy_version v on v.policy_id = r.policy_id and v.version = r.version join connection c on c.id = i.connection_id `

// closed says why the question can no longer be answered, "" while it can. One that
// is said not to have been delivered can: it may have been.
func (a askRow) closed(now time.Time) string {
	tell := "; if the account is still needed, tell " + a.Rule.Owner
	switch {
	case a.State == schema.AskAnswered:
		return "this question has been answered"
	case a.ItemState == schema.ItemKept:
		return "somebody has said that the account is still needed"
	case a.ReviewState == schema.ReviewEnded && a.ItemState != schema.ItemStarted:
		return "the review of the account has ended" + tell
	case !now.Before(a.ExpiresAt):
		return "the time to answer is over" + tell
	case a.CaseOver:
		return "what was planned for the account has been done or given up" + tell
	case a.ItemState.Ended() && a.ItemState != schema.ItemStarted, a.State == schema.AskEnded:
		return "no answer is needed any more: nothing is done to the account now" + tell
	}
	return ""
}

func (a askRow) page(now time.Time) schema.AskPage {
	p := schema.AskPage{
		AskRow: a.AskRow, Policy: cmp.Or(a.Rule.Title, a.Policy), Connection: a.Connection, Login: a.Login, LastActiveAt: a.LastActiveAt,
		Steps: a.Rule.Steps, Closed: a.closed(now),
	}
	if p.Closed == "" {
		p.Until = a.ExpiresAt
	}
	return p
}

// AskPage returns what the page of a question shows; CodeNotFound for a link that
// is none.
func (s *Store) AskPage(ctx context.Context, tokenHash string) (schema.AskPage, error) {
	row, err := askOf(ctx, s.pool, tokenHash)
	return row.page(time.Now()), translate("read a question", err)
}

func askOf(ctx context.Context, q querier, tokenHash string) (askRow, error) {
	row, ok, err := maybe[askRow](ctx, q, selectAsk+`where a.token_hash = @hash`, args{"hash": tokenHash})
	if err == nil && !ok {
		err = &schema.Error{Code: schema.CodeNotFound, Message: "there is no such question", Fix: "open the whole link as it was sent"}
	}
	return row, err
}
