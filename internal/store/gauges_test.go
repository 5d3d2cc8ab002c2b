package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"sendoff/internal/store"
	"sendoff/schema"
)

func TestGauges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	p := b.leaver("1", "2", "transfer")
	b.leaver("3", "4", "suspend")
	b.begin(p.ID, 0)
	require.NoError(t, b.ParkPlan(ctx, p.ID, schema.Cause{Code: schema.ParkVendorRefused, Message: "m", Fix: "f"}))
	b.exec(`update outbox set created_at = now() - interval '90 seconds', tries = 3 where case_id = $1`, p.CaseID)

	g, err := b.Gauges(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"planned": 1, "parked": 1}, g.PlansByState)
	require.Equal(t, map[string]int64{"VENDOR_REFUSED": 1}, g.ParkedByCause)
	require.EqualValues(t, 2, g.OutboxDepth)
	require.EqualValues(t, 1, g.OutboxFailing)
	require.InDelta(t, 90, g.OutboxOldest.Seconds(), 30)
	require.Equal(t, map[string]int64{"enabled": 1}, g.ConnectionsByState)
	require.NotZero(t, g.AuditUnsealed)
	require.Greater(t, g.AuditLag, time.Duration(0))
	require.Less(t, g.AuditLag, time.Minute)
	require.False(t, g.Paused)
	require.Zero(t, g.OldestUnsettled)

	_, err = b.SetSwitch(ctx, schema.Switch{Paused: true, Reason: "drill"}, b.admin)
	require.NoError(t, err)
	b.drain()
	b.exec(`update plan set state = 'cancelled'`)
	b.exec(`delete from audit_pending`)
	g, err = b.Gauges(ctx)
	require.NoError(t, err)
	require.Equal(t, store.Gauges{
		PlansByState: map[string]int64{}, ParkedByCause: map[string]int64{}, TransfersByState: map[string]int64{},
		ConnectionsByState: map[string]int64{"enabled": 1}, AlarmsByCode: map[string]int64{}, OldestDataset: map[string]float64{}, Paused: true,
	}, g, "what has ended is not counted")
}

func TestReady(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key, other := keyring(t, 1), keyring(t, 2)
	require.NoError(t, b.EnsureKeyCheck(t.Context(), key))
	require.NoError(t, b.Ready(t.Context(), key))
	require.Error(t, b.Ready(t.Context(), other))
	b.exec(`insert into goose_db_version (version_id, is_applied) values (99999, true)`)
	requireCode(t, schema.CodeUnavailable, b.Ready(t.Context(), key))
}

// What a row sets off continues the trace it was written in.
func TestOutboxCarriesTheTrace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.leaver("1", "2", "suspend")
	b.begin(p.ID, 0)
	caller := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	_, err := b.Decide(trace.ContextWithSpanContext(t.Context(), caller), schema.Decision{
		CaseID: p.CaseID, PlanID: p.ID, Kind: schema.DecideCancel, Reason: "stays",
	}, b.admin)
	require.NoError(t, err)
	var seen []trace.SpanContext
	for range 2 {
		_, err := b.ClaimOutbox(t.Context(), 1, func(ctx context.Context, row schema.OutboxRow) error {
			require.NotEmpty(t, row.CaseID)
			seen = append(seen, trace.SpanContextFromContext(ctx))
			return nil
		})
		require.NoError(t, err)
	}
	require.Len(t, seen, 2)
	require.False(t, seen[0].IsValid(), "the case was opened untraced")
	require.Equal(t, caller.WithRemote(true), seen[1])
}
