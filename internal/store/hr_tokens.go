package store

import (
	"context"
	"strconv"
	"time"

	"sendoff/schema"
)

const sourceTokenColumns = `id, source_id, created_at, created_by, expires_at, revoked_at, last_used_at`

// Tokens of a source: how many may be valid at a time, and how many are listed.
const (
	maxSourceTokens  = 10
	listSourceTokens = 100
)

// CreateSourceToken stores a bearer token of a SCIM source by its hash. Several may
// be valid at a time, so that one can be replaced without a pause.
func (s *Store) CreateSourceToken(
	ctx context.Context, name string, tokenHash [32]byte, expires time.Time, by schema.Principal,
) (schema.SourceToken, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.SourceToken{}, err
	}
	var created schema.SourceToken
	err := s.inTx(ctx, "create the source's token", func(ctx context.Context, t *tx) error {
		src, err := t.lockSource(ctx, name)
		if err != nil {
			return err
		}
		if src.Kind != schema.SourceSCIM {
			return conflict("source "+name+" is of the kind "+string(src.Kind)+": only sources of the kind scim have tokens", "make a source of the kind scim")
		}
		if !expires.IsZero() && !expires.After(t.now) {
			return &schema.Error{Code: schema.CodeInvalid, Message: "the token would have expired already", Fix: "let it expire later, or never"}
		}
		if err := t.roomForToken(ctx, src); err != nil {
			return err
		}
		created, err = t.insertSourceToken(ctx, src, tokenHash, expires, by)
		return err
	})
	return created, err
}

func (t *tx) roomForToken(ctx context.Context, src schema.Source) error {
	valid, err := scalar[int](ctx, t, `select count(*) from hr_source_token
		where source_id = @id and revoked_at is null and (expires_at is null or expires_at > @now)`, args{"id": src.ID, "now": t.now})
	if err == nil && valid >= maxSourceTokens {
		err = conflict("source "+src.Name+" has "+strconv.Itoa(valid)+" valid tokens, the most there may be", "revoke one that is not used any more")
	}
	return err
}

func (t *tx) insertSourceToken(
	ctx context.Context, src schema.Source, tokenHash [32]byte, expires time.Time, by schema.Principal,
) (schema.SourceToken, error) {
	id, err := newID[schema.TokenID]()
	if err != nil {
		return schema.SourceToken{}, err
	}
	created, err := one[schema.SourceToken](ctx, t, `insert into hr_source_token (id, source_id, token_hash, created_at, created_by, expires_at)
		values (@id, @source, @hash, @now, @by, @expires) returning `+sourceTokenColumns,
		args{"id": id, "source": src.ID, "hash": tokenHash[:], "now": t.now, "by": by.Name, "expires": expires})
	if err != nil {
		return created, nameTaken(err, "hr_source_token_token_hash_key", "that token exists")
	}
	details := map[string]string{"token_id": string(id)}
	if !expires.IsZero() {
		details["expires_at"] = schema.FormatInstant(expires)
	}
	t.recordSource(src, by, "source.token_created", details)
	return created, nil
}

// ListSourceTokens lists the newest tokens of a source, revoked ones included,
// oldest first.
func (s *Store) ListSourceTokens(ctx context.Context, name string) ([]schema.SourceToken, error) {
	const op = "list the source's tokens"
	src, err := s.SourceByName(ctx, name)
	if err != nil {
		return nil, err
	}
	list, err := all[schema.SourceToken](ctx, s.pool, `select `+sourceTokenColumns+` from (
			select `+sourceTokenColumns+` from hr_source_token where source_id = @id order by created_at desc, id desc limit @limit) newest
		order by created_at, id`, args{"id": src.ID, "limit": listSourceTokens})
	return list, translate(op, err)
}

// RevokeSourceToken ends a token of a source. Repeating it is no change.
func (s *Store) RevokeSourceToken(ctx context.Context, name string, id schema.TokenID, by schema.Principal) (schema.SourceToken, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.SourceToken{}, err
	}
	var token schema.SourceToken
	err := s.inTx(ctx, "revoke the source's token", func(ctx context.Context, t *tx) error {
		src, err := t.lockSource(ctx, name)
		if err != nil {
			return err
		}
		var ok bool
		token, ok, err = maybe[schema.SourceToken](ctx, t, `select `+sourceTokenColumns+` from hr_source_token
			where id = @id and source_id = @source for no key update`, args{"id": id, "source": src.ID})
		if err == nil && !ok {
			err = &schema.Error{Code: schema.CodeNotFound, Message: "source " + name + " has no token " + string(id), Fix: "list its tokens"}
		}
		if err != nil || !token.RevokedAt.IsZero() {
			return err
		}
		token.RevokedAt = t.now
		t.recordSource(src, by, "source.token_revoked", map[string]string{"token_id": string(id)})
		return t.changeOne(ctx, `update hr_source_token set revoked_at = @now where id = @id`, args{"now": t.now, "id": id})
	})
	return token, err
}
