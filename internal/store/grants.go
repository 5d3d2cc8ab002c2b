package store

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// claimFor is how long a process alone may use a refresh token. Its request ends
// in half of that.
const claimFor = time.Minute

// sealedGrant is what of a grant is secret, or not asked for by SQL.
type sealedGrant struct {
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token"`
	RenewAt      time.Time `json:"renew_at"`
}

// grantAAD binds a sealed grant to its connection, its generation, and the URLs
// that its tokens are sent to.
func grantAAD(c schema.Connection, generation int64) []byte {
	return columnAAD("connection_grant", string(c.ID), "sealed", c.BaseURL, c.TokenURL, strconv.FormatInt(generation, 10))
}

func (s *Store) sealGrant(c schema.Connection, g schema.Grant) ([]byte, error) {
	if err := s.requireSealer(); err != nil {
		return nil, err
	}
	if g.AccessToken == "" || g.RefreshToken == "" || g.Generation < 1 {
		return nil, &schema.Error{Code: schema.CodeInvalid, Message: "a grant needs an access token, a refresh token and a generation"}
	}
	plain, err := json.Marshal(sealedGrant{AccessToken: g.AccessToken, RefreshToken: g.RefreshToken, RenewAt: g.RenewAt.UTC()})
	if err != nil {
		return nil, err
	}
	return s.sealer.Seal(sealPurpose, grantAAD(c, g.Generation), plain)
}

// LoadGrant returns the grant of a connection as it is stored now. CodeNotFound
// when it has none or was removed.
func (s *Store) LoadGrant(ctx context.Context, id schema.ConnectionID) (schema.Grant, error) {
	const op = "read the connection's grant"
	if err := s.requireSealer(); err != nil {
		return schema.Grant{}, err
	}
	row, ok, err := maybe[struct {
		ID, BaseURL, TokenURL string
		Generation            int64
		Sealed                []byte
		ExpiresAt             time.Time
		Unanswered            bool
		Lost                  schema.GrantLoss
	}](ctx, s.pool, `select c.id::text as id, c.base_url, c.token_url, g.generation, g.sealed, g.expires_at, g.unanswered, g.lost
		from connection_grant g join connection c on c.id = g.connection_id
		where c.id = @id and c.state <> 'removed' and g.sealed is not null`, args{"id": id})
	if err != nil {
		return schema.Grant{}, translate(op, err)
	}
	if !ok {
		return schema.Grant{}, notFound("grant of connection", string(id))
	}
	of := schema.Connection{ID: schema.ConnectionID(row.ID), BaseURL: row.BaseURL, TokenURL: row.TokenURL}
	plain, err := s.sealer.Open(sealPurpose, grantAAD(of, row.Generation), row.Sealed)
	if err != nil {
		return schema.Grant{}, translate(op, err)
	}
	var kept sealedGrant
	if err := json.Unmarshal(plain, &kept); err != nil {
		return schema.Grant{}, &schema.Error{Code: schema.CodeInternal, Message: op + ": what was sealed is no grant"}
	}
	return schema.Grant{
		AccessToken: kept.AccessToken, RefreshToken: kept.RefreshToken, RenewAt: kept.RenewAt,
		ExpiresAt: row.ExpiresAt, Generation: row.Generation, Unanswered: row.Unanswered, Lost: row.Lost,
	}, nil
}

// ClaimRefresh gives the caller alone the right to use the refresh token of that
// generation, until it stores the successor, releases it, or a minute passed by the
// database's clock. Crashed tells that an earlier claim ran out without an answer,
// since the last successor was stored.
func (s *Store) ClaimRefresh(ctx context.Context, id schema.ConnectionID, generation int64) (claimed, crashed bool, err error) {
	err = s.inTx(ctx, "claim the refresh", func(ctx context.Context, t *tx) error {
		row, ok, err := maybe[struct{ Unanswered bool }](ctx, t, `update connection_grant set
				claimed_until = now() + @hold::interval, unanswered = unanswered or claimed_until is not null, updated_at = now()
			where connection_id = @id and generation = @generation and sealed is not null and lost = ''
				and (claimed_until is null or claimed_until <= now())
			returning unanswered`, args{"id": id, "generation": generation, "hold": claimFor})
		claimed, crashed = ok, row.Unanswered
		return err
	})
	return claimed && err == nil, crashed, err
}

// StoreGrant stores the successor of the generation before its own, and ends the
// claim. CodeConflict when that is no longer the stored one.
func (s *Store) StoreGrant(ctx context.Context, id schema.ConnectionID, g schema.Grant) error {
	return s.inTx(ctx, "store the renewed grant", func(ctx context.Context, t *tx) error {
		c, ok, err := maybe[schema.Connection](ctx, t, `select `+connectionColumns+` from connection
			where id = @id and state <> 'removed' for key share`, args{"id": id})
		if err != nil {
			return err
		}
		if !ok {
			return notFound("connection", string(id))
		}
		sealed, err := s.sealGrant(c, g)
		if err != nil {
			return err
		}
		tag, err := t.Exec(ctx, `update connection_grant set generation = @generation, sealed = @sealed, expires_at = @expires_at,
				claimed_until = null, unanswered = false, lost = '', updated_at = now()
			where connection_id = @id and generation = @generation - 1 and sealed is not null`,
			args{"id": id, "generation": g.Generation, "sealed": sealed, "expires_at": g.ExpiresAt})
		if err == nil && tag.RowsAffected() == 0 {
			return conflict("the connection's grant was renewed meanwhile", "use what is stored")
		}
		return err
	})
}

