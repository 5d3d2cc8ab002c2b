package store_test

import (
	"crypto/sha256"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/internal/store"
	"sendoff/schema"
)

var _ connectors.GrantStore = (*store.Store)(nil)

func grant(access, refresh string) schema.Grant {
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	return schema.Grant{AccessToken: access, RefreshToken: refresh, ExpiresAt: at.Add(time.Hour), RenewAt: at, Generation: 1}
}

// consented makes a connection that a person consented to.
func (b *bundle) consented(name string) schema.Connection {
	b.t.Helper()
	c, err := b.CreateConnectionWithGrant(b.t.Context(), schema.Connection{
		Name: name, Vendor: "box", BaseURL: "https://api.example.com", TokenURL: "https://api.example.com/oauth2/token",
		AuthKind: schema.AuthCode, ClientID: "client", EnterpriseID: "901", AsUser: "7", Owner: "owner@example.com",
	}, "hunter2", grant("access-1", "refresh-1"), b.admin)
	require.NoError(b.t, err)
	return c
}

func errorCode(t *testing.T, want schema.Code, err error) {
	t.Helper()
	require.Equal(t, want, schema.CodeOf(err), "%v", err)
}

func TestGrantsAreStoredSealedAndMoveOnByOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	c := b.consented("consented")
	require.Equal(t, "owner@example.com", c.Owner)
	got, err := b.LoadGrant(ctx, c.ID)
	require.NoError(t, err)
	require.Equal(t, grant("access-1", "refresh-1"), got)
	_, err = b.LoadGrant(ctx, b.conn.ID)
	errorCode(t, schema.CodeNotFound, err)

	var sealed []byte
	require.NoError(t, b.sql().QueryRow(ctx, `select sealed from connection_grant where connection_id = $1`, string(c.ID)).Scan(&sealed))
	require.NotContains(t, string(sealed), "refresh-1")

	next := grant("access-2", "refresh-2")
	next.Generation = 2
	require.NoError(t, b.StoreGrant(ctx, c.ID, next))
	errorCode(t, schema.CodeConflict, b.StoreGrant(ctx, c.ID, next))
	got, err = b.LoadGrant(ctx, c.ID)
	require.NoError(t, err)
	require.Equal(t, next, got)

	// Neither another row, another host nor an older generation opens it.
	for _, change := range []string{
		`update connection set token_url = 'https://evil.example.com/oauth2/token' where name = 'consented'`,
		`update connection set token_url = 'https://api.example.com/oauth2/token' where name = 'consented';
		 update connection_grant set generation = 3`,
	} {
		b.exec(change)
		_, err = b.LoadGrant(ctx, c.ID)
		require.Error(t, err)
	}
}

func TestOneProcessAloneClaimsARefresh(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	c := b.consented("consented")
	other := b.open()
	claims := make(chan bool, 8)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			s := b.Store
			if i%2 == 0 {
				s = other
			}
			claimed, crashed, err := s.ClaimRefresh(ctx, c.ID, 1)
			if err == nil && !crashed {
				claims <- claimed
			}
		})
	}
	all.Wait()
	close(claims)
	won := 0
	for claimed := range claims {
		if claimed {
			won++
		}
	}
	require.Equal(t, 1, won)

	// Given back unharmed, it is claimed as if nothing had been.
	require.NoError(t, b.ReleaseRefresh(ctx, c.ID, 1, ""))
	claimed, crashed, err := other.ClaimRefresh(ctx, c.ID, 1)
	require.NoError(t, err)
	require.True(t, claimed)
	require.False(t, crashed)
	claimed, _, err = other.ClaimRefresh(ctx, c.ID, 2)
	require.NoError(t, err)
	require.False(t, claimed, "another generation than the stored one")
}

func TestAClaimThatRanOutIsRememberedUntilASuccessor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	c := b.consented("consented")
	claimed, _, err := b.ClaimRefresh(ctx, c.ID, 1)
	require.NoError(t, err)
	require.True(t, claimed)
	b.exec(`update connection_grant set claimed_until = now()`)
	claimed, crashed, err := b.ClaimRefresh(ctx, c.ID, 1)
	require.NoError(t, err)
	require.True(t, claimed)
	require.True(t, crashed)
	require.NoError(t, b.ReleaseRefresh(ctx, c.ID, 1, ""))
	_, crashed, err = b.ClaimRefresh(ctx, c.ID, 1)
	require.NoError(t, err)
	require.True(t, crashed, "a request that was not sent says nothing of the one that was")

	require.NoError(t, b.ReleaseRefresh(ctx, c.ID, 1, schema.GrantUnanswered))
	got, err := b.LoadGrant(ctx, c.ID)
	require.NoError(t, err)
	require.Equal(t, schema.GrantUnanswered, got.Lost)
	claimed, _, err = b.ClaimRefresh(ctx, c.ID, 1)
	require.NoError(t, err)
	require.False(t, claimed, "what is lost is not refreshed")

	// The answer was only late.
	next := grant("access-2", "refresh-2")
	next.Generation = 2
	require.NoError(t, b.StoreGrant(ctx, c.ID, next))
	got, err = b.LoadGrant(ctx, c.ID)
	require.NoError(t, err)
	require.Equal(t, next, got)
}

