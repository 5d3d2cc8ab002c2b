package store_test

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/secret"
	"sendoff/internal/store"
	"sendoff/schema"
)

func TestConnections(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()

	t.Run("is stored with its secret sealed", func(t *testing.T) {
		require.Equal(t, schema.ConnectionEnabled, b.conn.State)
		byID, err := b.Connection(ctx, b.conn.ID)
		require.NoError(t, err)
		require.Equal(t, b.conn, byID)
		byName, err := b.ConnectionByName(ctx, "box")
		require.NoError(t, err)
		require.Equal(t, b.conn, byName)
		conn, opened, err := b.ConnectionSecret(ctx, b.conn.ID)
		require.NoError(t, err)
		require.Equal(t, "hunter2", opened)
		require.Equal(t, b.conn, conn)
		require.Equal(t, schema.AuthClientCredentials, conn.AuthKind)
		var plain bool
		require.NoError(t, b.sql().QueryRow(ctx, `select position('hunter2'::bytea in secret) > 0 from connection`).Scan(&plain))
		require.False(t, plain)
	})
	t.Run("needs a name of its own, a secret and a key", func(t *testing.T) {
		_, err := b.CreateConnection(ctx, schema.Connection{Name: "box"}, "s", b.admin)
		requireCode(t, schema.CodeConflict, err)
		_, err = b.CreateConnection(ctx, schema.Connection{Name: "other"}, "", b.admin)
		requireCode(t, schema.CodeInvalid, err)
		keyless, err := store.Open(ctx, store.Config{URL: b.url, AllowUnsafe: true})
		require.NoError(t, err)
		defer keyless.Close()
		_, err = keyless.CreateConnection(ctx, schema.Connection{Name: "other"}, "s", b.admin)
		requireCode(t, schema.CodeUnavailable, err)
		_, _, err = keyless.ConnectionSecret(ctx, b.conn.ID)
		requireCode(t, schema.CodeUnavailable, err)
	})
	t.Run("unknown ones are not found", func(t *testing.T) {
		_, err := b.Connection(ctx, "0197c0de-0000-7000-8000-000000000001")
		requireCode(t, schema.CodeNotFound, err)
		_, err = b.Connection(ctx, "nonsense")
		requireCode(t, schema.CodeInvalid, err)
		_, err = b.ConnectionByName(ctx, "none")
		requireCode(t, schema.CodeNotFound, err)
	})
	t.Run("lists go page by page", func(t *testing.T) {
		for _, name := range []string{"b", "c"} {
			_, err := b.CreateConnection(ctx, schema.Connection{Name: name, Vendor: "box", EnterpriseID: name}, "s", b.admin)
			require.NoError(t, err)
		}
		first, next, err := b.ListConnections(ctx, "", 2)
		require.NoError(t, err)
		rest, end, err := b.ListConnections(ctx, next, 2)
		require.NoError(t, err)
		require.Empty(t, end)
		require.Equal(t, "[box b] [c]", fmt.Sprint(names(first), " ", names(rest)))
	})
	t.Run("disabled, enabled and removed", func(t *testing.T) {
		disabled, err := b.SetConnectionState(ctx, "b", schema.ConnectionDisabled, "maintenance", b.admin)
		require.NoError(t, err)
		require.EqualValues(t, 2, disabled.Version)
		enabled, err := b.EnabledConnections(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{"box", "c"}, names(enabled))
		again, err := b.SetConnectionState(ctx, "b", schema.ConnectionDisabled, "twice", b.admin)
		require.NoError(t, err)
		require.EqualValues(t, 2, again.Version)
		removed, err := b.SetConnectionState(ctx, "b", schema.ConnectionRemoved, "gone", b.admin)
		require.NoError(t, err)
		_, _, err = b.ConnectionSecret(ctx, removed.ID)
		requireCode(t, schema.CodeNotFound, err)
		_, err = b.SetConnectionState(ctx, "b", schema.ConnectionEnabled, "back", b.admin)
		requireCode(t, schema.CodeNotFound, err)
		_, err = b.SetConnectionState(ctx, "c", "asleep", "", b.admin)
		requireCode(t, schema.CodeInvalid, err)
	})
	t.Run("is not removed under open plans", func(t *testing.T) {
		b.leaver("77", "78", "suspend")
		_, err := b.SetConnectionState(ctx, "box", schema.ConnectionRemoved, "gone", b.admin)
		requireCode(t, schema.CodeConflict, err)
	})
}