// ReleaseRefresh gives a claim back. With a loss the grant is marked as one that
// no refresh can bring back, which is recorded; "" leaves it as it is. It does
// nothing when the generation is no longer the stored one.
func (s *Store) ReleaseRefresh(ctx context.Context, id schema.ConnectionID, generation int64, loss schema.GrantLoss) error {
	return s.inTx(ctx, "release the refresh", func(ctx context.Context, t *tx) error {
		tag, err := t.Exec(ctx, `update connection_grant set claimed_until = null, lost = @loss, updated_at = now()
			where connection_id = @id and generation = @generation and sealed is not null and lost = ''`,
			args{"id": id, "generation": generation, "loss": loss})
		if err == nil && tag.RowsAffected() == 1 && loss != "" {
			t.record(audit.ConnectionStream(string(id)), engine(), "connection.grant_lost", audit.Subject{ConnectionID: string(id)},
				map[string]string{"loss": string(loss)})
		}
		return err
	})
}

// CreateConnectionWithGrant is CreateConnection for one that a person consented
// to: connection and grant are stored together.
func (s *Store) CreateConnectionWithGrant(ctx context.Context, c schema.Connection, secret string, g schema.Grant, by schema.Principal) (schema.Connection, error) {
	return s.createConnection(ctx, c, secret, &g, by)
}

// RenewConnectionGrant replaces grant, secret and client id of a connection by
// those of a new consent. CodeConflict when it is no longer at c's version.
func (s *Store) RenewConnectionGrant(ctx context.Context, c schema.Connection, secret string, g schema.Grant, by schema.Principal) (schema.Connection, error) {
	return s.replaceSecret(ctx, c, secret, "connection.consented", by, func(ctx context.Context, t *tx) error {
		last, err := scalar[int64](ctx, t, `select coalesce(max(generation), 0) from connection_grant where connection_id = @id`, args{"id": c.ID})
		if err != nil {
			return err
		}
		g.Generation = last + 1
		return s.insertGrant(ctx, t, c, g)
	})
}

func (s *Store) insertGrant(ctx context.Context, t *tx, c schema.Connection, g schema.Grant) error {
	sealed, err := s.sealGrant(c, g)
	if err != nil {
		return err
	}
	return t.changeOne(ctx, `insert into connection_grant (connection_id, generation, sealed, expires_at, updated_at)
		values (@id, @generation, @sealed, @expires_at, now())
		on conflict (connection_id) do update set generation = excluded.generation, sealed = excluded.sealed, expires_at = excluded.expires_at,
			claimed_until = null, unanswered = false, lost = '', updated_at = now()`,
		args{"id": c.ID, "generation": g.Generation, "sealed": sealed, "expires_at": g.ExpiresAt})
}

// doubtGrants remembers, after a restore, that the single-use tokens of a backup
// may have been used since.
func (t *tx) doubtGrants(ctx context.Context) error {
	return t.run(ctx, `update connection_grant set unanswered = true, claimed_until = null where sealed is not null and lost = ''`, nil)
}

// destroyGrant forgets the tokens of a connection.
func (t *tx) destroyGrant(ctx context.Context, id schema.ConnectionID) error {
	return t.run(ctx, `update connection_grant set sealed = null, claimed_until = null, updated_at = now() where connection_id = @id`, args{"id": id})
}

// RemoveConnection forgets a connection, its secret and its grant, and records
// what became of its tokens. CodeConflict while plans are open on it.
func (s *Store) RemoveConnection(ctx context.Context, name, reason string, r schema.Revocation, by schema.Principal) (schema.Connection, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Connection{}, err
	}
	var c schema.Connection
	err := s.inTx(ctx, "remove connection", func(ctx context.Context, t *tx) (err error) {
		c, err = t.changeConnection(ctx, name, schema.ConnectionRemoved, map[string]string{
			"reason": reason, "tokens_revoked": strconv.FormatBool(r.Revoked), "revocation_proven": strconv.FormatBool(r.Proven), "revocation": r.Why,
		}, by)
		return err
	})
	return c, err
}

// OpenPlansOn counts the plans of a connection that have not ended.
func (s *Store) OpenPlansOn(ctx context.Context, id schema.ConnectionID) (int, error) {
	n, err := scalar[int](ctx, s.pool, `select count(*) from plan
		where connection_id = @id and state not in ('done', 'cancelled', 'superseded')`, args{"id": id})
	return n, translate("count open plans", err)
}
