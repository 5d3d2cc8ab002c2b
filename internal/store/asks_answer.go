package store

import (
	"context"
	"strings"
	"unicode/utf8"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// maxAnswerReason bounds what is kept of words that come from outside, in
// characters.
const maxAnswerReason = 1000

func checkAnswer(answer schema.Answer, reason string) error {
	switch {
	case answer != schema.AnswerNeeded && answer != schema.AnswerNotNeeded:
		return &schema.Error{Code: schema.CodeInvalid, Message: "the answer is neither needed nor not_needed", Fix: "give one of these"}
	case answer == schema.AnswerNeeded && strings.TrimSpace(reason) == "":
		return &schema.Error{Code: schema.CodeInvalid, Message: "an account is kept with a reason", Fix: "say what it is needed for"}
	case utf8.RuneCountInString(reason) > maxAnswerReason:
		return &schema.Error{Code: schema.CodeInvalid, Message: "the reason is longer than 1000 characters", Fix: "say it shorter"}
	}
	return nil
}

// AnswerAsk takes the one answer of a question. CodeClosed, with the page that says
// why, when it is answered, over, or past its time.
func (s *Store) AnswerAsk(ctx context.Context, tokenHash string, answer schema.Answer, reason string) (schema.AskPage, error) {
	if err := checkAnswer(answer, reason); err != nil {
		return schema.AskPage{}, err
	}
	var page schema.AskPage
	err := s.inTx(ctx, "answer a question", func(ctx context.Context, t *tx) error {
		found, err := askOf(ctx, t, tokenHash)
		if err != nil {
			return err
		}
		r, err := t.shareReview(ctx, found.ReviewID)
		if err != nil {
			return err
		}
		i, err := t.lockItem(ctx, found.ReviewID, found.AccountID)
		if err != nil {
			return err
		}
		// A statement of its own: what it sees is as new as the lock.
		if found, err = askOf(ctx, t, tokenHash); err != nil {
			return err
		}
		now := t.now
		if page = found.page(now); page.Closed != "" {
			return &schema.Error{Code: schema.CodeClosed, Message: page.Closed}
		}
		if err := t.answerAsk(ctx, r, i, found.AskRow, answer, reason); err != nil {
			return err
		}
		if found, err = askOf(ctx, t, tokenHash); err == nil {
			page = found.page(now)
		}
		return err
	})
	return page, err
}

// answerAsk keeps an answer with what follows from it.
func (t *tx) answerAsk(ctx context.Context, r itemRun, i schema.ReviewItem, a schema.AskRow, answer schema.Answer, reason string) error {
	err := t.changeOne(ctx, `update review_ask set state = 'answered', answer = @answer, reason = @reason, answered_at = @now
		where id = @id and state in ('pending', 'delivered', 'failed')`, args{"id": a.ID, "answer": answer, "reason": reason, "now": t.now})
	if err != nil {
		return err
	}
	actor := audit.Actor{Kind: audit.ActorEngine, Name: "link"}
	t.recordItem(r, i, actor, "review.answered", map[string]string{
		"ask": string(a.ID), "whom": string(a.Whom), "answer": string(answer), "reason": reason,
	})
	if answer == schema.AnswerNeeded {
		return t.keepItem(ctx, r, i, string(a.Whom), reason, actor)
	}
	waiting, err := scalar[bool](ctx, t, `select exists (select 1 from review_ask where review_id = @review and account_id = @account and answer <> 'not_needed')`,
		args{"review": i.ReviewID, "account": i.AccountID})
	if err != nil || waiting || i.State != schema.ItemAsking {
		return err
	}
	return t.confirmItem(ctx, r, i, "everybody who was asked says that it is not needed", actor)
}

// confirmItem makes an asking item ready before its time.
func (t *tx) confirmItem(ctx context.Context, r itemRun, i schema.ReviewItem, why string, actor audit.Actor) error {
	if err := t.settleItem(ctx, r, i, schema.ItemReady, why, nil, actor); err != nil {
		return err
	}
	return t.tellReview(ctx, r)
}

// keepItem starts the account's clock again: whatever the run has not done is left
// undone, and a case of it is cancelled.
func (t *tx) keepItem(ctx context.Context, r itemRun, i schema.ReviewItem, by, reason string, actor audit.Actor) error {
	err := t.run(ctx, `insert into account_kept (account_id, kept_at, policy_id, review_id, by_name, reason)
		values (@account, @now, @policy, @review, @by, @reason) on conflict (account_id, kept_at) do nothing`, args{
		"account": i.AccountID, "now": t.now, "policy": r.PolicyID, "review": r.ID, "by": by, "reason": reason,
	})
	if err != nil {
		return err
	}
	if i.State.Ended() {
		if err := t.endAsks(ctx, i); err != nil {
			return err
		}
		if err := t.cancelItemCase(ctx, r, i, "still needed, says "+by+": "+reason, actor); err != nil {
			return err
		}
		return t.tellReview(ctx, r)
	}
	if err := t.settleItem(ctx, r, i, schema.ItemKept, "still needed, says "+by+": "+reason, nil, actor); err != nil {
		return err
	}
	return t.tellReview(ctx, r)
}

// tellReview lets a run that goes on look at its items again.
func (t *tx) tellReview(ctx context.Context, r itemRun) error {
	if r.State == schema.ReviewEnded {
		return nil
	}
	return t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxReview, ReviewID: r.ID})
}

// AnswerItem answers for the account of a run, by a principal. A started item can
// still be said to be needed, also when the run has ended: its case is cancelled.
func (s *Store) AnswerItem(ctx context.Context, id schema.ReviewID, account schema.AccountID, answer schema.Answer, reason string, by schema.Principal) (schema.ReviewItem, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.ReviewItem{}, err
	}
	if err := checkAnswer(answer, reason); err != nil {
		return schema.ReviewItem{}, err
	}
	var now schema.ReviewItem
	err := s.withItem(ctx, "answer for a review's item", id, account, func(ctx context.Context, t *tx, r itemRun, i schema.ReviewItem) error {
		if err := checkAnswerable(i, answer); err != nil {
			return err
		}
		t.recordItem(r, i, principal(by), "review.answered", map[string]string{"answer": string(answer), "reason": reason})
		var err error
		if answer == schema.AnswerNeeded {
			err = t.keepItem(ctx, r, i, by.Name, reason, principal(by))
		} else {
			err = t.confirmItem(ctx, r, i, by.Name+" says that it is not needed", principal(by))
		}
		if err == nil {
			now, err = t.lockItem(ctx, id, account)
		}
		return err
	})
	return now, err
}

func checkAnswerable(i schema.ReviewItem, answer schema.Answer) error {
	closed := &schema.Error{Code: schema.CodeClosed, Message: "the item is " + string(i.State) + ": no answer changes that"}
	switch {
	case answer == schema.AnswerNotNeeded && i.State != schema.ItemAsking:
		closed.Fix = "only an account that is asked about can be said not to be needed"
		return closed
	case i.State.Ended() && i.State != schema.ItemStarted:
		return closed
	}
	return nil
}
