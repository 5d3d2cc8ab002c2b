package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"sendoff/internal/local/localtest"
	"sendoff/internal/store"
	"sendoff/schema"
)

// migratedTo is a database as an earlier program left it.
func migratedTo(t *testing.T, version int64) (string, *sql.DB) {
	t.Helper()
	setup(t) // makes the role that migrations grant to
	url := localtest.Database(t)
	cfg, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	db := stdlib.OpenDB(*cfg)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	files, err := fs.Sub(schema.Migrations, "migrations")
	require.NoError(t, err)
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	require.NoError(t, err)
	_, err = provider.UpTo(t.Context(), version)
	require.NoError(t, err)
	return url, db
}

func TestMigrateToHR(t *testing.T) {
	t.Parallel()
	url, db := migratedTo(t, 12)
	for _, statement := range []string{
		`insert into person (id, email, name, created_at, updated_at) values ('0197c0de-0000-7000-8000-000000000001', 'a@example.com', 'A', now(), now())`,
		`insert into employment (source, external_id, person_id, kind, name, email, employee_number, leave_reason, time_zone, department, site, manager, updated_at)
			values ('hr', '1', '0197c0de-0000-7000-8000-000000000001', 'employee', 'A', 'a@example.com', '', '', '', '', '', '', now())`,
		`insert into connection (id, name, vendor, state, read_only, base_url, token_url, auth_kind, client_id, enterprise_id, as_user, secret, version, created_at, updated_at)
			values ('0197c0de-0000-7000-8000-000000000002', 'box', 'box', 'enabled', true, 'https://a', 'https://b', 'client_credentials', 'c', '900', '', 'x', 1, now(), now())`,
		`insert into run (id, connection_id, kind, state, trigger, requested_by, created_at)
			values ('0197c0de-0000-7000-8000-000000000003', '0197c0de-0000-7000-8000-000000000002', 'sync', 'queued', 'schedule', '', now())`,
		`insert into outbox (kind, run_id, run_kind, created_at, next_try_at) values ('start_run', '0197c0de-0000-7000-8000-000000000003', 'sync', now(), now())`,
		`insert into alarm (id, connection_id, code, message, fix, raised_at)
			values ('0197c0de-0000-7000-8000-000000000004', '0197c0de-0000-7000-8000-000000000002', 'ACTIVITY_HOLE', 'm', '', now()),
				('0197c0de-0000-7000-8000-000000000005', null, 'ACTIVITY_HOLE', 'm', '', now())`,
	} {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	require.NoError(t, store.Migrate(t.Context(), url, nil))

	b := &bundle{t: t, url: url}
	s, err := store.Open(t.Context(), store.Config{URL: url, Sealer: keySealer{keyring(t, 1)}, AllowUnsafe: true, MaxConnections: 5})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	b.Store = s
	require.NoError(t, b.RaiseAlarm(t.Context(), schema.Alarm{Code: schema.AlarmActivityHole, Message: "again"}))
	require.NoError(t, b.RaiseAlarm(t.Context(), schema.Alarm{Code: schema.AlarmActivityHole, Message: "again", ConnectionID: "0197c0de-0000-7000-8000-000000000002"}))
	require.Len(t, b.alarms(), 2, "both were open")
	rows := b.drain()
	require.Len(t, rows, 1)
	require.Equal(t, schema.RunID("0197c0de-0000-7000-8000-000000000003"), rows[0].RunID)
	require.Equal(t, 1, b.count(`select count(*) from employment where status = '' and not for_cause and garden_leave_from is null`))

	manual, err := b.SourceByName(t.Context(), schema.ManualSource)
	require.NoError(t, err)
	require.Equal(t, schema.SourceManual, manual.Kind)
	require.Equal(t, schema.DefaultStartLimit(), manual.Limit)
	got, err := b.AcceptEvent(t.Context(), schema.HREvent{
		SourceID: manual.ID, EventID: "1", Via: schema.ViaHand, Body: []byte("{}"),
		Change: schema.HRChange{Kind: schema.ChangeLeave, Hand: &schema.ByHand{Email: "a@example.com", LastWorkingDay: schema.Date{Year: 2026, Month: 3, Day: 31}, Reason: "r"}},
	})
	require.NoError(t, err)
	require.Equal(t, schema.EventPending, got.Event.State)
}

// TestOutboxOfLeavers dispatches rows of one leaver in order, and others past them.
func TestOutboxOfLeavers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("bamboo", schema.SourceBambooHR)
	const one, two = "0197c0de-0000-7000-8000-00000000000a", "0197c0de-0000-7000-8000-00000000000b"
	b.exec(`insert into person (id, email, name, created_at, updated_at) values ($1::uuid, 'a@example.com', 'A', now(), now()), ($2::uuid, 'b@example.com', 'B', now(), now())`, one, two)
	b.exec(`insert into leaver (id, person_id, source_id, external_id, moment, due_at, for_cause, reason, by_hand, state, revision, template, receivers, approvals,
			counted_at, created_at, updated_at)
		select p.id, p.id, $1, '', '{}', now(), false, '', false, 'planning', 1, 'leaver', '{}', 0, now(), now(), now() from person p where p.id in ($2::uuid, $3::uuid)`, s.ID, one, two)
	b.exec(`insert into outbox (kind, leaver_id, created_at, next_try_at)
		values ('leaver', $1::uuid, now(), now() - interval '1 second'), ('leaver', $1::uuid, now(), now() - interval '1 hour'), ('leaver', $2::uuid, now(), now())`, one, two)
	var order []string
	for range 3 {
		n, err := b.ClaimOutbox(t.Context(), 1, func(_ context.Context, row schema.OutboxRow) error {
			require.Equal(t, schema.OutboxLeaver, row.Kind)
			order = append(order, fmt.Sprint(row.LeaverID[len(row.LeaverID)-1:], row.ID))
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
	require.Less(t, slices.Index(order, "a1"), slices.Index(order, "a2"), order)
	require.Contains(t, order, "b3")
}