// TestOneConnectionWritesToAnEnterprise: plans and lanes know an account by its
// connection, so two that write to it would get in each other's way unseen.
func TestOneConnectionWritesToAnEnterprise(t *testing.T) {
	t.Parallel()
	b := setup(t)
	connect := func(name, vendor, enterprise string, readOnly bool) error {
		_, err := b.CreateConnection(t.Context(), schema.Connection{
			Name: name, Vendor: vendor, EnterpriseID: enterprise, ReadOnly: readOnly,
		}, "s", b.admin)
		return err
	}
	refused := func(name string) {
		t.Helper()
		err := connect(name, "box", "900", false)
		requireCode(t, schema.CodeConflict, err)
		var e *schema.Error
		require.ErrorAs(t, err, &e)
		require.Contains(t, e.Message, "connection box already writes to box enterprise 900")
		require.Contains(t, e.Fix, "remove box first")
		require.Contains(t, e.Fix, "--read-only")
	}
	refused("second")
	_, err := b.ConnectionByName(t.Context(), "second")
	requireCode(t, schema.CodeNotFound, err)

	require.NoError(t, connect("reads", "box", "900", true))
	require.NoError(t, connect("reads-too", "box", "900", true))
	require.NoError(t, connect("elsewhere", "box", "901", false))
	require.NoError(t, connect("other-vendor", "zoom", "900", false))

	_, err = b.SetConnectionState(t.Context(), "box", schema.ConnectionDisabled, "test", b.admin)
	require.NoError(t, err)
	refused("while-disabled")
	_, err = b.SetConnectionState(t.Context(), "box", schema.ConnectionRemoved, "test", b.admin)
	require.NoError(t, err)

	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = connect(fmt.Sprint("racer-", i), "box", "900", false) })
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		requireCode(t, schema.CodeConflict, err)
		require.ErrorContains(t, err, "connection racer-")
	}
	require.Equal(t, 1, made)
}

// A recovery makes every connection read-only, and so nobody the writer.
func TestNobodyWritesBesideOpenPlansOfAnotherConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	p := b.leaver("1", "2", "leaver")
	b.recover()
	beside := schema.Connection{Name: "beside", Vendor: "box", EnterpriseID: "900"}
	_, err := b.CreateConnection(ctx, beside, "s", b.admin)
	requireCode(t, schema.CodeConflict, err)
	var e *schema.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Message, "1 plans are open on connection box")
	require.Contains(t, e.Fix, "allow writes on box instead")

	beside.ReadOnly = true
	_, err = b.CreateConnection(ctx, beside, "s", b.admin)
	require.NoError(t, err, "reading is harmless")
	_, err = b.AllowConnectionWrites(ctx, "beside", "test", b.admin)
	requireCode(t, schema.CodeConflict, err)
	b.decide(p, schema.DecideCancel)
	require.NoError(t, b.EndPlan(ctx, p.ID, schema.PlanCancelled))
	_, err = b.AllowConnectionWrites(ctx, "beside", "test", b.admin)
	require.NoError(t, err)
}

func TestSecretStaysWithItsURLs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`update connection set base_url = 'https://evil.example.com'`)
	_, _, err := b.ConnectionSecret(t.Context(), b.conn.ID)
	require.ErrorIs(t, err, secret.ErrAuthentication)
}

func TestRotateConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	var before []byte
	require.NoError(t, b.sql().QueryRow(ctx, `select secret from connection`).Scan(&before))

	to := b.conn
	to.AuthKind, to.ClientID, to.EnterpriseID, to.AsUser = schema.AuthJWT, "app-2", "ignored", "ignored"
	rotated, err := b.RotateConnection(ctx, to, "hunter3", b.admin)
	require.NoError(t, err)
	want := b.conn
	want.AuthKind, want.ClientID, want.Version, want.UpdatedAt = schema.AuthJWT, "app-2", b.conn.Version+1, rotated.UpdatedAt
	require.Equal(t, want, rotated, "enterprise and subject stay")
	conn, opened, err := b.ConnectionSecret(ctx, b.conn.ID)
	require.NoError(t, err)
	require.Equal(t, rotated, conn)
	require.Equal(t, "hunter3", opened)
	var kept bool
	require.NoError(t, b.sql().QueryRow(ctx, `select exists (select from connection where secret = $1)`, before).Scan(&kept))
	require.False(t, kept, "the old secret is gone")

	_, err = b.RotateConnection(ctx, to, "hunter4", b.admin)
	requireCode(t, schema.CodeConflict, err)
	_, err = b.RotateConnection(ctx, rotated, "", b.admin)
	requireCode(t, schema.CodeInvalid, err)
	moved := rotated
	moved.BaseURL = "https://evil.example.com"
	_, err = b.RotateConnection(ctx, moved, "hunter4", b.admin)
	requireCode(t, schema.CodeConflict, err)
	removed, err := b.SetConnectionState(ctx, "box", schema.ConnectionRemoved, "gone", b.admin)
	require.NoError(t, err)
	_, err = b.RotateConnection(ctx, removed, "hunter4", b.admin)
	requireCode(t, schema.CodeConflict, err)

	var bodies string
	require.NoError(t, b.sql().QueryRow(ctx, `select string_agg(convert_from(body, 'UTF8'), ' ') from audit_record`).Scan(&bodies))
	require.Contains(t, bodies, "connection.rotated")
	require.NotContains(t, bodies, "hunter")
}

