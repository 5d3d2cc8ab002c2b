package store

import (
	"context"

	"sendoff/schema"
)

const restrictionColumns = `r.id, r.kind, r.subject, r.connection_id, r.external_id, r.email, r.pattern, r.matter, r.reason,
	r.created_by, r.created_at, r.expires_at, r.ended_by, r.ended_at, r.end_reason`

// enterpriseConnections are the ids of every connection, also of those that were
// removed, to the enterprise that @connection reaches: a vendor's account is the
// same over any of them.
const enterpriseConnections = `(select c.id from connection c join connection m
	on (c.vendor, c.enterprise_id) = (m.vendor, m.enterprise_id) where m.id = @connection)`

// restrictionMatches tells whether the restriction r names the vendor's account:
// by its id, by its login or any address of a person it was ever known to be of, or
// by a pattern over its login. A connection stands for its enterprise.
const restrictionMatches = `(
	(r.subject = 'account' and r.external_id = @account and r.connection_id in ` + enterpriseConnections + `)
	or (r.subject = 'person' and (r.email = lower(@login)
		or r.email in (select named.email from person_email holder join person_email named using (person_id) where holder.email = lower(@login))
		or r.email in (select p.email from account a
		join person_account ap on ap.account_id = a.id join person_email p on p.person_id = ap.person_id where a.external_id = @account and a.connection_id in ` + enterpriseConnections + `)))
	or (r.subject = 'pattern' and lower(@login) like r.like_pattern
		and (r.connection_id is null or r.connection_id in ` + enterpriseConnections + `)))`

// RestrictionsOn returns the live holds and protections that apply to the
// vendor's account: by its id, by its login or its person's address, or by a
// pattern over its login. In the order of their ids, which are in hashes.
func (s *Store) RestrictionsOn(ctx context.Context, c schema.ConnectionID, id schema.ExternalID, login string) ([]schema.Restriction, error) {
	list, err := restrictionsOn(ctx, s.pool, c, id, login)
	return list, translate("read holds and protections", err)
}

func restrictionsOn(ctx context.Context, q querier, c schema.ConnectionID, id schema.ExternalID, login string) ([]schema.Restriction, error) {
	return all[schema.Restriction](ctx, q, `select `+restrictionColumns+` from restriction r
		where r.ended_at is null and (r.expires_at is null or r.expires_at > now()) and `+restrictionMatches+`
		order by r.id`, args{"connection": c, "account": id, "login": login})
}

// NoHoldsDeclared tells whether a declaration that the connection's vendor has no
// legal holds is live.
func (s *Store) NoHoldsDeclared(ctx context.Context, c schema.ConnectionID) (bool, error) {
	live, err := scalar[bool](ctx, s.pool, `select exists (select 1 from no_holds_declaration
		where connection_id = @connection and withdrawn_at is null and expires_at > now())`, args{"connection": c})
	return live, translate("read the declaration", err)
}

// gateRestrictions refuses a write that a hold or a protection forbids, in the
// transaction that journals its intent: one that was added before that commits
// stops it (promise 6). A protection forbids every write, a hold those that move
// or destroy content.
func (t *tx) gateRestrictions(ctx context.Context, p planRow, kind schema.StepKind) error {
	// Nobody may add one between this look and the commit.
	if err := t.run(ctx, `select pg_advisory_xact_lock_shared(hashtextextended('restrictions', 0))`, nil); err != nil {
		return err
	}
	live, err := restrictionsOn(ctx, t, p.ConnectionID, p.Facts.AccountID, p.Facts.Login)
	if err != nil {
		return err
	}
	for _, r := range live {
		switch {
		case r.Kind == schema.RestrictProtection:
			return &schema.Error{
				Code: schema.CodeProtected, Message: "account " + string(p.Facts.AccountID) + " is protected (" + string(r.ID) + ")",
				Fix: "cancel the case; or end the protection with sendoff protect remove " + string(r.ID) + ", then resume",
			}
		case kind.MovesContent():
			return &schema.Error{
				Code: schema.CodeHeld, Message: "account " + string(p.Facts.AccountID) + " is on hold (" + string(r.ID) + ")",
				Fix: "wait until the hold is released (sendoff hold release " + string(r.ID) + "), then resume",
			}
		}
	}
	return nil
}
