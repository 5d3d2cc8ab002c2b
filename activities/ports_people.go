package activities

import (
	"context"

	"sendoff/schema"
)

// PeopleStore knows who the people around a leaver are.
type PeopleStore interface {
	// ReceiverByRule returns whom a receiver rule (schema.ReceiverRules) means for
	// the leaver who holds an account with that login, and that person's one active
	// account on the connection's enterprise; or the gap.
	ReceiverByRule(ctx context.Context, rule string, c schema.ConnectionID, account schema.AccountID, login string) (schema.RuleReceiver, error)
}

// loginOf returns the login that an entry of a list of receivers means: itself, or
// for a rule that of the account of whom it names now. The gap says why there is
// none.
func loginOf(ctx context.Context, s PeopleStore, c schema.ConnectionID, leaver schema.Account, entry string) (string, schema.ReceiverGap, error) {
	if !schema.IsReceiverRule(entry) {
		return entry, schema.GapNone, nil
	}
	r, err := s.ReceiverByRule(ctx, entry, c, leaver.ID, leaver.Login)
	return r.Login, r.Gap, err
}
