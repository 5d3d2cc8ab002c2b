package activities

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"sendoff/schema"
)

// askedAfter is how much longer than the plan of an account a link to answer about
// it works: "still needed" cancels also what was started.
const askedAfter = 7 * 24 * time.Hour

// AskItems asks about a piece of the planned items, or makes them ready when the
// policy asks nobody.
func (v *Reviews) AskItems(ctx context.Context, in ReviewInput) (Piece, error) {
	o, err := v.open(ctx, in.ReviewID)
	if err != nil || o.review.State != schema.ReviewActing {
		return Piece{}, err
	}
	items, err := v.store.Items(ctx, o.review.ID, schema.ItemPlanned, askPiece)
	if err != nil {
		return Piece{}, err
	}
	for _, item := range items {
		if err := unlessStale(v.ask(ctx, o, item)); err != nil {
			return Piece{}, err
		}
	}
	return Piece{More: len(items) == askPiece}, nil
}

func (v *reviewing) ask(ctx context.Context, o opened, item schema.ReviewItem) error {
	rule := o.policy.Rule
	if len(rule.Ask) == 0 {
		return v.store.AskAbout(ctx, o.review.ID, item.AccountID, nil, time.Time{})
	}
	s, err := v.store.Subject(ctx, item.AccountID, schema.Needs{Person: true})
	if err != nil {
		return err
	}
	now := v.now().UTC()
	var asks []schema.AskRow
	until := now
	for i, a := range rule.Ask {
		for _, to := range recipientsOf(a, s, o.conns) {
			wait := v.cfg.Clocks.PlanWait(a.Wait)
			row, err := v.question(item, i, a, to, wait, now.Add(wait+v.cfg.Clocks.PlanWait(waitsOf(rule.Steps)+askedAfter)))
			if err != nil {
				return err
			}
			asks = append(asks, row)
			if end := now.Add(wait); end.After(until) {
				until = end
			}
		}
	}
	if len(asks) == 0 {
		return v.store.SettleItem(ctx, o.review.ID, item.AccountID, schema.ItemRefused, "nobody could be asked: whom the policy names is not known", nil)
	}
	return v.store.AskAbout(ctx, o.review.ID, item.AccountID, asks, until)
}

func (v *reviewing) question(item schema.ReviewItem, index int, a schema.Ask, to string, wait time.Duration, expires time.Time) (schema.AskRow, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return schema.AskRow{}, err
	}
	ask := schema.AskID(id.String())
	return schema.AskRow{
		ID: ask, ReviewID: item.ReviewID, AccountID: item.AccountID, Index: index, Whom: a.Whom, Channel: a.Channel, Recipient: to,
		State: schema.AskPending, TokenHash: v.cfg.AskTokenHash(v.cfg.AskToken(ask)), Wait: wait, ExpiresAt: expires,
	}, nil
}

// recipientsOf is who a question goes to; none = they are not known.
func recipientsOf(a schema.Ask, s schema.Subject, conns []schema.Connection) []string {
	one := func(address string) []string {
		if !strings.Contains(address, "@") {
			return nil
		}
		return []string{strings.ToLower(address)}
	}
	switch a.Whom {
	case schema.AskHolder:
		if s.Person != nil && s.Person.Email != "" {
			return one(s.Person.Email)
		}
		return one(s.Account.Login)
	case schema.AskManager:
		if s.Person == nil {
			return nil
		}
		return one(s.Person.Manager)
	case schema.AskOwner:
		i := slices.IndexFunc(conns, func(c schema.Connection) bool { return c.ID == s.Account.ConnectionID })
		if i < 0 {
			return nil
		}
		return one(conns[i].Owner)
	case schema.AskNamed:
		return a.To
	}
	return nil
}

// waitsOf sums the lengths of wait steps.
func waitsOf(steps []schema.StepFact) time.Duration {
	var sum time.Duration
	for _, s := range steps {
		sum += time.Duration(s.WaitSeconds) * time.Second
	}
	return sum
}

// settleAnswers decides about an asking item whose time is over. Silence is an
// answer only where the policy says so and the question was delivered, with a link to
// answer by.
func settleAnswers(rule schema.PolicyRule, asks []schema.AskRow) (to schema.ItemState, why string) {
	confirmed := false
	for _, a := range asks {
		switch a.Answer {
		case schema.AnswerNeeded:
			return schema.ItemKept, "somebody said that it is still needed"
		case schema.AnswerNotNeeded:
			confirmed = true
		}
	}
	if confirmed {
		return schema.ItemReady, ""
	}
	for i := range rule.Ask {
		if !slices.ContainsFunc(asks, func(a schema.AskRow) bool { return a.Index == i }) {
			return schema.ItemSilent, "somebody whom the policy names is not known and was not asked, so that silence says nothing"
		}
	}
	for _, a := range asks {
		switch {
		case a.Index >= len(rule.Ask) || rule.Ask[a.Index].Silence != schema.SilenceProceeds:
			return schema.ItemSilent, "nobody answered, and silence means nothing"
		case a.State != schema.AskDelivered:
			return schema.ItemSilent, "a question could not be delivered, so that silence says nothing"
		case !a.Linked:
			return schema.ItemSilent, "a question had no link to answer by, for there is no public_url, so that silence says nothing"
		}
	}
	return schema.ItemReady, ""
}
