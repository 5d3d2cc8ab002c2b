package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/schema"
)

func TestADeclarationCountsUntilItEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	live := func() bool {
		declared, err := b.NoHoldsDeclared(ctx, b.conn.ID)
		require.NoError(t, err)
		return declared
	}
	require.False(t, live())
	for name, d := range map[string]schema.Declaration{
		"no reason":      {ExpiresAt: time.Now().Add(time.Hour)},
		"no expiry":      {Reason: "asked legal"},
		"over a year":    {Reason: "asked legal", ExpiresAt: time.Now().Add(366 * 24 * time.Hour)},
		"expired before": {Reason: "asked legal", ExpiresAt: time.Now().Add(-time.Hour)},
	} {
		_, err := b.DeclareNoHolds(ctx, "box", d, b.admin)
		require.Equal(t, schema.CodeInvalid, schema.CodeOf(err), name)
	}
	asked := schema.Declaration{Reason: "asked legal", ExpiresAt: time.Now().Add(30 * 24 * time.Hour)}
	_, err := b.DeclareNoHolds(ctx, "nowhere", asked, b.admin)
	requireCode(t, schema.CodeNotFound, err)
	_, err = b.WithdrawDeclaration(ctx, "box", "why", b.admin)
	requireCode(t, schema.CodeConflict, err)
	require.False(t, live())

	made, err := b.DeclareNoHolds(ctx, "box", asked, b.admin)
	require.NoError(t, err)
	require.True(t, live())
	require.Equal(t, "admin", made.DeclaredBy)
	all, err := b.Declarations(ctx)
	require.NoError(t, err)
	require.WithinDuration(t, made.ExpiresAt, all[b.conn.ID].ExpiresAt, time.Millisecond)
	require.True(t, all[b.conn.ID].Live(time.Now()))

	_, err = b.WithdrawDeclaration(ctx, "box", "there is one now", b.admin)
	require.NoError(t, err)
	require.False(t, live())
	_, err = b.DeclareNoHolds(ctx, "box", asked, b.admin)
	require.NoError(t, err, "declared anew")
	require.True(t, live())
	b.exec(`update no_holds_declaration set expires_at = now() - interval '1 second'`)
	require.False(t, live())
	_, err = b.WithdrawDeclaration(ctx, "box", "why", b.admin)
	requireCode(t, schema.CodeConflict, err)

	var actions []string
	for _, e := range b.auditOf(audit.ConnectionStream(string(b.conn.ID))) {
		actions = append(actions, e.Action)
	}
	require.Equal(t, []string{"connection.no_holds_declared", "connection.no_holds_withdrawn", "connection.no_holds_declared"}, actions[len(actions)-3:])
}