func TestAConsentIsRenewedInPlace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	c := b.consented("consented")
	require.NoError(t, b.ReleaseRefresh(ctx, c.ID, 1, schema.GrantRevoked))
	c.ClientID = "client-2"
	renewed, err := b.RenewConnectionGrant(ctx, c, "hunter3", grant("access-9", "refresh-9"), b.admin)
	require.NoError(t, err)
	require.Equal(t, c.Version+1, renewed.Version)
	_, secret, err := b.ConnectionSecret(ctx, c.ID)
	require.NoError(t, err)
	require.Equal(t, "hunter3", secret)
	got, err := b.LoadGrant(ctx, c.ID)
	require.NoError(t, err)
	require.Equal(t, int64(2), got.Generation, "who refreshes the one before notices")
	require.Equal(t, "refresh-9", got.RefreshToken)
	require.Empty(t, got.Lost)
	_, err = b.RenewConnectionGrant(ctx, c, "hunter4", grant("access-8", "refresh-8"), b.admin)
	errorCode(t, schema.CodeConflict, err)
}

func TestRemovalDestroysTheGrant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	c := b.consented("consented")
	removed, err := b.RemoveConnection(ctx, "consented", "moved", schema.Revocation{Revoked: true, Proven: true, Why: "shown"}, b.admin)
	require.NoError(t, err)
	require.Equal(t, schema.ConnectionRemoved, removed.State)
	_, err = b.LoadGrant(ctx, c.ID)
	errorCode(t, schema.CodeNotFound, err)
	claimed, _, err := b.ClaimRefresh(ctx, c.ID, 1)
	require.NoError(t, err)
	require.False(t, claimed)
	next := grant("access-2", "refresh-2")
	next.Generation = 2
	errorCode(t, schema.CodeNotFound, b.StoreGrant(ctx, c.ID, next))
	var kept int
	require.NoError(t, b.sql().QueryRow(ctx, `select count(*) from connection_grant where sealed is not null`).Scan(&kept))
	require.Zero(t, kept)
	b.consented("consented") // the name is free again
}

func TestNoCallRateForADisabledConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	_, err := b.SetConnectionState(ctx, "box", schema.ConnectionDisabled, "", b.admin)
	require.NoError(t, err)
	_, _, err = b.Lease(ctx, string(b.conn.ID), "", 1, 960)
	errorCode(t, schema.CodeClosed, err)
	_, err = b.SetConnectionState(ctx, "box", schema.ConnectionEnabled, "", b.admin)
	require.NoError(t, err)
	granted, _, err := b.Lease(ctx, string(b.conn.ID), "", 1, 960)
	require.NoError(t, err)
	require.Equal(t, 1, granted)
}

func TestASignInEndsOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	begin := func(state string) [32]byte {
		hash := sha256.Sum256([]byte(state))
		expires, err := b.BeginConsent(ctx, hash, schema.PendingConsent{
			Connection: schema.Connection{Name: "new", ClientID: "client"}, ClientSecret: "hunter2", RedirectURL: "http://127.0.0.1:1/callback", By: b.admin,
		})
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(10*time.Minute), expires, time.Minute)
		return hash
	}
	hash := begin("one")
	_, err := b.TakeConsent(ctx, sha256.Sum256([]byte("guessed")))
	errorCode(t, schema.CodeNotFound, err)
	var sealed []byte
	require.NoError(t, b.sql().QueryRow(ctx, `select sealed from consent`).Scan(&sealed))
	require.NotContains(t, string(sealed), "hunter2")

	var taken []schema.PendingConsent
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if p, err := b.TakeConsent(ctx, hash); err == nil {
				mu.Lock()
				defer mu.Unlock()
				taken = append(taken, p)
			}
		})
	}
	all.Wait()
	require.Len(t, taken, 1)
	require.Equal(t, "hunter2", taken[0].ClientSecret)
	require.Equal(t, b.admin, taken[0].By)
	_, err = b.TakeConsent(ctx, hash)
	errorCode(t, schema.CodeClosed, err)
	require.ErrorContains(t, err, "good once")

	late := begin("late")
	b.exec(`update consent set expires_at = now() where used_at is null`)
	_, err = b.TakeConsent(ctx, late)
	errorCode(t, schema.CodeClosed, err)
	require.ErrorContains(t, err, "ten minutes")

	// A sign-in ends with the token that began it.
	orphan := begin("orphan")
	b.exec(`update api_token set revoked_at = now() where name = '` + b.admin.Name + `'`)
	_, err = b.TakeConsent(ctx, orphan)
	errorCode(t, schema.CodeForbidden, err)
	b.exec(`update consent set expires_at = now() where used_at is null`)

	// Begun anew, the secrets of what ended are gone, and later all of it.
	begin("next")
	var left int
	require.NoError(t, b.sql().QueryRow(ctx, `select count(*) from consent where sealed is not null`).Scan(&left))
	require.Equal(t, 1, left)
	b.exec(`update consent set expires_at = now() - interval '2 hours'`)
	begin("last")
	require.NoError(t, b.sql().QueryRow(ctx, `select count(*) from consent`).Scan(&left))
	require.Equal(t, 1, left)
}

// What a sign-in holds must survive being sealed.
func TestPendingConsentsAreWhole(t *testing.T) {
	t.Parallel()
	p := schema.PendingConsent{
		Connection: schema.Connection{ID: "1", Name: "n", Owner: "o", ReadOnly: true, Version: 3}, ClientSecret: "s", RedirectURL: "r",
		By: schema.Principal{TokenID: "t", Name: "n", Role: schema.RoleAdmin},
	}
	raw, err := json.Marshal(p)
	require.NoError(t, err)
	var back schema.PendingConsent
	require.NoError(t, json.Unmarshal(raw, &back))
	require.Equal(t, p, back)
}

// After a restore the tokens of the backup may have been used.
func TestRecoveryDoubtsGrants(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.consented("consented")
	_, _, err := b.ClaimRefresh(t.Context(), c.ID, 1)
	require.NoError(t, err)
	b.recover()
	claimed, crashed, err := b.ClaimRefresh(t.Context(), c.ID, 1)
	require.NoError(t, err)
	require.True(t, claimed)
	require.True(t, crashed)
}
