package store_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/internal/store"
	"sendoff/schema"
)

// actions lists what a case's stream says was done.
func (b *bundle) actions(id schema.CaseID) []string {
	b.t.Helper()
	var out []string
	for _, e := range b.events(id) {
		out = append(out, e.Action)
	}
	return out
}

func (b *bundle) events(id schema.CaseID) []audit.Event {
	b.t.Helper()
	bodies, err := b.CaseAudit(b.t.Context(), id, 0, 1000)
	require.NoError(b.t, err)
	out := make([]audit.Event, len(bodies))
	for i, body := range bodies {
		out[i], err = audit.ParseEvent(body)
		require.NoError(b.t, err)
	}
	return out
}

func (b *bundle) verify() audit.Report {
	b.t.Helper()
	var file bytes.Buffer
	require.NoError(b.t, b.ExportAudit(b.t.Context(), &file))
	report, err := audit.Verify(&file, b.signer.VerifierKey(), nil)
	require.NoError(b.t, err)
	return report
}

func (b *bundle) seal() int {
	b.t.Helper()
	sealer, err := audit.NewSealer(audit.SealerConfig{Store: b.Store, Signer: b.signer, BatchSize: 7})
	require.NoError(b.t, err)
	n, err := sealer.SealPending(b.t.Context())
	require.NoError(b.t, err)
	return n
}

func TestSendingAgainIsAudited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	plain := b.leaver("1", "2", "transfer")
	require.NotContains(t, b.events(plain.CaseID)[0].Details, "send_again")
	d := b.draft("3", "4", "transfer")
	d.Request.SendAgain = true
	again := b.write(d)
	require.Equal(t, "accepted", b.events(again.CaseID)[0].Details["send_again"])
}

func TestEachMoveIsAudited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	p := b.leaver("1", "2", "transfer")
	ref := b.through(p.ID, 1)
	b.enter(ref, "1", "2")
	b.outcome(ref, schema.OutcomeUnknown)
	_, err := b.ConcludeTransfer(ctx, ref, schema.TransferProven, nil)
	require.NoError(t, err)
	require.NoError(t, b.CompleteStep(ctx, ref, schema.StepDone, nil))
	require.NoError(t, b.EndPlan(ctx, p.ID, schema.PlanDone))
	require.NoError(t, b.CloseCase(ctx, p.CaseID))
	require.NoError(t, b.CloseCase(ctx, p.CaseID))
	require.Equal(t, []string{
		"case.opened", "plan.made", "step.begun", "step.done", "step.begun", "transfer.queued", "transfer.intended",
		"transfer.sent", "transfer.outcome", "transfer.proven", "step.done", "plan.done", "case.closed",
	}, b.actions(p.CaseID))

	events := b.events(p.CaseID)
	require.Equal(t, audit.Actor{Kind: audit.ActorPrincipal, ID: string(b.admin.TokenID), Name: "admin"}, events[0].Actor)
	require.Equal(t, audit.Actor{Kind: audit.ActorEngine}, events[7].Actor)
	require.Equal(t, "transfer", events[7].Subject.Step)
	bodies, err := b.CaseAudit(ctx, p.CaseID, 12, 10)
	require.NoError(t, err)
	require.Len(t, bodies, 1)
	require.NotContains(t, string(bytes.Join(bodies, nil)), "example.com")
	_, err = b.CaseAudit(ctx, p.CaseID, 0, 0)
	requireCode(t, schema.CodeInvalid, err)
}

func TestARefusedMoveLeavesNoRecord(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.leaver("1", "2", "suspend")
	before := b.actions(p.CaseID)
	_, err := b.Decide(t.Context(), schema.Decision{CaseID: p.CaseID, Kind: schema.DecideResume}, b.admin)
	require.Error(t, err)
	require.Equal(t, before, b.actions(p.CaseID))
}

func TestAuditLogSealsAndVerifies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, id := range []string{"1", "2", "3"} {
		b.leaver(id, "9", "suspend")
	}
	sealed := b.seal()
	require.Greater(t, sealed, 7, "more than one batch")
	require.Zero(t, b.seal())
	b.leaver("4", "9", "suspend")
	report := b.verify()
	require.Empty(t, report.Problems)

	t.Run("a changed record shows", func(t *testing.T) {
		b.exec(`update audit_record set body = convert_to(replace(convert_from(body, 'UTF8'), 'suspend', 'sustain'), 'UTF8') where stream like 'case/%'`)
		require.NotEmpty(t, b.verify().Problems)
	})
}

func TestARecordTakenOffTheWorkListIsExported(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.leaver("1", "9", "suspend")
	b.seal()
	p := b.leaver("2", "9", "suspend")
	b.exec(`delete from audit_pending`)
	require.Zero(t, b.seal())
	var file bytes.Buffer
	require.NoError(t, b.ExportAudit(t.Context(), &file))
	require.Contains(t, file.String(), string(p.ID))
}

func TestStreamsStayWholeUnderLoad(t *testing.T) {
	t.Parallel()
	b := setup(t)
	errs := make([]error, 20)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = b.SetSwitch(t.Context(), schema.Switch{Paused: true, Reason: "drill"}, b.admin)
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	b.seal()
	require.Empty(t, b.verify().Problems)
}

func TestOneSealerAtATime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	err := b.Seal(t.Context(), func(ctx context.Context, _ audit.SealTx) error {
		return b.Seal(ctx, func(context.Context, audit.SealTx) error { return nil })
	})
	require.ErrorIs(t, err, audit.ErrSealerBusy)
}

func TestAuditKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	first, err := b.EnsureAuditSeed(ctx, bytes.Repeat([]byte{1}, audit.SeedSize))
	require.NoError(t, err)
	second, err := b.EnsureAuditSeed(ctx, bytes.Repeat([]byte{2}, audit.SeedSize))
	require.NoError(t, err)
	require.Equal(t, first, second)
	keyless, err := store.Open(ctx, store.Config{URL: b.url, AllowUnsafe: true})
	require.NoError(t, err)
	defer keyless.Close()
	_, err = keyless.EnsureAuditSeed(ctx, first)
	requireCode(t, schema.CodeUnavailable, err)
	requireCode(t, schema.CodeUnavailable, keyless.ExportAudit(ctx, &bytes.Buffer{}))
}
