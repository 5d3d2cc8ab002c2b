package store_test

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	hash := sha256.Sum256([]byte("ci"))
	expires := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	token, err := b.CreateToken(ctx, schema.Token{Name: "ci", Role: schema.RoleOperator, Email: "Ada@example.com", ExpiresAt: expires}, hash, b.admin)
	require.NoError(t, err)
	require.Equal(t, expires, token.ExpiresAt)
	require.Equal(t, "admin", token.CreatedBy)
	require.True(t, token.LastUsedAt.IsZero())

	t.Run("a token names its principal and is noted as used", func(t *testing.T) {
		p, err := b.Authenticate(ctx, hash)
		require.NoError(t, err)
		require.Equal(t, schema.Principal{TokenID: token.ID, Name: "ci", Role: schema.RoleOperator, Email: "ada@example.com"}, p)
		tokens, next, err := b.ListTokens(ctx, "", 100)
		require.NoError(t, err)
		require.Empty(t, next)
		require.Len(t, tokens, 2)
		require.False(t, tokens[1].LastUsedAt.IsZero())
		require.Equal(t, "ada@example.com", tokens[1].Email)
		require.Empty(t, tokens[0].Email)
		var logged bool
		require.NoError(t, b.sql().QueryRow(ctx, `select bool_or(position('ada@example.com'::bytea in body) > 0) from audit_record`).Scan(&logged))
		require.False(t, logged, "the audit log holds no addresses")
	})
	t.Run("unknown and expired tokens are refused", func(t *testing.T) {
		_, err := b.Authenticate(ctx, sha256.Sum256([]byte("other")))
		requireCode(t, schema.CodeUnauthorized, err)
		old := sha256.Sum256([]byte("old"))
		_, err = b.CreateToken(ctx, schema.Token{Name: "old", Role: schema.RoleAuditor, ExpiresAt: time.Now().Add(-time.Second)}, old, b.admin)
		require.NoError(t, err)
		_, err = b.Authenticate(ctx, old)
		requireCode(t, schema.CodeUnauthorized, err)
	})
	t.Run("a name is taken once, a role must be known, a principal named", func(t *testing.T) {
		_, err := b.CreateToken(ctx, schema.Token{Name: "ci", Role: schema.RoleOperator}, sha256.Sum256([]byte("x")), b.admin)
		requireCode(t, schema.CodeConflict, err)
		_, err = b.CreateToken(ctx, schema.Token{Name: "y", Role: "king"}, sha256.Sum256([]byte("y")), b.admin)
		requireCode(t, schema.CodeInvalid, err)
		_, err = b.CreateToken(ctx, schema.Token{Name: "z", Role: schema.RoleAdmin}, sha256.Sum256([]byte("z")), schema.Principal{})
		requireCode(t, schema.CodeUnauthorized, err)
	})
	t.Run("a list continues where a page ended", func(t *testing.T) {
		var names []string
		after := ""
		for {
			tokens, next, err := b.ListTokens(ctx, after, 1)
			require.NoError(t, err)
			require.Len(t, tokens, 1)
			names = append(names, tokens[0].Name)
			if after = next; after == "" {
				break
			}
		}
		require.Equal(t, []string{"admin", "ci", "old"}, names)
		_, _, err := b.ListTokens(ctx, "nonsense", 1)
		requireCode(t, schema.CodeInvalid, err)
		_, _, err = b.ListTokens(ctx, "", 0)
		requireCode(t, schema.CodeInvalid, err)
	})
	t.Run("a revoked token is out, its name free", func(t *testing.T) {
		revoked, err := b.RevokeToken(ctx, "ci", b.admin)
		require.NoError(t, err)
		require.False(t, revoked.RevokedAt.IsZero())
		again, err := b.RevokeToken(ctx, string(token.ID), b.admin)
		require.NoError(t, err)
		require.Equal(t, revoked.RevokedAt, again.RevokedAt)
		_, err = b.Authenticate(ctx, hash)
		requireCode(t, schema.CodeUnauthorized, err)
		_, err = b.CreateToken(ctx, schema.Token{Name: "ci", Role: schema.RoleOperator}, sha256.Sum256([]byte("new")), b.admin)
		require.NoError(t, err)
		_, err = b.RevokeToken(ctx, "nobody", b.admin)
		requireCode(t, schema.CodeNotFound, err)
	})
	t.Run("the last admin token stays", func(t *testing.T) {
		_, err := b.RevokeToken(ctx, "admin", b.admin)
		requireCode(t, schema.CodeConflict, err)
		b.principal("second")
		_, err = b.RevokeToken(ctx, "admin", b.admin)
		require.NoError(t, err)
	})
}

func TestBootstrapTokenIsMadeOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`delete from api_token`)
	var made atomic.Int32
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			created, err := b.BootstrapToken(t.Context(), sha256.Sum256([]byte{byte(i)}))
			if errs[i] = err; created {
				made.Add(1)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, made.Load())
	tokens, _, err := b.ListTokens(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, tokens, 1)
	require.Equal(t, schema.RoleAdmin, tokens[0].Role)
}
