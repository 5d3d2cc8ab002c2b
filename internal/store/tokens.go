package store

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const tokenColumns = `id, name, role, coalesce(email, '') as email, created_at, created_by, expires_at, revoked_at, last_used_at`

// Authenticate returns the principal of a token by the SHA-256 of the token,
// and notes, once a minute at most, that it was used. CodeUnauthorized when it
// is unknown, expired or revoked.
func (s *Store) Authenticate(ctx context.Context, tokenHash [32]byte) (schema.Principal, error) {
	const op = "authenticate"
	row, ok, err := maybe[struct {
		TokenID schema.TokenID
		Name    string
		Role    schema.Role
		Email   string
		Stale   bool
	}](ctx, s.pool, `select id as token_id, name, role, coalesce(email, '') as email,
			coalesce(last_used_at < now() - interval '1 minute', true) as stale
		from api_token
		where token_hash = @hash and revoked_at is null and (expires_at is null or expires_at > now())`,
		args{"hash": tokenHash[:]})
	if err != nil {
		return schema.Principal{}, translate(op, err)
	}
	if !ok {
		return schema.Principal{}, &schema.Error{
			Code: schema.CodeUnauthorized, Message: "the token is unknown, expired or revoked",
			Fix: "ask an admin for a new one",
		}
	}
	if row.Stale {
		_, err = s.pool.Exec(ctx, `update api_token set last_used_at = now() where id = @id`, args{"id": row.TokenID})
	}
	return schema.Principal{TokenID: row.TokenID, Name: row.Name, Role: row.Role, Email: row.Email}, translate(op, err)
}

// CreateToken stores a token by its hash. CodeConflict when a valid token has
// the name.
func (s *Store) CreateToken(ctx context.Context, t schema.Token, tokenHash [32]byte, by schema.Principal) (schema.Token, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Token{}, err
	}
	t.CreatedBy = by.Name
	var created schema.Token
	err := s.inTx(ctx, "create token", func(ctx context.Context, tx *tx) (err error) {
		created, err = tx.insertToken(ctx, t, tokenHash, principal(by))
		return err
	})
	return created, err
}

// BootstrapToken stores the first admin token, by its hash, when no token was
// ever made. It reports whether it did.
func (s *Store) BootstrapToken(ctx context.Context, tokenHash [32]byte) (created bool, err error) {
	t := schema.Token{Name: "admin", Role: schema.RoleAdmin, CreatedBy: "sendoff"}
	err = s.inTx(ctx, "make the first token", func(ctx context.Context, tx *tx) error {
		if err := tx.lockKey(ctx, "first token"); err != nil {
			return err
		}
		exists, err := scalar[bool](ctx, tx, `select exists (select 1 from api_token)`, nil)
		if created = !exists; err != nil || exists {
			return err
		}
		_, err = tx.insertToken(ctx, t, tokenHash, engine())
		return err
	})
	return created && err == nil, err
}

func (t *tx) insertToken(ctx context.Context, token schema.Token, hash [32]byte, actor audit.Actor) (schema.Token, error) {
	if _, err := schema.ParseRole(string(token.Role)); err != nil {
		return token, &schema.Error{Code: schema.CodeInvalid, Message: err.Error()}
	}
	if token.Name == "" {
		return token, &schema.Error{Code: schema.CodeInvalid, Message: "a token needs a name"}
	}
	var err error
	if token.ID, err = newID[schema.TokenID](); err != nil {
		return token, err
	}
	stored, err := one[schema.Token](ctx, t, `insert into api_token (id, name, role, email, token_hash, created_at, created_by, expires_at)
		values (@id, @name, @role, nullif(@email, ''), @hash, @now, @created_by, @expires_at) returning `+tokenColumns,
		args{
			"id": token.ID, "name": token.Name, "role": token.Role, "email": strings.ToLower(token.Email), "hash": hash[:],
			"now": t.now, "created_by": token.CreatedBy, "expires_at": token.ExpiresAt,
		})
	if err != nil {
		return token, err
	}
	details := map[string]string{"name": token.Name, "role": string(token.Role)}
	if !token.ExpiresAt.IsZero() {
		details["expires_at"] = token.ExpiresAt.UTC().Format(time.RFC3339)
	}
	if token.Email != "" {
		details["holder"] = "a person" // the log is for ever and holds no addresses
	}
	t.record(audit.SystemStream, actor, "token.created", audit.Subject{TokenID: string(token.ID)}, details)
	return stored, nil
}

// ListTokens lists all tokens, revoked ones included, oldest first.
func (s *Store) ListTokens(ctx context.Context, after string, limit int) ([]schema.Token, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(after)
	if err != nil {
		return nil, "", err
	}
	tokens, err := all[schema.Token](ctx, s.pool, `select `+tokenColumns+` from api_token
		where @first or (created_at, id) > (@at, @id) order by created_at, id limit @limit`,
		args{"first": after == "", "at": from.At, "id": schema.TokenID(from.ID), "limit": limit + 1})
	if err != nil {
		return nil, "", translate("list tokens", err)
	}
	tokens, next := page(tokens, limit, func(t schema.Token) cursor { return cursor{t.CreatedAt, string(t.ID)} })
	return tokens, next, nil
}

// RevokeToken ends a token by its id or the name of a valid one. Repeating it
// is no change. CodeConflict for the last valid admin token without an expiry:
// nobody could make another.
func (s *Store) RevokeToken(ctx context.Context, nameOrID string, by schema.Principal) (schema.Token, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Token{}, err
	}
	var token schema.Token
	err := s.inTx(ctx, "revoke token", func(ctx context.Context, t *tx) error {
		// Two revocations at once must not each think the other's token remains.
		if err := t.lockKey(ctx, "revoke token"); err != nil {
			return err
		}
		where := `name = @ref and revoked_at is null`
		if uuid.Validate(nameOrID) == nil {
			where = `id = @ref::uuid`
		}
		var ok bool
		var err error
		token, ok, err = maybe[schema.Token](ctx, t, `select `+tokenColumns+` from api_token where `+where, args{"ref": nameOrID})
		if err != nil {
			return err
		}
		if !ok {
			return notFound("valid token", nameOrID)
		}
		if !token.RevokedAt.IsZero() {
			return nil
		}
		return t.revoke(ctx, &token, by)
	})
	return token, err
}

func (t *tx) revoke(ctx context.Context, token *schema.Token, by schema.Principal) error {
	if token.Role == schema.RoleAdmin {
		others, err := scalar[int](ctx, t, `select count(*) from api_token
			where role = @role and revoked_at is null and expires_at is null and id <> @id`,
			args{"role": schema.RoleAdmin, "id": token.ID})
		if err != nil {
			return err
		}
		if others == 0 && token.ExpiresAt.IsZero() {
			return conflict("this is the last admin token that does not expire: without it nobody could make another", "create another admin token first")
		}
	}
	token.RevokedAt = t.now
	err := t.changeOne(ctx, `update api_token set revoked_at = @now where id = @id`, args{"now": t.now, "id": token.ID})
	t.record(audit.SystemStream, principal(by), "token.revoked", audit.Subject{TokenID: string(token.ID)}, map[string]string{"name": token.Name})
	return err
}