func TestAllowWrite(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	require.NoError(t, b.AllowWrite(ctx, b.conn.ID))
	requireCode(t, schema.CodeNotFound, b.AllowWrite(ctx, "0197c0de-0000-7000-8000-000000000001"))

	readOnly, err := b.CreateConnection(ctx, schema.Connection{Name: "ro", ReadOnly: true}, "s", b.admin)
	require.NoError(t, err)
	requireCode(t, schema.CodeReadOnly, b.AllowWrite(ctx, readOnly.ID))

	_, err = b.SetConnectionState(ctx, "box", schema.ConnectionDisabled, "test", b.admin)
	require.NoError(t, err)
	requireCode(t, schema.CodeClosed, b.AllowWrite(ctx, b.conn.ID))

	_, err = b.SetSwitch(ctx, schema.Switch{Paused: true}, b.admin)
	requireCode(t, schema.CodeInvalid, err)
	paused, err := b.SetSwitch(ctx, schema.Switch{Paused: true, Reason: "incident"}, b.admin)
	require.NoError(t, err)
	state, err := b.Switch(ctx)
	require.NoError(t, err)
	require.Equal(t, paused, state)
	require.Equal(t, "admin", state.ChangedBy)
	requireCode(t, schema.CodePaused, b.AllowWrite(ctx, b.conn.ID))
	_, err = b.SetSwitch(ctx, schema.Switch{}, b.admin)
	require.NoError(t, err)

	closed := b.open()
	closed.Close()
	require.Error(t, closed.AllowWrite(ctx, b.conn.ID), "a lost database allows nothing")
}

func TestSaveAccountKeepsTheLaterObservation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	first := b.account("5")
	later := first
	later.Name, later.ObservedAt, later.CreatedAt = "New Name", first.ObservedAt.Add(time.Second), first.ObservedAt
	saved, err := b.SaveAccount(ctx, later)
	require.NoError(t, err)
	require.Equal(t, later, saved)
	earlier := first
	earlier.Name, earlier.ObservedAt = "Old Name", first.ObservedAt.Add(-time.Second)
	saved, err = b.SaveAccount(ctx, earlier)
	require.NoError(t, err)
	require.Equal(t, later, saved)
	read, err := b.Account(ctx, first.ID)
	require.NoError(t, err)
	require.Equal(t, later, read)
	_, err = b.Account(ctx, "0197c0de-0000-7000-8000-000000000001")
	requireCode(t, schema.CodeNotFound, err)
	_, err = b.SaveAccount(ctx, schema.Account{})
	require.Error(t, err)
}

func TestLease(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	// 180 a minute fill three a second; one second's worth lies ready.
	granted, wait, err := b.Lease(ctx, string(b.conn.ID), "u1", 100, 180)
	require.NoError(t, err)
	require.Equal(t, 3, granted)
	require.Zero(t, wait)
	granted, wait, err = b.Lease(ctx, string(b.conn.ID), "u1", 1, 180)
	require.NoError(t, err)
	require.Zero(t, granted)
	require.Greater(t, wait, time.Duration(0))
	require.LessOrEqual(t, wait, time.Second)
	granted, _, err = b.Lease(ctx, string(b.conn.ID), "u2", 1, 180)
	require.NoError(t, err)
	require.Equal(t, 1, granted, "another user has a bucket of its own")

	b.exec(`update rate_bucket set refilled_at = refilled_at - interval '0.5 seconds' where acting_user = 'u1'`)
	granted, _, err = b.Lease(ctx, string(b.conn.ID), "u1", 5, 180)
	require.NoError(t, err)
	require.Equal(t, 1, granted)
	b.exec(`update rate_bucket set refilled_at = refilled_at - interval '1 hour' where acting_user = 'u1'`)
	granted, _, err = b.Lease(ctx, string(b.conn.ID), "u1", 5, 180)
	require.NoError(t, err)
	require.Equal(t, 3, granted, "a bucket never holds more than its burst")
	granted, _, err = b.Lease(ctx, string(b.conn.ID), "slow", 5, 1)
	require.NoError(t, err)
	require.Equal(t, 1, granted, "a slow bucket holds one")

	for _, rate := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		_, _, err = b.Lease(ctx, string(b.conn.ID), "u1", 1, rate)
		require.Error(t, err)
	}
}

func names(list []schema.Connection) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.Name)
	}
	return out
}
