package store

import (
	"context"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// ConnectionSecret opens the secret of a connection, and returns the connection
// as it was when the secret was read: the two always fit. CodeNotFound when it was
// removed; the sealer's own error when key or URLs are not those it was sealed
// with.
func (s *Store) ConnectionSecret(ctx context.Context, id schema.ConnectionID) (schema.Connection, string, error) {
	const op = "open the connection's secret"
	if err := s.requireSealer(); err != nil {
		return schema.Connection{}, "", err
	}
	row, ok, err := maybe[struct {
		schema.Connection
		Secret []byte
	}](ctx, s.pool, `select `+connectionColumns+`, secret from connection where id = @id and secret is not null`, args{"id": id})
	if err != nil {
		return schema.Connection{}, "", translate(op, err)
	}
	if !ok {
		return schema.Connection{}, "", notFound("secret of connection", string(id))
	}
	plain, err := s.sealer.Open(sealPurpose, secretAAD(row.Connection), row.Secret)
	return row.Connection, string(plain), translate(op, err)
}

// RotateConnection replaces the secret of a connection, its kind of sign-in and
// its client id by those of c, and raises its version, so that every process opens
// it anew. Nothing of the old secret stays. CodeConflict when the connection is no
// longer at c's version.
func (s *Store) RotateConnection(ctx context.Context, c schema.Connection, secret string, by schema.Principal) (schema.Connection, error) {
	return s.replaceSecret(ctx, c, secret, "connection.rotated", by, nil)
}

// replaceSecret is RotateConnection, and what else is to be replaced with it.
func (s *Store) replaceSecret(
	ctx context.Context, c schema.Connection, secret, action string, by schema.Principal, also func(context.Context, *tx) error,
) (schema.Connection, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Connection{}, err
	}
	if err := s.requireSealer(); err != nil {
		return schema.Connection{}, err
	}
	if secret == "" {
		return schema.Connection{}, &schema.Error{Code: schema.CodeInvalid, Message: "a connection needs a secret"}
	}
	sealed, err := s.sealer.Seal(sealPurpose, secretAAD(c), []byte(secret))
	if err != nil {
		return schema.Connection{}, err
	}
	var rotated schema.Connection
	err = s.inTx(ctx, "rotate credentials", func(ctx context.Context, t *tx) error {
		var ok bool
		var err error
		rotated, ok, err = maybe[schema.Connection](ctx, t, `update connection set secret = @secret, auth_kind = @auth_kind,
				client_id = @client_id, version = version + 1, updated_at = @now
			where id = @id and version = @version and state <> 'removed' and base_url = @base_url and token_url = @token_url
			returning `+connectionColumns,
			args{
				"secret": sealed, "auth_kind": c.AuthKind.OrDefault(), "client_id": c.ClientID, "now": t.now,
				"id": c.ID, "version": c.Version, "base_url": c.BaseURL, "token_url": c.TokenURL,
			})
		if err != nil {
			return err
		}
		if !ok {
			return conflict("connection "+c.Name+" was changed meanwhile", "look at it and rotate again")
		}
		t.record(audit.ConnectionStream(string(c.ID)), principal(by), action, audit.Subject{ConnectionID: string(c.ID)},
			map[string]string{"auth_kind": string(rotated.AuthKind), "client_id": rotated.ClientID})
		if also != nil {
			return also(ctx, t)
		}
		return nil
	})
	return rotated, err
}
