package store

import (
	"context"

	"sendoff/schema"
)

// AuthenticateSource returns the enabled source of a token by the SHA-256 of the
// token; CodeUnauthorized when unknown, expired or revoked. Any request that
// proves itself is a sign of life: it is noted once a minute at most.
func (s *Store) AuthenticateSource(ctx context.Context, tokenHash [32]byte) (schema.Source, error) {
	const op = "authenticate the source"
	row, ok, err := maybe[struct {
		sourceRow
		TokenID schema.TokenID
		Stale   bool
	}](ctx, s.pool, `select k.id as token_id,
			coalesce(k.last_used_at < now() - interval '1 minute', true) or coalesce(s.last_heard_at < now() - interval '1 minute', true) as stale, s.*
		from hr_source_token k join lateral (select `+sourceColumns+` from hr_source where id = k.source_id) s on true
		where k.token_hash = @hash and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
			and s.state = 'enabled' and s.kind = 'scim'`, args{"hash": tokenHash[:]})
	if err != nil {
		return schema.Source{}, translate(op, err)
	}
	if !ok {
		return schema.Source{}, &schema.Error{
			Code: schema.CodeUnauthorized, Message: "the token is unknown, expired or revoked, or its source is not enabled", Fix: "ask an admin for a new one",
		}
	}
	if row.Stale {
		err = s.heardByToken(ctx, row.ID, row.TokenID)
	}
	return row.source(), translate(op, err)
}

// heardByToken notes that a token was used and its source heard. Whoever finds a
// row taken leaves it to the other.
func (s *Store) heardByToken(ctx context.Context, source schema.SourceID, token schema.TokenID) error {
	_, err := s.pool.Exec(ctx, `with free as (select id from hr_source where id = @source for no key update skip locked),
		heard as (update hr_source s set last_heard_at = now() from free where s.id = free.id),
		used as (update hr_source_token k set last_used_at = now() from free where k.id = @token)
		update alarm a set cleared_at = now() from free
		where a.source_id = free.id and a.connection_id is null and a.code = @silent and a.cleared_at is null`,
		args{"source": source, "token": token, "silent": schema.AlarmFeedSilent})
	return err
}
