package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"time"

	"sendoff/schema"
)

const (
	// consentFor is how long a person has to sign in at the vendor.
	consentFor = 10 * time.Minute
	// consentKept is how long a used or expired state is told from an unknown one.
	consentKept = time.Hour
)

func consentAAD(stateHash [32]byte) []byte {
	return columnAAD("consent", hex.EncodeToString(stateHash[:]), "sealed")
}

// BeginConsent keeps a sign-in, its secret sealed, under the SHA-256 of its state,
// for ten minutes. It returns when that ends, and drops those that ended long ago.
func (s *Store) BeginConsent(ctx context.Context, stateHash [32]byte, p schema.PendingConsent) (time.Time, error) {
	if err := checkPrincipal(p.By); err != nil {
		return time.Time{}, err
	}
	if err := s.requireSealer(); err != nil {
		return time.Time{}, err
	}
	plain, err := json.Marshal(p)
	if err != nil {
		return time.Time{}, err
	}
	sealed, err := s.sealer.Seal(sealPurpose, consentAAD(stateHash), plain)
	if err != nil {
		return time.Time{}, err
	}
	var expires time.Time
	err = s.inTx(ctx, "begin the sign-in", func(ctx context.Context, t *tx) error {
		expires = t.now.Add(consentFor)
		if err := t.run(ctx, `delete from consent where expires_at < @before`, args{"before": t.now.Add(-consentKept)}); err != nil {
			return err
		}
		// The secret of a sign-in that nobody came back from need not wait for that.
		if err := t.run(ctx, `update consent set sealed = null, used_at = expires_at where expires_at < @now and used_at is null`, args{"now": t.now}); err != nil {
			return err
		}
		return t.run(ctx, `insert into consent (state_hash, sealed, expires_at) values (@hash, @sealed, @expires)`,
			args{"hash": stateHash[:], "sealed": sealed, "expires": expires})
	})
	return expires, err
}

// TakeConsent returns the sign-in of a state and uses the state up, so that it is
// returned once. CodeNotFound when it is unknown, CodeClosed when it was used or
// its ten minutes are over, CodeForbidden when whoever began it lost the right to.
func (s *Store) TakeConsent(ctx context.Context, stateHash [32]byte) (schema.PendingConsent, error) {
	const op, again = "end the sign-in", "begin the sign-in again"
	if err := s.requireSealer(); err != nil {
		return schema.PendingConsent{}, err
	}
	var p schema.PendingConsent
	err := s.inTx(ctx, op, func(ctx context.Context, t *tx) error {
		row, ok, err := maybe[struct {
			Sealed    []byte
			ExpiresAt time.Time
			UsedAt    time.Time
		}](ctx, t, `select sealed, expires_at, used_at from consent where state_hash = @hash for update`, args{"hash": stateHash[:]})
		switch {
		case err != nil:
			return err
		case !ok:
			return &schema.Error{Code: schema.CodeNotFound, Message: "no sign-in with this state was begun here", Fix: again}
		case !t.now.Before(row.ExpiresAt):
			return &schema.Error{Code: schema.CodeClosed, Message: "the sign-in took longer than ten minutes", Fix: again}
		case !row.UsedAt.IsZero():
			return &schema.Error{Code: schema.CodeClosed, Message: "this sign-in was ended before: a state is good once", Fix: again}
		}
		plain, err := s.sealer.Open(sealPurpose, consentAAD(stateHash), row.Sealed)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(plain, &p); err != nil {
			return &schema.Error{Code: schema.CodeInternal, Message: op + ": what was sealed is no sign-in"}
		}
		if err := t.stillAdmin(ctx, p.By); err != nil {
			return err
		}
		return t.changeOne(ctx, `update consent set sealed = null, used_at = @now where state_hash = @hash`, args{"hash": stateHash[:], "now": t.now})
	})
	if err != nil {
		return schema.PendingConsent{}, err
	}
	return p, nil
}

// stillAdmin refuses what a token began that has been revoked or has run out since.
func (t *tx) stillAdmin(ctx context.Context, by schema.Principal) error {
	valid, err := scalar[bool](ctx, t, `select exists (select 1 from api_token
		where id = @id and role = 'admin' and revoked_at is null and (expires_at is null or expires_at > @now))`, args{"id": by.TokenID, "now": t.now})
	if err == nil && !valid {
		err = &schema.Error{
			Code: schema.CodeForbidden, Message: "the token that began the sign-in is no longer valid", Fix: "begin the sign-in again with a valid admin token",
		}
	}
	return err
}
